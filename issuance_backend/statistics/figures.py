"""The figures of one moment as they were read; shares, limits, times and identities follow. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from issuance_backend.statistics.definitions import Amount, Clock, Vocabulary, percentage, quotient, rounded
from issuance_backend.statistics.domain import BUCKETS, bucket_limit, cause_of, count_of, into, out_of
from issuance_backend.statistics.units import members_of
from verification.messages.statistics import (
    CauseFigure,
    ClockFigure,
    IdentityCheck,
    ShareFigure,
    StageFigure,
    StockFigure,
)

Sums = Mapping[tuple[str, str], int]
"""Amounts by (unit, figure), each unit with everything below it."""

CLOCK_PARTS = ("start", "pause", "resume", "on_time", "late", "ended", "came_late", "left_late")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted up to one moment; ``missed`` is what fell due before that day, by (unit, clock)."""

    day: date
    as_of: str
    sums: Sums
    missed: Sums

    def amount(self, area: str, figure: str) -> int:
        """How much of a figure an area has, its provinces grouped as they are drawn on the day."""
        return sum(self.sums.get((unit, figure), 0) for unit in members_of(area, self.day))

    def missed_in(self, area: str, clock: str) -> int:
        """How much of a clock fell due in an area and was not done with in time."""
        return sum(self.missed.get((unit, clock), 0) for unit in members_of(area, self.day))

    def counters(self, area: str, words: Vocabulary) -> dict[str, Amount]:
        """Every counter of an area."""
        return {
            counter.id: Amount(counter.id, self.amount(area, count_of(counter.id)), self.as_of)
            for counter in words.counters
        }


def shares(figures: Figures, area: str, words: Vocabulary) -> tuple[ShareFigure, ...]:
    """Every share of an area that has a denominator."""
    amounts = figures.counters(area, words)
    formed = (quotient(share, amounts[share.part], amounts[share.whole]) for share in words.shares)
    return tuple(
        ShareFigure(each.share.id, each.share.version, each.part, each.whole, _text(each.percent))
        for each in formed
        if each.whole
    )


def stocks(figures: Figures, area: str, places: Iterable[tuple[str, str]]) -> tuple[StockFigure, ...]:
    """What came into each state of an area, went out, and is there."""
    found = []
    for kind, state in places:
        entered, left = figures.amount(area, into(kind, state)), figures.amount(area, out_of(kind, state))
        if entered:
            found.append(StockFigure(kind, state, entered, left, entered - left))
    return tuple(found)


