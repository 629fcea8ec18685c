"""Targets: what they need a day, what the present pace makes of them, who is ahead. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from issuance_backend.statistics.definitions import percentage, rounded
from issuance_backend.statistics.units import unit_name
from verification.messages.statistics import TargetFigure

PACE_DAYS = 7
"""The present pace is that of a whole week, so that a Sunday changes nothing."""

FAR = date(9999, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A target, what was done in its period up to a day, and in the last days of that."""

    definition: str
    unit: str
    starts_on: date
    ends_on: date
    target: int
    done: int
    lately: int
    lately_days: int
    basis: str
    set_by: str


def target_figure(progress: Progress, today: date) -> TargetFigure:
    """A target on a day; ranks are given by :func:`ranked`."""
    left = max(0, (progress.ends_on - today).days)
    missing = max(0, progress.target - progress.done)
    days = max(1, progress.lately_days)
    return TargetFigure(
        definition=progress.definition,
        unit=progress.unit,
        unit_name=unit_name(progress.unit),
        starts_on=progress.starts_on.isoformat(),
        ends_on=progress.ends_on.isoformat(),
        target=progress.target,
        done=progress.done,
        percent=_text(percentage(progress.done, progress.target)),
        days_left=left,
        needed_a_day=_text(rounded(Decimal(missing) / left, 1)) if left else None,
        pace_a_day=str(rounded(Decimal(progress.lately) / days, 1)),
        # In whole numbers: a seventh has no end as a decimal.
        projected=progress.done + progress.lately * left // days,
        reached_on=_reached(missing, (progress.lately, days), today),
        is_over_target=progress.done > progress.target,
        rank=0,
        basis=progress.basis,
        set_by=progress.set_by,
    )


def ranked(figures: Iterable[TargetFigure]) -> tuple[TargetFigure, ...]:
    """Targets by the share that is done, the farthest first; equal shares have equal ranks."""
    ordered = sorted(figures, key=lambda each: (each.definition, -_share(each), each.unit))
    found: list[TargetFigure] = []
    for each in ordered:
        peers = [other for other in ordered if other.definition == each.definition]
        rank = 1 + sum(_share(other) > _share(each) for other in peers)
        found.append(msgspec.structs.replace(each, rank=rank))
    return tuple(found)


def _reached(missing: int, pace: tuple[int, int], today: date) -> str | None:
    lately, days = pace
    if not missing:
        return today.isoformat()
    if not lately:
        return None
    needed = -(-missing * days // lately)
    return (today + timedelta(days=needed)).isoformat() if needed < (FAR - today).days else None


def _share(each: TargetFigure) -> Decimal:
    return Decimal(each.done) / Decimal(each.target) if each.target else Decimal(0)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
