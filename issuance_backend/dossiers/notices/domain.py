"""The notice of a rejection: due with the rejection, made when it is first asked for, then handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources

import msgspec

from issuance_backend.steps import SYSTEM, Step
from verification.messages.enrollment import RecordedStep


class NoticeState(StrEnum):
    """Where a notice is; until it is handed over, it waits for the citizen."""

    DUE = "due"
    MADE = "made"
    HANDED_OVER = "handed_over"


class NoticeTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a notice says of each legal reason, and how to complain."""

    source: str
    reasons: dict[str, str]
    complaint: tuple[str, ...]


@cache
def packaged_texts() -> NoticeTexts:
    """The texts that come with this program."""
    content = resources.files(__package__).joinpath("notice_texts.json").read_bytes()
    return msgspec.json.decode(content, type=NoticeTexts)


def subject(dossier: str) -> str:
    """The name under which a notice's steps are recorded."""
    return f"notice/{dossier}"


def state_of(recorded: Sequence[RecordedStep]) -> NoticeState:
    """Where the notice of a rejected dossier is; what was rejected before there were notices has one due."""
    return NoticeState(recorded[-1].state) if recorded else NoticeState.DUE


def step(dossier: str, state: NoticeState, actor: str, at: str, detail: Mapping[str, str]) -> Step:
    """What is recorded of a notice: it is due, made or handed over."""
    return Step(
        subject=subject(dossier), event=_EVENTS[state], state=state, actor=actor, at=at, detail={**detail}
    )


def owed(dossier: str, unit: str | None, at: str) -> Step:
    """The step that goes with a rejection: its citizen is to be told."""
    return step(dossier, NoticeState.DUE, SYSTEM, at, {"unit": unit} if unit else {})


_EVENTS = {NoticeState.DUE: "owe", NoticeState.MADE: "make", NoticeState.HANDED_OVER: "hand_over"}
