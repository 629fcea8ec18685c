"""What the pages of publications ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.publication import (
    MissingAcknowledgement,
    PublicationValues,
    PublicationView,
    PublicationWanted,
    ValuesSigned,
)

_PUBLICATIONS = "/v1/registry-publications"


def propose(backend: BackendClient, wanted: PublicationWanted) -> PublicationView:
    """Ask for attributes to be published."""
    return backend.ask("POST", _PUBLICATIONS, PublicationView, wanted)


def in_state(backend: BackendClient, state: str, cursor: str | None) -> Listed[PublicationView]:
    """Publications that stand in a state."""
    return backend.listed(_PUBLICATIONS, {"state": state}, cursor, PublicationView)


def publication(backend: BackendClient, publication_id: str) -> PublicationView:
    """One publication, without the values."""
    return backend.ask("GET", _one(publication_id), PublicationView)


def values(backend: BackendClient, publication_id: str) -> PublicationValues:
    """What this officer would sign for."""
    return backend.ask("GET", f"{_one(publication_id)}/values", PublicationValues)


def sign(backend: BackendClient, publication_id: str, said: ValuesSigned) -> PublicationView:
    """Sign for values, or reject them."""
    return backend.ask("POST", f"{_one(publication_id)}/signature", PublicationView, said)


def missing(backend: BackendClient, cursor: str | None) -> Listed[MissingAcknowledgement]:
    """Deliveries that nobody acknowledged."""
    return backend.listed(f"{_PUBLICATIONS}/missing-acknowledgements", {}, cursor, MissingAcknowledgement)


def _one(publication_id: str) -> str:
    return f"{_PUBLICATIONS}/{quote(publication_id, safe='')}"
