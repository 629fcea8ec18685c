"""The office that keeps the map: which units there were on any day."""

from __future__ import annotations

import hashlib
from datetime import date

import msgspec
from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.units import repository
from issuance_backend.population_registry.units.domain import (
    NATION,
    OPEN_END,
    Succession,
    Unit,
    UnitLevel,
    UnitRegister,
    national_units,
)
from issuance_backend.refusals import UnitTablesRefused, UnitUnknown
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.dc01 import LineOfUnit, StaffingGap, UnitTables, UnitView
from verification.messages.national_time import vietnam_date

LEAST_OFFICERS = 5
"""Regular officers that every commune is to have (the campaign's own rule)."""

_SUBJECT = "units/register"


class UnitOffice:
    """Owns the transactions around administrative units."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[int, UnitRegister] | None = None

    def load(self, tables: UnitTables, actor: str) -> int:
        """Add units and successions, all or none; the same file twice changes nothing; returns how many.

        Raises UnitTablesRefused when the whole map would not fit together any more.
        """
        units, successions = _read(tables)
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            repository.put_units(connection, units)
            repository.put_successions(connection, successions)
            _whole(connection)
            digest = hashlib.sha256(msgspec.json.encode(tables)).hexdigest()
            detail = {"units": str(len(units)), "successions": str(len(successions)), "sha256": digest}
            journal.record(
                connection,
                Step(
                    subject=_SUBJECT,
                    event="load",
                    state="loaded",
                    actor=actor,
                    at=rfc3339(moment),
                    detail=detail,
                ),
            )
        return len(units)

    def register(self) -> UnitRegister:
        """The map as it is loaded now: the packaged provinces and everything added to them."""
        with self._database.reading() as connection:
            return self.register_in(connection)

    def register_in(self, connection: Connection) -> UnitRegister:
        """The map as a transaction sees it."""
        newest = repository.newest_load(connection, _SUBJECT)
        if self._known is None or self._known[0] != newest:
            self._known = newest, _whole(connection)
        return self._known[1]

    def codes_in(self, connection: Connection, area: str | None) -> list[str] | None:
        """The codes under which the work of an area is filed, as units stand today; None for the nation."""
        if not area:
            return None
        return self.register_in(connection).codes_in(area, vietnam_date(self._clock()))

    def under(self, parent: str, day: date) -> tuple[UnitView, ...]:
        """The units right below another on a day, or the provinces; raises UnitUnknown."""
        register = self.register()
        if parent != NATION and register.unit(parent, day) is None:
            raise UnitUnknown("no such unit on that day")
        return tuple(_view(unit) for unit in register.under(parent, day))

    def versions(self, code: str) -> tuple[UnitView, ...]:
        """A unit under every name it had, oldest first; none for a code never used."""
        return tuple(_view(unit) for unit in self.register().versions(code))

    def line(self, code: str, day: date) -> LineOfUnit:
        """Where a record filed under a code stands on a day; raises UnitUnknown for a code never used."""
        register = self.register()
        if not register.is_known(code):
            raise UnitUnknown("there never was such a unit")
        line = register.line(code, day)
        unit = register.unit(line, day)
        levels = {version.level for version in register.versions(code)}
        return LineOfUnit(
            code=code,
            on=day,
            line=line,
            name=unit.name if unit else None,
            is_its_own=unit is not None and unit.level in levels,
        )

    def count_officers(self, code: str, counted_on: date, officers: int, actor: str) -> None:
        """Record how many officers serve in a commune; raises UnitUnknown, FieldsRefused."""
        if not 0 <= officers <= 10_000:
            raise FieldsRefused({"officers": "FIELD_CHARACTERS"})
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            if self.register_in(connection).unit(code, counted_on) is None:
                raise UnitUnknown("no such unit on that day")
            repository.put_staffing(connection, code, counted_on, officers)
            step = journal.step(f"unit/{code}", "count_officers", "counted", actor, moment)
            journal.record(connection, step)

    def understaffed(self, area: str, day: date) -> tuple[StaffingGap, ...]:
        """Communes of an area with fewer officers than the rule asks; uncounted ones stand with None."""
        with self._database.reading() as connection:
            counted = repository.staffing(connection, day)
            communes = self.register_in(connection).communes(area, day)
        gaps = ((unit, counted.get(unit.code)) for unit in communes)
        return tuple(
            StaffingGap(code=unit.code, name=unit.name, officers=officers, least=LEAST_OFFICERS)
            for unit, officers in gaps
            if officers is None or officers < LEAST_OFFICERS
        )


def _whole(connection: Connection) -> UnitRegister:
    units, successions = national_units()
    loaded = repository.units(connection)
    replaced = {(unit.code, unit.valid_from) for unit in loaded}
    units = [unit for unit in units if (unit.code, unit.valid_from) not in replaced]
    found = {*successions, *repository.successions(connection)}
    return UnitRegister([*units, *loaded], found)


def _read(tables: UnitTables) -> tuple[list[Unit], list[Succession]]:
    try:
        units = [
            Unit(
                entry.code,
                UnitLevel(entry.level),
                entry.name,
                entry.valid_from,
                entry.valid_to or OPEN_END,
                entry.legal_basis,
            )
            for entry in tables.units
        ]
    except ValueError:
        raise UnitTablesRefused("a level is none of province, district, commune") from None
    return units, [
        Succession(entry.code, entry.successor, entry.on, entry.legal_basis) for entry in tables.successions
    ]


def _view(unit: Unit) -> UnitView:
    return UnitView(
        code=unit.code,
        level=unit.level.value,
        name=unit.name,
        valid_from=unit.valid_from,
        valid_to=None if unit.valid_to == OPEN_END else unit.valid_to,
        legal_basis=unit.legal_basis,
    )
