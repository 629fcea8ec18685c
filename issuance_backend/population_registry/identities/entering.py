"""How a person gets into the registry: the entry, findable at once, with the identity it rests on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01 import doubts
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities import holding
from issuance_backend.population_registry.identities.domain import IdentityEvent
from verification.messages.registry_records import IdentityClaim


def enter(
    connection: Connection, entry: RegistryPerson, claim: IdentityClaim, source: str, moment: datetime
) -> None:
    """Write a new entry under a number that is issued, with a valid identity that is its reference.

    The identity is claimed at the entry's own moment: it is the origin of every attribute until it changes.
    """
    entries.add(connection, [entry], moment)
    doubts.follow_entry(connection, entry, moment)
    identity = holding.new_identity(claim, source, moment)
    holding.claim_identity(connection, identity, claim.officer, moment)
    identity = holding.step_identity(connection, identity, IdentityEvent.VALIDATE, claim.officer, moment)
    holding.refer(connection, identity, claim.officer, moment)
