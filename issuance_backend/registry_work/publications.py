"""Attributes on their way to receivers: three registrars, each signed in, propose, sign and sign again.

That nobody signs for what they proposed, and nobody twice, the registry enforces itself; the names by which
it tells them apart are those under which they are signed in here.
"""

from __future__ import annotations

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.registry_relay import RegistryRelay, in_name_of, reading_of, there
from verification.messages.publication import (
    MissingAcknowledgement,
    PublicationProposal,
    PublicationValues,
    PublicationView,
    PublicationWanted,
    SignOff,
    ValuesSigned,
)
from verification.messages.registry_access import Purpose

READERS = (Role.REGISTRAR, Role.AUDITOR)
"""Who sees what waits and what was signed by whom; the values are shown to registrars who may sign."""

_PART = "publications"


class PublicationDesk:
    """What registrars do with publications.

    Everything raises RoleMissing, RegistryUnavailable and what the registry refuses.
    """

    def __init__(self, registry: RegistryRelay) -> None:
        self._registry = registry

    def propose(self, officer: Officer, wanted: PublicationWanted) -> PublicationView:
        """Ask for attributes to be published; the gate answers at once."""
        officer.require(Role.REGISTRAR)
        return self._sent(in_name_of(officer, PublicationProposal, wanted), _PART)

    def sign(self, officer: Officer, publication: str, said: ValuesSigned) -> PublicationView:
        """Sign for the values that were shown, or reject them; the second signature publishes."""
        officer.require(Role.REGISTRAR)
        return self._sent(in_name_of(officer, SignOff, said), _PART, publication, "signature")

    def in_state(self, officer: Officer, state: str, asked: PageAsked) -> Page[PublicationView]:
        """Publications that stand in a state."""
        officer.require(*READERS)
        return self._registry.listed(PublicationView, asked, _PART, state=state)

    def view(self, officer: Officer, publication: str) -> PublicationView:
        """One publication, without the values."""
        officer.require(*READERS)
        return there(self._registry.read(PublicationView, _PART, publication))

    def values(self, officer: Officer, publication: str) -> PublicationValues:
        """What this registrar would sign for; the registry records the look."""
        officer.require(Role.REGISTRAR)
        reading = reading_of(officer, Purpose.PUBLICATION_CHECK)
        path = (_PART, publication, "values")
        return there(self._registry.read(PublicationValues, *path, reading=reading, officer=officer.id))

    def missing(
        self, officer: Officer, older_than_minutes: str | None, asked: PageAsked
    ) -> Page[MissingAcknowledgement]:
        """Deliveries, of values and of withdrawals, that nobody acknowledged; oldest first."""
        officer.require(*READERS)
        path = (_PART, "missing-acknowledgements")
        only = {"older_than_minutes": older_than_minutes}
        return self._registry.listed(MissingAcknowledgement, asked, *path, **only)

    def _sent(self, message: PublicationProposal | SignOff, *path: str) -> PublicationView:
        return there(self._registry.send(PublicationView, message, *path))
