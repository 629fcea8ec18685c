"""The SQL of administrative units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, delete, func, insert, select

from issuance_backend.population_registry.units.domain import Succession, Unit, UnitLevel
from issuance_backend.population_registry.units.tables import STAFFING, SUCCESSIONS, UNITS
from issuance_backend.schema import EVENTS


def units(connection: Connection) -> list[Unit]:
    """Every unit that was loaded."""
    rows = connection.execute(select(UNITS))
    return [
        Unit(row.code, UnitLevel(row.level), row.name, row.valid_from, row.valid_to, row.legal_basis)
        for row in rows
    ]


def successions(connection: Connection) -> list[Succession]:
    """What became of the units that were loaded."""
    rows = connection.execute(select(SUCCESSIONS))
    return [Succession(row.code, row.successor, row.on_day, row.legal_basis) for row in rows]


def put_units(connection: Connection, loaded: Iterable[Unit]) -> None:
    """Write units; one that stands with the same code and first day is replaced."""
    for unit in loaded:
        same = (UNITS.c.code == unit.code) & (UNITS.c.valid_from == unit.valid_from)
        connection.execute(delete(UNITS).where(same))
        connection.execute(
            insert(UNITS).values(
                code=unit.code,
                valid_from=unit.valid_from,
                valid_to=unit.valid_to,
                level=unit.level.value,
                name=unit.name,
                legal_basis=unit.legal_basis,
            )
        )


def put_successions(connection: Connection, loaded: Iterable[Succession]) -> None:
    """Write successions; one that stands is replaced."""
    columns = SUCCESSIONS.c
    for entry in loaded:
        same = (columns.code == entry.code) & (columns.successor == entry.successor)
        connection.execute(delete(SUCCESSIONS).where(same, columns.on_day == entry.on))
        connection.execute(
            insert(SUCCESSIONS).values(
                code=entry.code,
                successor=entry.successor,
                on_day=entry.on,
                legal_basis=entry.legal_basis,
            )
        )


def put_staffing(connection: Connection, code: str, counted_on: date, officers: int) -> None:
    """Write how many officers served in a unit on a day."""
    columns = STAFFING.c
    connection.execute(delete(STAFFING).where(columns.code == code, columns.counted_on == counted_on))
    connection.execute(insert(STAFFING).values(code=code, counted_on=counted_on, officers=officers))


def staffing(connection: Connection, day: date) -> dict[str, int]:
    """The last count of officers before or on a day, by unit."""
    columns = STAFFING.c
    newest = (
        select(columns.code, func.max(columns.counted_on).label("counted_on"))
        .where(columns.counted_on <= day)
        .group_by(columns.code)
        .subquery()
    )
    same = (columns.code == newest.c.code) & (columns.counted_on == newest.c.counted_on)
    rows = connection.execute(select(columns.code, columns.officers).select_from(STAFFING.join(newest, same)))
    return {row.code: row.officers for row in rows}


def newest_load(connection: Connection, subject: str) -> int:
    """The number of the step that last changed the register, 0 before the first."""
    question = select(func.max(EVENTS.c.sequence)).where(EVENTS.c.subject == subject)
    return int(connection.execute(question).scalar_one() or 0)
