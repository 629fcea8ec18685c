"""What is to be done next with a capture; each task is a page."""

from __future__ import annotations

from enum import StrEnum

from enrollment_admin.station.answering import is_asked
from enrollment_admin.station.capture_rules import PORTRAIT
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftState
from enrollment_admin.station.draft_book import Draft
from verification.messages.asked_prints import FINGERPRINTS


class Task(StrEnum):
    """The pages of a capture in the order of the work; a portrait and a signature are kept as items."""

    DECLARATION = "declaration"
    PARTICULARS = "particulars"
    PORTRAIT = "portrait"
    FINGERPRINTS = FINGERPRINTS
    FORM = "form"
    SIGNATURE = "signature"
    SEAL = "seal"
    SLIP = "slip"


_AROUND = frozenset({Task.DECLARATION, Task.SLIP})
"""Before the work on a capture, and after it."""


def tasks_of(draft: Draft) -> tuple[Task, ...]:
    """The pages that a capture has: an answer to a return has those of what was sent back."""
    taken = {
        Task.PARTICULARS: draft.answers is None or bool(draft.answers.fields),
        Task.PORTRAIT: is_asked(draft.answers, PORTRAIT),
        Task.FINGERPRINTS: bool(draft.fingers or draft.slaps or draft.hand_photos),
    }
    return tuple(task for task in Task if task not in _AROUND and taken.get(task, True))


def next_task(draft: Draft) -> Task:
    """The first thing that is not done."""
    if draft.state not in AT_THE_DESK:
        return Task.SLIP
    if draft.citizen_number is None:
        return Task.DECLARATION
    missing = _first_to_take(draft)
    if missing is not None:
        return missing
    if draft.state is DraftState.CAPTURED:
        return Task.FORM
    return Task.SIGNATURE if draft.missing else Task.SEAL


def _first_to_take(draft: Draft) -> Task | None:
    """The first page on which something of the citizen is still to be taken or typed."""
    missing, prints = set(draft.missing), {*draft.fingers, *draft.slaps, *draft.hand_photos}
    if missing - {Task.PORTRAIT, Task.SIGNATURE, *prints}:
        return Task.PARTICULARS
    if not has_portrait(draft):
        return Task.PORTRAIT
    if missing.intersection(prints):
        return Task.FINGERPRINTS
    return Task.PORTRAIT if draft.state is DraftState.DRAFT else None


def open_tasks(draft: Draft) -> tuple[Task, ...]:
    """The pages that have something to do: what comes next, and what was done and may be done again."""
    due = next_task(draft)
    if due in {Task.DECLARATION, Task.SLIP}:
        return (due,)
    tasks = tasks_of(draft)
    return tasks[: tasks.index(due) + 1]


def has_portrait(draft: Draft) -> bool:
    """Whether a portrait is here, which no centre does without, or the one that it has stands."""
    return any(each.name == PORTRAIT for each in draft.items) or not is_asked(draft.answers, PORTRAIT)


def is_registered(draft: Draft) -> bool:
    """Whether the particulars are the registry's."""
    return draft.answer is not None and draft.answer.person is not None


def needs_supervisor(draft: Draft) -> bool:
    """Whether somebody answers for what was not captured or could not be checked."""
    return bool(draft.exceptions) or (draft.answer is not None and draft.answer.needs_exception)
