"""The four indices counted form by form, beside the counts that every change of a form keeps."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import select

from issuance_backend.population_registry.dc01.index_desk import _by_line, _lines, index_of
from issuance_backend.population_registry.dc01.index_repository import _FIELDS, _on
from issuance_backend.population_registry.dc01.measures import (
    NO_DAY,
    IndexName,
    Measure,
    Standing,
    fresh_from,
)
from issuance_backend.population_registry.dc01.tables import STANDINGS
from tests.support.dc01_office import Dc01Office
from verification.messages.dc01 import QualityIndex
from verification.messages.national_time import vietnam_date


def recounted(office: Dc01Office, day: date | None = None) -> tuple[QualityIndex, ...]:
    """The nation's indices of a day, and those of every unit right below."""
    as_of = day or vietnam_date(office.now)
    counts: Counter[tuple[str, Measure]] = Counter()
    with office.database.reading() as connection:
        register = office.units.register_in(connection)
        for row in connection.execute(select(STANDINGS).where(_on(as_of))):
            standing = Standing(**{name: row._mapping[name] for name in _FIELDS})
            counts.update((standing.unit, measure) for measure in _counted_on(standing, as_of))
    by_line = _by_line(counts, register, as_of)
    return tuple(
        index_of(unit, name, found, as_of) for unit, found in _lines(by_line, "") for name in IndexName
    )


def _counted_on(standing: Standing, day: date) -> set[Measure]:
    return {
        measure for measure, when in standing.counted() if when == NO_DAY or fresh_from(day) <= when <= day
    }
