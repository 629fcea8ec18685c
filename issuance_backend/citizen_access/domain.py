"""How long a citizen's visit lasts, and the life of a complaint.

open      filed at the counter                     an officer whom it does not concern answers
answered  the citizen reads it by the code of the slip, or at the counter
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from issuance_backend.moments import parse_moment
from issuance_backend.state_table import StateTable
from verification.messages.citizen_access import ComplaintAbout, ComplaintOutcome, ComplaintState

VISIT_LENGTH = timedelta(minutes=15)
DAY = timedelta(days=1)
VISITS_A_DAY = 5
COMPLAINTS_A_VISIT = 3
VISITS_KEPT = timedelta(days=30)
"""A receipt is good for minutes: nobody opens a visit with one that is forgotten."""

TEXTS_KEPT = timedelta(days=730)
"""After its answer a complaint's words are erased; that it was, and how it ended, stays."""


class ComplaintEvent(StrEnum):
    """What happens to a complaint."""

    FILE = "file"
    ANSWER = "answer"


COMPLAINTS: StateTable[ComplaintState, ComplaintEvent] = StateTable(
    {
        (None, ComplaintEvent.FILE): ComplaintState.OPEN,
        (ComplaintState.OPEN, ComplaintEvent.ANSWER): ComplaintState.ANSWERED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A citizen at a counter."""

    id: str
    session: str
    citizen_number: str
    officer: str
    unit: str | None
    opened_at: str
    ends_at: str

    def is_open(self, officer: str, moment: datetime) -> bool:
        """Whether it goes on, at this officer's counter."""
        return officer == self.officer and moment < parse_moment(self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint; ``concerned`` are officers who do not answer it."""

    id: str
    receipt_code: str
    visit: str
    citizen_number: str
    unit: str | None
    subject: ComplaintAbout
    reference: str
    text: str
    concerned: tuple[str, ...]
    state: ComplaintState
    filed_by: str
    filed_at: str
    answered_by: str | None = None
    answered_at: str | None = None
    outcome: ComplaintOutcome | None = None
    answer: str | None = None


def visit_subject(visit: str) -> str:
    """The name under which a citizen's looks at their own record are recorded."""
    return f"own-record/{visit}"
