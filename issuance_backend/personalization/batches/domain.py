"""The life of an order in production: one card at a time, until a good one lies there.

waiting    a worker takes it, also after a blank was spoiled
held       an operator looks at what went wrong and lets it go on
made       a card passed quality control; held again when that card will never reach its holder
cancelled  its dossier was rejected after all
"""

from __future__ import annotations

from enum import StrEnum

from issuance_backend.state_table import StateTable

MAX_BATCH = 500
"""Orders of one batch: what one machine makes in a shift's part, and one transaction writes."""

BLANKS_BEFORE_HELD = 3
"""An order that spoiled so many blanks is not tried again before somebody looked."""


class TaskState(StrEnum):
    """Where an order stands in production."""

    WAITING = "waiting"
    HELD = "held"
    MADE = "made"
    CANCELLED = "cancelled"


class TaskEvent(StrEnum):
    """What happens to it."""

    QUEUE = "queue"
    MAKE = "make"
    HOLD = "hold"
    RELEASE = "release"
    REJECT = "reject"
    REOPEN = "reopen"
    CANCEL = "cancel"


TASKS: StateTable[TaskState, TaskEvent] = StateTable(
    {
        (None, TaskEvent.QUEUE): TaskState.WAITING,
        (TaskState.WAITING, TaskEvent.MAKE): TaskState.MADE,
        (TaskState.WAITING, TaskEvent.HOLD): TaskState.HELD,
        (TaskState.HELD, TaskEvent.RELEASE): TaskState.WAITING,
        # An officer sees on a finished card what no program saw.
        (TaskState.MADE, TaskEvent.REJECT): TaskState.WAITING,
        # Destroyed because nobody fetched it, or revoked on its way: made again when an operator says so.
        (TaskState.MADE, TaskEvent.REOPEN): TaskState.HELD,
        (TaskState.HELD, TaskEvent.CANCEL): TaskState.CANCELLED,
    }
)
advance, fold = TASKS.advance, TASKS.fold


class FaultSeen(StrEnum):
    """What a quality officer may see on a card that passed."""

    SURFACE_DAMAGED = "surface_damaged"
    PRINT_FADED = "print_faded"
    CUT_WRONG = "cut_wrong"
    CHIP_LOOSE = "chip_loose"


FAULT_CODES = {fault: f"QC_{fault.name}" for fault in FaultSeen}
"""Under which code each is recorded."""
