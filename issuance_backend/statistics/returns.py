"""Whose captures came back, and for what: the first answer to how well captures are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from issuance_backend.statistics.definitions import percentage
from verification.messages.statistics import ReturnLine

CAPTURED, RETURNED = ("capture", "receive"), "return"
"""The recorded events of a dossier that begin a capture, online or by a packet, and that send it back."""


@dataclass(frozen=True, slots=True)
class Span:
    """The recorded steps of a period, by their numbers."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class StepOfCapture:
    """A capture or a return; a packet's names its kit, a return its items."""

    sequence: int
    dossier: str
    event: str
    actor: str
    detail: Mapping[str, str]


@dataclass(slots=True)
class _Tally:
    captured: int = 0
    returned: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def return_lines(steps: Iterable[StepOfCapture], span: Span) -> tuple[ReturnLine, ...]:
    """Officer by officer and kit by kit: captures of the span, and how many of those were sent back.

    A dossier that is captured again counts again, for whoever captured it then. What was sent back twice
    before it was captured again came back once, for all the items together. Steps come dossier by dossier.
    """
    tallies: dict[tuple[str, str | None], _Tally] = {}
    for _, of_dossier in groupby(steps, attrgetter("dossier")):
        for capture, items in _captures(of_dossier):
            if capture.sequence >= span.first:
                tally = tallies.setdefault((capture.actor, capture.detail.get("kit")), _Tally())
                tally.captured += 1
                tally.returned += bool(items)
                tally.reasons.update(items)
    return tuple(
        _line(officer, kit, tally)
        for (officer, kit), tally in sorted(tallies.items(), key=lambda each: (each[0][0], each[0][1] or ""))
    )


def _captures(steps: Iterable[StepOfCapture]) -> list[tuple[StepOfCapture, set[str]]]:
    """The captures of one dossier, each with the items that it was sent back for."""
    found: list[tuple[StepOfCapture, set[str]]] = []
    for step in steps:
        if step.event in CAPTURED:
            found.append((step, set()))
        elif found:
            found[-1][1].update(step.detail["items"].split(","))
    return found


def _line(officer: str, kit: str | None, tally: _Tally) -> ReturnLine:
    percent = percentage(tally.returned, tally.captured)
    return ReturnLine(
        officer=officer,
        kit=kit,
        captured=tally.captured,
        returned=tally.returned,
        percent=None if percent is None else str(percent),
        reasons=dict(sorted(tally.reasons.items())),
    )
