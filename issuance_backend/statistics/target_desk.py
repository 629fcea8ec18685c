"""Targets of units and periods: set by whoever leads there, or by the planning service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import UnitUnknown
from issuance_backend.statistics import repository
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.repository import Target
from issuance_backend.statistics.service import require_unit
from issuance_backend.statistics.units import NATION
from issuance_backend.unit_codes import is_unit, lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.statistics import NewTarget, TargetsSet

MAX_TARGETS = 5_000
_MAX_AMOUNT = 10**12
_MAX_BASIS = 200


class TargetDesk:
    """Sets targets; the newest of a counter, unit and period counts, the older ones stay recorded."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set_by_officer(self, officer: Officer, asked: NewTarget) -> TargetsSet:
        """Set one target in the officer's own area; raises RoleMissing, FieldsRefused and UnitUnknown."""
        officer.require(Role.SUPERVISOR, Role.DISTRICT_CHIEF)
        target = _target(asked, officer.id)
        area = officer.area or NATION
        if area != NATION and not lies_in(target.unit, area):
            raise UnitUnknown("not a unit of this officer's area")
        return self._set([target], is_known=True)

    def set_by_program(self, targets: Sequence[NewTarget], program: str) -> TargetsSet:
        """Set targets of a whole plan; raises FieldsRefused, and then sets none."""
        checked = [
            _target(target, program, f"{index}.") for index, target in enumerate(targets[: MAX_TARGETS + 1])
        ]
        if not 0 < len(checked) <= MAX_TARGETS:
            raise FieldsRefused({"targets": "FIELD_TOO_LONG" if checked else "FIELD_MISSING"})
        return self._set(checked, is_known=False)

    def _set(self, targets: Sequence[Target], *, is_known: bool) -> TargetsSet:
        moment = self._clock()
        with self._database.writing() as connection:
            for target in targets:
                if is_known:
                    require_unit(connection, target.unit, target.ends_on)
                repository.add_target(connection, target, moment)
        return TargetsSet(len(targets))


def _target(asked: NewTarget, set_by: str, place: str = "") -> Target:
    """What is to be set; ``place`` begins the names of fields that are refused."""
    starts_on, ends_on = _day(asked.starts_on), _day(asked.ends_on)
    counters = {counter.id for counter in vocabulary().counters}
    basis = asked.basis.strip()
    wrong = {
        "starts_on": "FIELD_DATE" if starts_on is None else None,
        "ends_on": "FIELD_DATE" if ends_on is None or (starts_on and ends_on < starts_on) else None,
        "definition": None if asked.definition in counters else "FIELD_CHARACTERS",
        "unit": None if asked.unit == NATION or is_unit(asked.unit) else "FIELD_CHARACTERS",
        "amount": None if 0 < asked.amount <= _MAX_AMOUNT else "FIELD_CHARACTERS",
        "basis": ("FIELD_TOO_LONG" if basis else "FIELD_MISSING")
        if not 0 < len(basis) <= _MAX_BASIS
        else None,
    }
    faults = {f"{place}{name}": fault for name, fault in wrong.items() if fault}
    if faults or starts_on is None or ends_on is None:
        raise FieldsRefused(faults)
    return Target(
        definition=asked.definition,
        unit=asked.unit,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=asked.amount,
        basis=basis,
        set_by=set_by,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