def places(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The (kind, state) pairs that anything ever came into, by the names of figures."""
    found = (name.split(".", 2) for name in names)
    return tuple(sorted((parts[1], parts[2]) for parts in found if parts[0] == "in"))


def cause_names(names: Iterable[str], words: Vocabulary) -> tuple[str, ...]:
    """The figures of every code that was ever named, in the order of the definitions."""
    known = sorted(names)
    return tuple(name for cause in words.causes for name in known if name.startswith(cause_of(cause.id, "")))


def causes(
    now: Figures, before: Figures, area: str, names: Iterable[str], words: Vocabulary
) -> tuple[CauseFigure, ...]:
    """How often each code was named in an area, in all and since another moment; the most frequent first."""
    versions = {cause.id: cause.version for cause in words.causes}
    found = []
    for name in names:
        _, cause, code = name.split(".")
        if amount := now.amount(area, name):
            lately = amount - before.amount(area, name)
            found.append(CauseFigure(cause, versions[cause], code, amount, lately))
    order = list(versions)
    return tuple(sorted(found, key=lambda each: (order.index(each.definition), -each.to_date, each.code)))


def clock_figure(figures: Figures, area: str, clock: Clock) -> ClockFigure:
    """How an area keeps one time limit: every one that was started is in exactly one of six places."""
    parts = {part: figures.amount(area, f"clock.{clock.id}.{part}") for part in CLOCK_PARTS}
    paused = parts["pause"] - parts["resume"]
    over = parts["on_time"] + parts["late"] + parts["ended"]
    overdue = figures.missed_in(area, clock.id) + parts["came_late"] - parts["left_late"]
    done = parts["on_time"] + parts["late"]
    on_time = percentage(parts["on_time"], done, 2)
    return ClockFigure(
        definition=clock.id,
        version=clock.version,
        started=parts["start"],
        inside=parts["start"] - over - paused - overdue,
        overdue=overdue,
        paused=paused,
        on_time=parts["on_time"],
        late=parts["late"],
        ended=parts["ended"],
        on_time_percent=_text(on_time),
        # Not rounded by itself: the two are a hundred, as they are the whole.
        late_percent=None if on_time is None else str(100 - on_time),
    )


def time_limits(figures: Figures, area: str, kind: str, state: str) -> tuple[int | None, int | None]:
    """Within how many minutes a half, and nineteen of twenty, left a state; none while nothing has left."""
    counts = [figures.amount(area, f"time.{kind}.{state}.{bucket:02d}") for bucket in range(BUCKETS)]
    return _within(counts, Decimal("0.5")), _within(counts, Decimal("0.95"))


def time_names(at: Iterable[tuple[str, str]]) -> list[str]:
    """The figures that hold how long things stayed in these states."""
    return [f"time.{kind}.{state}.{bucket:02d}" for kind, state in at for bucket in range(BUCKETS)]


def stocks_hold(figures: Figures, areas: Sequence[str], at: Sequence[tuple[str, str]]) -> IdentityCheck:
    """Nothing leaves a state that did not come in.

    As everywhere here, counted is what was there by then: what comes later changes no report of before.
    """
    flows = {
        f"{area or 'nation'}:{kind}.{state}": (
            figures.amount(area, into(kind, state)),
            figures.amount(area, out_of(kind, state)),
        )
        for area in areas
        for kind, state in at
    }
    broken = tuple(place for place, (entered, left) in flows.items() if left > entered)
    return IdentityCheck("stock_not_negative", sum(map(any, flows.values())), broken)


def parts_make_the_whole(
    figures: Figures, area: str, below: Sequence[str], names: Sequence[str]
) -> IdentityCheck:
    """The nation is exactly the sum of its provinces, for every figure."""
    sums = {
        name: (figures.amount(area, name), sum(figures.amount(unit, name) for unit in below))
        for name in names
    }
    broken = tuple(name for name, (whole, parts) in sums.items() if whole != parts)
    return IdentityCheck("nation_is_sum_of_provinces", sum(map(any, sums.values())), broken)


def older_hold(stages: Iterable[StageFigure]) -> IdentityCheck:
    """What has waited longer is a part of what has waited less long, and all of it is there."""
    checked = tuple(stage for stage in stages if stage.older)
    broken = []
    for stage in checked:
        amounts = [stage.stock, *(each.amount for each in stage.older), 0]
        if amounts != sorted(amounts, reverse=True):
            broken.append(f"{stage.kind}.{stage.state}")
    return IdentityCheck("older_are_of_the_stock", len(checked), tuple(broken))


def clocks_hold(clocks: Iterable[ClockFigure]) -> IdentityCheck:
    """Everything that was started is inside, overdue, paused, done on time, done late or ended."""
    checked = tuple(clocks)
    broken = [
        each.definition
        for each in checked
        if min(each.inside, each.overdue, each.paused, each.on_time, each.late, each.ended) < 0
        or each.started != each.inside + each.overdue + each.paused + each.on_time + each.late + each.ended
    ]
    return IdentityCheck("every_clock_in_one_place", len(checked), tuple(broken))


def _within(counts: Sequence[int], share: Decimal) -> int | None:
    whole, seen = sum(counts), 0
    for bucket, count in enumerate(counts):
        seen += count
        if whole and seen >= whole * share:
            return int(bucket_limit(bucket).total_seconds()) // 60
    return None


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def a_day(amount: int, days: int) -> Decimal:
    """So much a day, to one decimal."""
    return rounded(Decimal(amount) / Decimal(days), 1)
