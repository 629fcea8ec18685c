"""The way to a merge, and back out of one: one officer proposes, another one looks at both entries.

proposed   waits for an officer who did not propose it
signed     done, in the transaction of the signature
refused    that officer said why not; it may be proposed again
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from issuance_backend.population_registry.domain import RegistryPerson, value_of
from issuance_backend.population_registry.identities.domain import ATTRIBUTES
from issuance_backend.refusals import SameOfficer
from issuance_backend.state_table import StateTable


class MergeAct(StrEnum):
    """What is proposed of two numbers."""

    MERGE = "merge"
    SEPARATE = "separate"


class ProposalState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    SIGNED = "signed"
    REFUSED = "refused"


class ProposalEvent(StrEnum):
    """What can happen to a proposal."""

    PROPOSE = "propose"
    SIGN = "sign"
    REFUSE = "refuse"


TABLE = StateTable[ProposalState, ProposalEvent](
    {
        (None, ProposalEvent.PROPOSE): ProposalState.PROPOSED,
        (ProposalState.PROPOSED, ProposalEvent.SIGN): ProposalState.SIGNED,
        (ProposalState.PROPOSED, ProposalEvent.REFUSE): ProposalState.REFUSED,
    }
)
advance = TABLE.advance

REASONS: Mapping[MergeAct, tuple[str, ...]] = {
    MergeAct.MERGE: ("registered_twice", "number_issued_twice", "archive_double"),
    MergeAct.SEPARATE: ("two_people", "wrong_number"),
}
REFUSALS = ("not_proven", "wrong_reference", "wrong_number")


def require_other(officer: str, proposed_by: str) -> None:
    """Raise SameOfficer for whoever proposed it."""
    if officer == proposed_by:
        raise SameOfficer("another officer than the one who proposed it decides")


def attributes_of(entry: RegistryPerson) -> dict[str, str | None]:
    """An entry as it is shown to who decides: every attribute beside the number."""
    return {name: value_of(entry, name) for name in ATTRIBUTES}


def entries_digest(kept: RegistryPerson, merged: RegistryPerson) -> str:
    """What a signature covers: both entries, and which of them is the reference."""
    return hashlib.sha256(msgspec.json.encode([kept, merged])).hexdigest()
