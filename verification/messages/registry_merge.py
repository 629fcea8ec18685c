"""Two numbers that are one person, or are not after all: one registrar proposes it, another one decides.

``officer`` is whoever acts, vouched for by the calling program that signed him in.
"""

from __future__ import annotations

import msgspec


class MergeWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``act`` is ``merge``: ``kept`` stays the reference, ``merged`` becomes its alias; or ``separate``."""

    act: str
    kept: str
    merged: str
    reason: str


class MergeProposal(MergeWanted, frozen=True, forbid_unknown_fields=True):
    """The same, by whom it is proposed."""

    officer: str


class EntriesJudged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever is signed in signs for the entries whose digest they were shown, or says why not."""

    entries_digest: str
    approves: bool
    refusal: str | None = None


class MergeDecision(EntriesJudged, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by which officer."""

    officer: str


class MergeProposalView(msgspec.Struct, frozen=True):
    """A proposal: proposed, signed or refused.

    ``to_review`` names the attributes that were reported under the alias while a merge stood that is taken
    back; they stand in the reference's record and may be the other person's.
    """

    id: str
    act: str
    kept: str
    merged: str
    reason: str
    state: str
    proposed_by: str
    changed_at: str
    decided_by: str | None = None
    refusal: str | None = None
    to_review: tuple[str, ...] = ()


class MergeEntries(msgspec.Struct, frozen=True):
    """Both entries, attribute by attribute, and the digest that a signature names."""

    kept: dict[str, str | None]
    merged: dict[str, str | None]
    entries_digest: str
