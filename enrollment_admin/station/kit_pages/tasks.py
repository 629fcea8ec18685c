"""What is to be done next with a capture; each task is a page."""

from __future__ import annotations

from enum import StrEnum

from enrollment_admin.station.capture_desk import Draft
from enrollment_admin.station.capture_rules import PORTRAIT
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftState


class Task(StrEnum):
    """The pages of a capture in the order of the work; a portrait and a signature are kept as items."""

    DECLARATION = "declaration"
    PARTICULARS = "particulars"
    PORTRAIT = "portrait"
    FORM = "form"
    SIGNATURE = "signature"
    SEAL = "seal"
    SLIP = "slip"


def next_task(draft: Draft) -> Task:
    """The first thing that is not done."""
    if draft.state not in AT_THE_DESK:
        return Task.SLIP
    if draft.citizen_number is None:
        return Task.DECLARATION
    if set(draft.missing) - {Task.PORTRAIT, Task.SIGNATURE}:
        return Task.PARTICULARS
    if draft.state is DraftState.DRAFT or not has_portrait(draft):
        return Task.PORTRAIT
    if draft.state is DraftState.CAPTURED:
        return Task.FORM
    return Task.SIGNATURE if draft.missing else Task.SEAL


def open_tasks(draft: Draft) -> tuple[Task, ...]:
    """The pages that have something to do: what comes next, and what was done and may be done again."""
    due = next_task(draft)
    if due in {Task.DECLARATION, Task.SLIP}:
        return (due,)
    return tuple(Task)[1 : tuple(Task).index(due) + 1]


def has_portrait(draft: Draft) -> bool:
    """Whether a portrait is here, which no centre does without, whatever the form says."""
    return any(each.name == PORTRAIT for each in draft.items)


def is_registered(draft: Draft) -> bool:
    """Whether the particulars are the registry's."""
    return draft.answer is not None and draft.answer.person is not None


def needs_supervisor(draft: Draft) -> bool:
    """Whether somebody answers for what was not captured or could not be checked."""
    return bool(draft.exceptions) or (draft.answer is not None and draft.answer.needs_exception)
