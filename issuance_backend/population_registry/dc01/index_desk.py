"""The desk that says how good the data of a commune are: đúng, đủ, sạch, sống, and exactly what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from issuance_backend.moments import Clock
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry.dc01 import index_repository
from issuance_backend.population_registry.dc01.measures import DEFINITIONS, IndexName, Measure
from issuance_backend.population_registry.units.domain import NATION, UNKNOWN, UnitRegister, lies_in
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import UnitUnknown
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.dc01 import FailingForm, QualityIndex
from verification.messages.national_time import vietnam_date

Counts = Mapping[tuple[str, Measure], int]


class IndexDesk:
    """Reads the counts that every change of a form wrote in its own transaction."""

    def __init__(self, database: Database, clock: Clock, units: UnitOffice) -> None:
        self._database = database
        self._clock = clock
        self._units = units

    def indices(self, area: str, day: date | None) -> tuple[QualityIndex, ...]:
        """The indices of an area and of every unit right below it that has forms, by the map of the day.

        Raises UnitUnknown for an area that was not on that map, FieldsRefused for a day to come.
        """
        as_of = self._day(day)
        with self._database.reading() as connection:
            register = self._units.register_in(connection)
            stored = index_repository.stored(connection, as_of)
        _require_area(register, area, as_of)
        by_line = _by_line(stored, register, as_of)
        return tuple(
            index_of(unit, name, counts, as_of)
            for unit, counts in _lines(by_line, area)
            for name in IndexName
        )

    def failing(self, area: str, index: IndexName, day: date | None, asked: PageAsked) -> Page[FailingForm]:
        """Exactly the forms that an index of an area counts against on a day."""
        as_of = self._day(day)
        with self._database.reading() as connection:
            register = self._units.register_in(connection)
            _require_area(register, area, as_of)
            recorded = [
                unit
                for unit in index_repository.units_counted(connection)
                if _stands_in(register, unit, area, as_of)
            ]
            units = None if area == NATION else recorded
            found = index_repository.failing(connection, index, units, as_of, asked)
        forms = [
            FailingForm(form=form, barcode=barcode, unit=register.line(unit, as_of), reasons=reasons)
            for form, barcode, unit, reasons in found
        ]
        return page_of(forms, asked, lambda form: (form.form,))

    def _day(self, day: date | None) -> date:
        today = vietnam_date(self._clock())
        if day is not None and day > today:
            raise FieldsRefused({"on": "FIELD_DATE"})
        return day or today


def index_of(unit: str, name: IndexName, counts: Mapping[Measure, int], as_of: date) -> QualityIndex:
    """One index out of the counts of a unit."""
    definition = DEFINITIONS[name]
    numerator, denominator = counts.get(definition.numerator, 0), counts.get(definition.denominator, 0)
    return QualityIndex(
        unit=unit,
        index=name.value,
        definition=definition.id,
        numerator=numerator,
        denominator=denominator,
        value=round(numerator / denominator, 6) if denominator else None,
        as_of=as_of,
    )


def _by_line(counts: Counts, register: UnitRegister, day: date) -> dict[str, Counter[Measure]]:
    lines: dict[str, Counter[Measure]] = {}
    for (unit, measure), amount in counts.items():
        lines.setdefault(register.line(unit, day), Counter())[measure] += amount
    return lines


def _lines(by_line: Mapping[str, Counter[Measure]], area: str) -> Iterable[tuple[str, Mapping[Measure, int]]]:
    """The area itself, then what lies right below it; forms of the area that lie no deeper are in its own."""
    sums: dict[str, Counter[Measure]] = {area: Counter()}
    depth = area.count(".") + 1 if area != NATION else 0
    for line, counts in sorted(by_line.items()):
        if lies_in(line, area):
            sums[area] += counts
            below = ".".join(line.split(".")[: depth + 1])
            if below != area:
                sums.setdefault(below, Counter()).update(counts)
    return sums.items()


def _stands_in(register: UnitRegister, unit: str, area: str, day: date) -> bool:
    return lies_in(register.line(unit, day), area)


def _require_area(register: UnitRegister, area: str, day: date) -> None:
    if area not in {NATION, UNKNOWN} and register.unit(area, day) is None:
        raise UnitUnknown("no such unit on that day")
