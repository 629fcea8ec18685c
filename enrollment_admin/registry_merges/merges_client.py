"""What the pages of merges ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.registry_merge import EntriesJudged, MergeEntries, MergeProposalView, MergeWanted

_MERGES = "/v1/registry-merges"


def propose(backend: BackendClient, wanted: MergeWanted) -> MergeProposalView:
    """Ask for a merge, or for one to be taken back."""
    return backend.ask("POST", _MERGES, MergeProposalView, wanted)


def in_state(backend: BackendClient, state: str, cursor: str | None) -> Listed[MergeProposalView]:
    """Proposals that stand in a state."""
    return backend.listed(_MERGES, {"state": state}, cursor, MergeProposalView)


def proposal(backend: BackendClient, proposal_id: str) -> MergeProposalView:
    """One proposal, without the entries."""
    return backend.ask("GET", _one(proposal_id), MergeProposalView)


def entries(backend: BackendClient, proposal_id: str) -> MergeEntries:
    """Both entries, for who decides."""
    return backend.ask("GET", f"{_one(proposal_id)}/entries", MergeEntries)


def decide(backend: BackendClient, proposal_id: str, said: EntriesJudged) -> MergeProposalView:
    """Sign for both entries, or refuse."""
    return backend.ask("POST", f"{_one(proposal_id)}/decision", MergeProposalView, said)


def _one(proposal_id: str) -> str:
    return f"{_MERGES}/{quote(proposal_id, safe='')}"
