"""Two numbers of one person, and merges that were wrong: one registrar proposes, another one decides.

That nobody decides what they proposed the registry enforces itself, as it does of publications.
"""

from __future__ import annotations

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.registry_relay import RegistryRelay, in_name_of, reading_of, there
from verification.messages.registry_access import Purpose
from verification.messages.registry_merge import (
    EntriesJudged,
    MergeDecision,
    MergeEntries,
    MergeProposal,
    MergeProposalView,
    MergeWanted,
)

READERS = (Role.REGISTRAR, Role.AUDITOR)
"""Who sees what is proposed and who decided it; the entries are shown to registrars who may decide."""

_PART = "merge-proposals"


class MergeOffice:
    """What registrars do with numbers that are one person's.

    Everything raises RoleMissing, RegistryUnavailable and what the registry refuses.
    """

    def __init__(self, registry: RegistryRelay) -> None:
        self._registry = registry

    def propose(self, officer: Officer, wanted: MergeWanted) -> MergeProposalView:
        """Ask for a merge, or for one to be taken back."""
        officer.require(Role.REGISTRAR)
        return self._sent(in_name_of(officer, MergeProposal, wanted), _PART)

    def decide(self, officer: Officer, proposal: str, said: EntriesJudged) -> MergeProposalView:
        """Sign for the entries that were shown, which does it; or refuse with a reason."""
        officer.require(Role.REGISTRAR)
        return self._sent(in_name_of(officer, MergeDecision, said), _PART, proposal, "decision")

    def in_state(self, officer: Officer, state: str, asked: PageAsked) -> Page[MergeProposalView]:
        """Proposals that stand in a state."""
        officer.require(*READERS)
        return self._registry.listed(MergeProposalView, asked, _PART, state=state)

    def view(self, officer: Officer, proposal: str) -> MergeProposalView:
        """One proposal, without the entries."""
        officer.require(*READERS)
        return there(self._registry.read(MergeProposalView, _PART, proposal))

    def entries(self, officer: Officer, proposal: str) -> MergeEntries:
        """Both entries, for who may decide; the registry records the look."""
        officer.require(Role.REGISTRAR)
        reading = reading_of(officer, Purpose.MERGE_CHECK)
        path = (_PART, proposal, "entries")
        return there(self._registry.read(MergeEntries, *path, reading=reading, officer=officer.id))

    def _sent(self, message: MergeProposal | MergeDecision, *path: str) -> MergeProposalView:
        return there(self._registry.send(MergeProposalView, message, *path))
