"""The life cycle of an application: who may lead it from one state to the next, and nobody does two parts.

received          a sealed packet was opened                 the rules run at once
captured          an officer has sealed a capture            the rules run at once
validated         the registry agrees, the portrait is good  a local approver, at a province after a
                                                             processor's check; or the archive is asked
archive_lookup    the archive is asked                       approved by territory, then the clerk answers
local_approved    the unit stands for it                     the system queues the search
dedup_1n          the search waits, or found nobody          the centre approves what is clear
adjudication      somebody alike is enrolled                 two examiners; what they confirm is rejected
central_approved  a card is ordered                          hand-over; rejected only when no card is left
completed         the card was handed over                   nobody
returned          items to redo are named                    captured again, these items only
rejected          two officers said so                       its pictures are erased in time
suspended         a case holds it                            goes on where it stood
withdrawn         the citizen no longer wants it             its pictures are erased in time
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from issuance_backend.refusals import HitStillOpen, SameOfficer
from issuance_backend.state_table import StateTable


class DossierState(StrEnum):
    """Where an application stands."""

    RECEIVED = "received"
    CAPTURED = "captured"
    VALIDATED = "validated"
    ARCHIVE_LOOKUP = "archive_lookup"
    LOCAL_APPROVED = "local_approved"
    DEDUP_1N = "dedup_1n"
    ADJUDICATION = "adjudication"
    CENTRAL_APPROVED = "central_approved"
    COMPLETED = "completed"
    RETURNED = "returned"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class DossierEvent(StrEnum):
    """What can happen to an application."""

    RECEIVE = "receive"
    CAPTURE = "capture"
    VALIDATE = "validate"
    RETURN = "return"
    ASK_ARCHIVE = "ask_archive"
    APPROVE_LOOKUP = "approve_lookup"
    ANSWER_LOOKUP = "answer_lookup"
    CHECK = "check"
    APPROVE_LOCALLY = "approve_locally"
    SEARCH = "search"
    SKIP_SEARCH = "skip_search"
    FIND_NOBODY = "find_nobody"
    FIND_SOMEBODY = "find_somebody"
    DIFFERENT = "different"
    CONFIRM = "confirm"
    APPROVE_CENTRALLY = "approve_centrally"
    COMPLETE = "complete"
    PROPOSE_REJECTION = "propose_rejection"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    ERASE = "erase"


_RETURNABLE = (
    DossierState.RECEIVED,
    DossierState.VALIDATED,
    DossierState.ARCHIVE_LOOKUP,
    DossierState.LOCAL_APPROVED,
    DossierState.DEDUP_1N,
    DossierState.ADJUDICATION,
    # More items than were named at first.
    DossierState.RETURNED,
)
_REJECTABLE = (
    DossierState.VALIDATED,
    DossierState.DEDUP_1N,
    DossierState.ADJUDICATION,
    DossierState.RETURNED,
    # Only while no card of it is made or on its way.
    DossierState.CENTRAL_APPROVED,
)
_HELD = (*_RETURNABLE, DossierState.CENTRAL_APPROVED)
"""What a case can hold. Held after the central approval, a dossier lets no card be handed over."""

ENDED_WITHOUT_CARD = (DossierState.REJECTED, DossierState.WITHDRAWN)
"""What they hold of a body is erased in time: ``schema.HOLDS_ENDED_BODY`` names the same."""

TABLE: StateTable[DossierState, DossierEvent] = StateTable(
    {
        (None, DossierEvent.RECEIVE): DossierState.RECEIVED,
        (None, DossierEvent.CAPTURE): DossierState.CAPTURED,
        (DossierState.RETURNED, DossierEvent.RECEIVE): DossierState.RECEIVED,
        (DossierState.RETURNED, DossierEvent.CAPTURE): DossierState.CAPTURED,
        (DossierState.RECEIVED, DossierEvent.VALIDATE): DossierState.VALIDATED,
        (DossierState.CAPTURED, DossierEvent.VALIDATE): DossierState.VALIDATED,
        (DossierState.VALIDATED, DossierEvent.ASK_ARCHIVE): DossierState.ARCHIVE_LOOKUP,
        (DossierState.ARCHIVE_LOOKUP, DossierEvent.APPROVE_LOOKUP): DossierState.ARCHIVE_LOOKUP,
        (DossierState.ARCHIVE_LOOKUP, DossierEvent.ANSWER_LOOKUP): DossierState.VALIDATED,
        (DossierState.VALIDATED, DossierEvent.CHECK): DossierState.VALIDATED,
        (DossierState.VALIDATED, DossierEvent.APPROVE_LOCALLY): DossierState.LOCAL_APPROVED,
        (DossierState.LOCAL_APPROVED, DossierEvent.SEARCH): DossierState.DEDUP_1N,
        (DossierState.LOCAL_APPROVED, DossierEvent.SKIP_SEARCH): DossierState.DEDUP_1N,
        (DossierState.DEDUP_1N, DossierEvent.FIND_NOBODY): DossierState.DEDUP_1N,
        (DossierState.DEDUP_1N, DossierEvent.FIND_SOMEBODY): DossierState.ADJUDICATION,
        (DossierState.ADJUDICATION, DossierEvent.DIFFERENT): DossierState.DEDUP_1N,
        (DossierState.ADJUDICATION, DossierEvent.CONFIRM): DossierState.ADJUDICATION,
        (DossierState.DEDUP_1N, DossierEvent.APPROVE_CENTRALLY): DossierState.CENTRAL_APPROVED,
        (DossierState.CENTRAL_APPROVED, DossierEvent.COMPLETE): DossierState.COMPLETED,
        **{(state, DossierEvent.RETURN): DossierState.RETURNED for state in _RETURNABLE},
        **{(state, DossierEvent.WITHDRAW): DossierState.WITHDRAWN for state in _RETURNABLE},
        **{(state, DossierEvent.PROPOSE_REJECTION): state for state in _REJECTABLE},
        **{(state, DossierEvent.REJECT): DossierState.REJECTED for state in _REJECTABLE},
        **{(state, DossierEvent.SUSPEND): DossierState.SUSPENDED for state in _HELD},
        **{(state, DossierEvent.ERASE): state for state in ENDED_WITHOUT_CARD},
    }
)
"""Every transition but one: ``resume`` leads back to where the dossier was suspended."""

CLOSED = frozenset({DossierState.COMPLETED, DossierState.REJECTED, DossierState.WITHDRAWN})
"""Nothing changes any more but what is still kept; the same person may apply again."""

COMPARED = frozenset(
    {
        DossierState.LOCAL_APPROVED,
        DossierState.DEDUP_1N,
        DossierState.ADJUDICATION,
        DossierState.CENTRAL_APPROVED,
        DossierState.COMPLETED,
        DossierState.SUSPENDED,
    }
)
"""Where others are compared with an application that was searched; everywhere else it is forgotten."""


def advance(
    state: DossierState | None, event: DossierEvent, held_in: DossierState | None = None
) -> DossierState:
    """The state after an event; raises TransitionRefused. ``held_in`` is where a suspended dossier stood."""
    if state is DossierState.SUSPENDED and event is DossierEvent.RESUME and held_in is not None:
        return held_in
    return TABLE.advance(state, event)


def fold(events: Iterable[DossierEvent]) -> DossierState | None:
    """The state that recorded events add up to (invariant I5)."""
    state: DossierState | None = None
    held_in: DossierState | None = None
    for event in events:
        former, state = state, advance(state, event, held_in)
        held_in = former if event is DossierEvent.SUSPEND else held_in
    return state


class Search(StrEnum):
    """What is known of duplicates of an application."""

    WAITING = "waiting"
    CLEAR = "clear"
    HIT = "hit"
    CONFIRMED = "confirmed"
    NO_GALLERY = "no_gallery"


_SEARCHES: Mapping[DossierEvent, Search | None] = {
    DossierEvent.SEARCH: Search.WAITING,
    DossierEvent.SKIP_SEARCH: Search.NO_GALLERY,
    DossierEvent.FIND_NOBODY: Search.CLEAR,
    DossierEvent.FIND_SOMEBODY: Search.HIT,
    DossierEvent.DIFFERENT: Search.CLEAR,
    DossierEvent.CONFIRM: Search.CONFIRMED,
    # What is captured again is searched again.
    DossierEvent.RETURN: None,
}


def search_after(search: Search | None, event: DossierEvent) -> Search | None:
    """What is known of duplicates after an event."""
    return _SEARCHES.get(event, search)


_UNCHECKED = frozenset(
    {DossierEvent.RECEIVE, DossierEvent.CAPTURE, DossierEvent.RETURN, DossierEvent.ANSWER_LOOKUP}
)
"""After these the dossier is not what was checked."""


def checked_after(checked_by: str | None, event: DossierEvent, actor: str) -> str | None:
    """Who has checked a dossier as it stands after somebody's event."""
    if event is DossierEvent.CHECK:
        return actor
    return None if event in _UNCHECKED else checked_by


