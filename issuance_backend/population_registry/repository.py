"""The SQL of the population registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.tables import PERSONS
from verification.messages.person_query import LifeStatus

_FIELDS = [PERSONS.c[name] for name in RegistryPerson.__dataclass_fields__]


def person(connection: Connection, citizen_number: str) -> RegistryPerson | None:
    """The entry for a number."""
    row = connection.execute(select(*_FIELDS).where(PERSONS.c.citizen_number == citizen_number)).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    return RegistryPerson(**{**values, "life_status": LifeStatus(values["life_status"])})


def add(connection: Connection, persons: Iterable[RegistryPerson], moment: datetime) -> int:
    """Write new entries and return how many; a number that stands already is a constraint fault."""
    rows = [{**asdict(entry), "recorded_at": rfc3339(moment)} for entry in persons]
    if rows:
        connection.execute(insert(PERSONS), rows)
    return len(rows)


def count(connection: Connection) -> int:
    """How many persons the registry holds."""
    return connection.execute(select(func.count()).select_from(PERSONS)).scalar_one()


def numbers_taken(connection: Connection) -> set[str]:
    """Every number that was ever issued: none may be issued twice."""
    return set(connection.execute(select(PERSONS.c.citizen_number)).scalars())


def record_life_status(connection: Connection, entry: RegistryPerson) -> None:
    """Write the life status of a person who stands in the registry."""
    connection.execute(
        update(PERSONS)
        .where(PERSONS.c.citizen_number == entry.citizen_number)
        .values(life_status=entry.life_status, life_status_since=entry.life_status_since)
    )
