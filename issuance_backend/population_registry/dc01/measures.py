"""What of a form the indices count, and the four indices as numerator over denominator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuance_backend.population_registry.dc01.domain import CLEAN_STATES, Form, FormState

NO_DAY = date.min
_YEARS = 2


class Measure(StrEnum):
    """Something that is counted of forms."""

    PLANNED = "planned"
    COLLECTED = "collected"
    KEYED = "keyed"
    COMPLETE = "complete"
    CHECKED = "checked"
    RIGHT = "right"
    CLEAN = "clean"
    CONFIRMED = "confirmed"


class IndexName(StrEnum):
    """Đúng, đủ, sạch, sống; and, before them, how far collecting has come."""

    DUNG = "dung"
    DU = "du"
    SACH = "sach"
    SONG = "song"
    THU_THAP = "thu-thap"


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """Which count over which; the id changes with the meaning."""

    id: str
    numerator: Measure
    denominator: Measure


DEFINITIONS: Mapping[IndexName, IndexDefinition] = {
    # Of the forms keyed blindly a second time: those the first clerk had read right in every field.
    IndexName.DUNG: IndexDefinition("dung-1", Measure.RIGHT, Measure.CHECKED),
    # Of the forms keyed: those with every mandatory field.
    IndexName.DU: IndexDefinition("du-1", Measure.COMPLETE, Measure.KEYED),
    # Of the forms keyed: those that passed their batch and contradict nothing.
    IndexName.SACH: IndexDefinition("sach-1", Measure.CLEAN, Measure.KEYED),
    # Of the clean ones: those with a confirmed event in the last 24 months.
    IndexName.SONG: IndexDefinition("song-1", Measure.CONFIRMED, Measure.CLEAN),
    # Of the residents on the list: those whose form was collected.
    IndexName.THU_THAP: IndexDefinition("thu-thap-1", Measure.COLLECTED, Measure.PLANNED),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What of one form is counted; ``reasons`` say why it fails where it does."""

    unit: str
    collected: bool
    keyed: bool
    complete: bool
    checked_right: bool | None
    clean: bool
    confirmed_on: date | None
    reasons: tuple[str, ...]

    def counted(self) -> Iterable[tuple[Measure, date]]:
        """Every count that the form is one of."""
        flags = {
            Measure.PLANNED: True,
            Measure.COLLECTED: self.collected,
            Measure.KEYED: self.keyed,
            Measure.COMPLETE: self.complete,
            Measure.CHECKED: self.checked_right is not None,
            Measure.RIGHT: bool(self.checked_right),
            Measure.CLEAN: self.clean,
        }
        yield from ((measure, NO_DAY) for measure, is_one in flags.items() if is_one)
        if self.clean and self.confirmed_on is not None:
            yield Measure.CONFIRMED, self.confirmed_on


def standing_of(form: Form) -> Standing:
    """What of a form counts now."""
    keyed = form.values is not None
    clean = form.state in CLEAN_STATES
    reasons = (*form.missing, *form.findings, *form.conflicts) if keyed else ()
    if keyed and not clean and form.state is not FormState.CONFLICT:
        reasons = (*reasons, f"STATE:{form.state}")
    return Standing(
        unit=form.unit,
        collected=form.state is not FormState.PLANNED,
        keyed=keyed,
        complete=keyed and not form.missing,
        checked_right=form.checked_right,
        clean=clean,
        confirmed_on=form.confirmed_on,
        reasons=tuple(dict.fromkeys(reasons)),
    )


def changes(before: Standing | None, after: Standing) -> dict[tuple[str, Measure, date], int]:
    """By how much each count changes when a form's standing does."""
    counts: Counter[tuple[str, Measure, date]] = Counter()
    for standing, amount in ((before, -1), (after, 1)):
        if standing is not None:
            for measure, when in standing.counted():
                counts[standing.unit, measure, when] += amount
    return {key: amount for key, amount in counts.items() if amount}


def fresh_from(day: date) -> date:
    """The first day on which an event keeps a record living until ``day``: 24 months before it."""
    try:
        return day.replace(year=day.year - _YEARS)
    except ValueError:
        return date(day.year - _YEARS, 3, 1)