def require_no_open_hit(search: Search | None) -> None:
    """Raise HitStillOpen unless the search found nobody, or examiners said that it found somebody else."""
    if search not in {Search.CLEAR, Search.NO_GALLERY}:
        raise HitStillOpen("the search for duplicates is not settled")


def require_examined(state: DossierState, search: Search | None) -> None:
    """Raise HitStillOpen where examiners still look: what they will say is not anticipated."""
    if state is DossierState.ADJUDICATION and search is not Search.CONFIRMED:
        raise HitStillOpen("examiners have not decided")


class Part(StrEnum):
    """What somebody does for an application that nobody does two of (invariant I4)."""

    CAPTURE = "capture"
    CHECK = "check"
    LOCAL_APPROVAL = "local_approval"
    LOOKUP_APPROVAL = "lookup_approval"
    LOOKUP_ANSWER = "lookup_answer"
    ADJUDICATION = "adjudication"
    CENTRAL_APPROVAL = "central_approval"
    REJECTION = "rejection"


PARTS: Mapping[DossierEvent, Part] = {
    DossierEvent.RECEIVE: Part.CAPTURE,
    DossierEvent.CAPTURE: Part.CAPTURE,
    DossierEvent.CHECK: Part.CHECK,
    DossierEvent.APPROVE_LOCALLY: Part.LOCAL_APPROVAL,
    DossierEvent.APPROVE_LOOKUP: Part.LOOKUP_APPROVAL,
    DossierEvent.ANSWER_LOOKUP: Part.LOOKUP_ANSWER,
    DossierEvent.APPROVE_CENTRALLY: Part.CENTRAL_APPROVAL,
}
"""The part that an event is; what a checker sends back or a citizen withdraws is none."""

ADMITTED_BY, ANSWERED_BY = "admitted_by", "answered_by"
VOUCHING = (ADMITTED_BY, ANSWERED_BY)
"""The details of a step that name whose word it rests on: who registered the keys that signed it or let it
in by a case, and who answers for what could not be captured. They have its part as well.
"""


def require_only_part(officer: str, part: Part, taken: Mapping[Part, Iterable[str]]) -> None:
    """Raise SameOfficer when the officer took another part; to take the same one again is allowed."""
    if any(officer in set(officers) for each, officers in taken.items() if each is not part):
        raise SameOfficer("this officer took another part in the dossier")
