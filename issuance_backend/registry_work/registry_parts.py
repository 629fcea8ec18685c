"""The parts of the registry that its officers work in, each behind a token of the office."""

from __future__ import annotations

from collections.abc import Callable

from issuance_backend.refusals import (
    IdentityUnknown,
    MergeUnknown,
    PublicationUnknown,
    RegistryPersonUnknown,
    SameOfficer,
)
from issuance_backend.registry_http import RegistryHttp
from issuance_backend.registry_relay import RegistryRelay, by_code
from verification.errors import TransitionRefused


def quality_indices(url: str, token: str, key: Callable[[], str | None]) -> RegistryRelay:
    """The indices; the token has the role quality.read."""
    http = RegistryHttp(url, token)
    return RegistryRelay(http=http, key=key, root="/v1/quality-indices", refusals=by_code())


def publications(url: str, token: str, key: Callable[[], str | None]) -> RegistryRelay:
    """Publications with their deliveries; the token has the role person.publish."""
    return RegistryRelay(
        http=RegistryHttp(url, token),
        key=key,
        root="/v1",
        refusals=by_code(PublicationUnknown, RegistryPersonUnknown, SameOfficer, TransitionRefused),
        unknown={"publications": PublicationUnknown},
    )


def merges(url: str, token: str, key: Callable[[], str | None]) -> RegistryRelay:
    """Proposed merges and separations; the token has the role person.merge."""
    return RegistryRelay(
        http=RegistryHttp(url, token),
        key=key,
        root="/v1",
        refusals=by_code(MergeUnknown, RegistryPersonUnknown, SameOfficer, TransitionRefused),
        unknown={"merge-proposals": MergeUnknown},
    )


def life_events(url: str, token: str, key: Callable[[], str | None]) -> RegistryRelay:
    """Reports of life events; the token has the role person.register."""
    return RegistryRelay(
        http=RegistryHttp(url, token),
        key=key,
        root="/v1",
        refusals=by_code(RegistryPersonUnknown, TransitionRefused),
    )


def identities(url: str, token: str, key: Callable[[], str | None]) -> RegistryRelay:
    """Records and identities; the token has the roles registry.read and person.register."""
    return RegistryRelay(
        http=RegistryHttp(url, token),
        key=key,
        root="/v1",
        refusals=by_code(IdentityUnknown, RegistryPersonUnknown, TransitionRefused),
        unknown={"identities": IdentityUnknown, "person-records": RegistryPersonUnknown},
    )
