"""The identities that a person is known by, as a registrar judges them on the person's record."""

from __future__ import annotations

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.registry_relay import RegistryRelay, in_name_of, reading_of, there
from verification.messages.registry_access import Purpose
from verification.messages.registry_records import (
    IdentityDecision,
    IdentityJudged,
    PersonHistory,
    RecordedIdentity,
)


class IdentityDesk:
    """Everything raises RoleMissing, RegistryUnavailable and what the registry refuses."""

    def __init__(self, registry: RegistryRelay) -> None:
        self._registry = registry

    def record(self, officer: Officer, citizen_number: str) -> PersonHistory:
        """A person's record with its identities, under any number; the registry records the look."""
        officer.require(Role.REGISTRAR)
        reading = reading_of(officer, Purpose.IDENTITY_CHECK)
        return there(self._registry.read(PersonHistory, "person-records", citizen_number, reading=reading))

    def decide(self, officer: Officer, identity: str, said: IdentityJudged) -> RecordedIdentity:
        """Validate, invalidate, revoke or reopen an identity, or make it the one its person is known by."""
        officer.require(Role.REGISTRAR)
        message = in_name_of(officer, IdentityDecision, said)
        return there(self._registry.send(RecordedIdentity, message, "identities", identity, "decision"))
