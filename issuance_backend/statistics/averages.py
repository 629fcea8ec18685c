"""Averages and bands of one moment: what was measured, how long states took, how good parts are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from issuance_backend.statistics.definitions import Vocabulary, rounded
from issuance_backend.statistics.domain import band_of, measured_of, out_of, spent_in, sum_of
from issuance_backend.statistics.figures import Figures, time_names
from verification.messages.statistics import (
    AverageFigure,
    BandFigure,
    IdentityCheck,
    PartFigure,
    TurnaroundFigure,
)

_MINUTE = 60


def measure_names(words: Vocabulary) -> list[str]:
    """The figures that averages are made of."""
    return [name for each in words.measures for name in (measured_of(each.id), sum_of(each.id))]


def band_names(words: Vocabulary) -> list[str]:
    """The figures of every band that is defined."""
    return [
        band_of(each.id, part, band)
        for each in words.distributions
        for part in each.parts
        for band in each.bands
    ]


def averages(now: Figures, before: Figures, area: str, words: Vocabulary) -> tuple[AverageFigure, ...]:
    """Every measure that was taken in an area, in all and since another moment."""
    return tuple(_averages(now, before, area, words))


def _averages(now: Figures, before: Figures, area: str, words: Vocabulary) -> Iterator[AverageFigure]:
    for each in words.measures:
        names = measured_of(each.id), sum_of(each.id)
        measured, total = (now.amount(area, name) for name in names)
        earlier, earlier_total = (before.amount(area, name) for name in names)
        lately, lately_total = measured - earlier, total - earlier_total
        if measured:
            yield AverageFigure(
                definition=each.id,
                version=each.version,
                measured=measured,
                total=total,
                average=_average(total, measured * each.per, each.places),
                measured_in_period=lately,
                total_in_period=lately_total,
                average_in_period=_average(lately_total, lately * each.per, each.places),
            )


def turnarounds(
    now: Figures, before: Figures, area: str, at: Iterable[tuple[str, str]]
) -> tuple[TurnaroundFigure, ...]:
    """How long every state of an area took that anything has left."""
    found = []
    for kind, state in at:
        names = out_of(kind, state), spent_in(kind, state)
        left, seconds = (now.amount(area, name) for name in names)
        lately, lately_seconds = (
            amount - before.amount(area, name) for amount, name in zip((left, seconds), names, strict=True)
        )
        if left:
            found.append(
                TurnaroundFigure(
                    kind=kind,
                    state=state,
                    left=left,
                    seconds=seconds,
                    average_minutes=_average(seconds, left * _MINUTE, 1),
                    left_in_period=lately,
                    seconds_in_period=lately_seconds,
                    average_minutes_in_period=_average(lately_seconds, lately * _MINUTE, 1),
                )
            )
    return tuple(found)


def parts(now: Figures, before: Figures, area: str, words: Vocabulary) -> tuple[PartFigure, ...]:
    """Every part of every distribution of an area of which there is anything, in all its bands."""
    found = []
    for each in words.distributions:
        for part in each.parts:
            bands = tuple(_band(now, before, area, band_of(each.id, part, band)) for band in each.bands)
            if whole := sum(band.to_date for band in bands):
                found.append(PartFigure(each.id, each.version, part, whole, bands))
    return tuple(found)


def every_stay_was_timed(now: Figures, area: str, at: Sequence[tuple[str, str]]) -> IdentityCheck:
    """What left a state is in exactly one of the buckets of the time it had been there."""
    stays = {
        f"{kind}.{state}": (
            sum(now.amount(area, name) for name in time_names([(kind, state)])),
            now.amount(area, out_of(kind, state)),
        )
        for kind, state in at
    }
    broken = tuple(place for place, (timed, left) in stays.items() if timed != left)
    return IdentityCheck("every_stay_was_timed", sum(map(any, stays.values())), broken)


def _band(now: Figures, before: Figures, area: str, name: str) -> BandFigure:
    to_date = now.amount(area, name)
    return BandFigure(name.rpartition(".")[2], to_date, to_date - before.amount(area, name))


def _average(total: int, of: int, places: int) -> str | None:
    return str(rounded(Decimal(total) / Decimal(of), places)) if of else None
