"""The SQL of what the indices are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.dc01.measures import (
    NO_DAY,
    IndexName,
    Measure,
    Standing,
    fresh_from,
)
from issuance_backend.population_registry.dc01.tables import COUNTS, FORMS, STANDINGS

_OPEN_END = date(9999, 12, 31)
_FIELDS = tuple(Standing.__dataclass_fields__)


def stand(connection: Connection, form_id: str, standing: Standing, day: date) -> None:
    """Write what of a form counts from a day on; what counted until then ends on it."""
    columns = STANDINGS.c
    open_one = and_(columns.form == form_id, columns.to_day == _OPEN_END)
    connection.execute(delete(STANDINGS).where(open_one, columns.from_day == day))
    connection.execute(update(STANDINGS).where(open_one).values(to_day=day))
    values = {name: getattr(standing, name) for name in _FIELDS}
    values["reasons"] = msgspec.json.encode(standing.reasons).decode()
    connection.execute(insert(STANDINGS).values(form=form_id, from_day=day, to_day=_OPEN_END, **values))


def count(connection: Connection, changes: Mapping[tuple[str, Measure, date], int], day: date) -> None:
    """Write by how much counts changed on a day."""
    columns = COUNTS.c
    for (unit, measure, confirmed_on), amount in sorted(changes.items()):
        key = {"unit": unit, "measure": measure.value, "recorded_on": day, "confirmed_on": confirmed_on}
        same = and_(*(columns[name] == value for name, value in key.items()))
        done = connection.execute(update(COUNTS).where(same).values(amount=columns.amount + amount))
        if done.rowcount == 0:
            connection.execute(insert(COUNTS).values(**key, amount=amount))


def stored(connection: Connection, day: date) -> dict[tuple[str, Measure], int]:
    """Every count as it stood at the end of a day, by the unit that forms were filed under."""
    columns = COUNTS.c
    ages = and_(columns.confirmed_on >= fresh_from(day), columns.confirmed_on <= day)
    question = (
        select(columns.unit, columns.measure, func.sum(columns.amount))
        .where(columns.recorded_on <= day, or_(columns.confirmed_on == NO_DAY, ages))
        .group_by(columns.unit, columns.measure)
    )
    rows = connection.execute(question)
    return {(unit, Measure(measure)): int(amount) for unit, measure, amount in rows if amount}


def units_counted(connection: Connection) -> list[str]:
    """Every unit that a form was ever filed under."""
    return list(connection.execute(select(COUNTS.c.unit).distinct().order_by(COUNTS.c.unit)).scalars())


def failing(
    connection: Connection, index: IndexName, units: list[str] | None, day: date, asked: PageAsked
) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Form, barcode, unit and reasons of what an index counted against on a day, one more than a page."""
    columns = STANDINGS.c
    question = (
        select(columns.form, FORMS.c.barcode, columns.unit, columns.reasons)
        .select_from(STANDINGS.join(FORMS, FORMS.c.id == columns.form))
        .where(_on(day), _fails(index, day))
    )
    if units is not None:
        question = question.where(columns.unit.in_(units))
    if asked.after is not None:
        question = question.where(columns.form > asked.after[0])
    rows = connection.execute(question.order_by(columns.form).limit(asked.limit + 1))
    return [
        (row.form, row.barcode, row.unit, msgspec.json.decode(row.reasons, type=tuple[str, ...]))
        for row in rows
    ]


def _fails(index: IndexName, day: date) -> ColumnElement[bool]:
    columns = STANDINGS.c
    # Nobody confirmed it in time, or only after the day that is asked about.
    not_fresh = or_(
        columns.confirmed_on.is_(None),
        columns.confirmed_on < fresh_from(day),
        columns.confirmed_on > day,
    )
    conditions: Mapping[IndexName, ColumnElement[bool]] = {
        IndexName.DUNG: columns.checked_right.is_(False),
        IndexName.DU: and_(columns.keyed.is_(True), columns.complete.is_(False)),
        IndexName.SACH: and_(columns.keyed.is_(True), columns.clean.is_(False)),
        IndexName.SONG: and_(columns.clean.is_(True), not_fresh),
        IndexName.THU_THAP: columns.collected.is_(False),
    }
    return conditions[index]


def _on(day: date) -> ColumnElement[bool]:
    return and_(STANDINGS.c.from_day <= day, STANDINGS.c.to_day > day)
