"""What whoever holds a receipt code is told of an application: where it stands, and never whose it is."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Stage(StrEnum):
    """Where an application stands, in the order and in the words of the citizen."""

    SENT = "sent"
    ARRIVED = "arrived"
    CAPTURE_REFUSED = "capture_refused"
    CHECKING = "checking"
    CAPTURE_AGAIN = "capture_again"
    BEING_MADE = "being_made"
    ON_THE_WAY = "on_the_way"
    READY = "ready"
    NOT_COLLECTED = "not_collected"
    STOPPED = "stopped"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ReceiptQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code as it was typed or scanned."""

    code: str


class ApplicationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``unit`` is the office to turn to, ``items`` what is to be captured again, as codes.

    ``due_on`` is the last day of the time limit while an office works, ``days_left`` are the working days
    that are left while it stands still. Neither is there where no limit binds the office, or none is known.
    ``notice_waits`` says that the notice of a refusal waits at that office.
    """

    stage: Stage
    unit: str | None = None
    due_on: str | None = None
    is_late: bool = False
    days_left: int | None = None
    items: tuple[str, ...] = ()
    notice_waits: bool = False
