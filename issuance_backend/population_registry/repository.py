"""The SQL of the population registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, insert, or_, select, update

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


def update_fields(connection: Connection, citizen_number: str, values: Mapping[str, object]) -> None:
    """Write changed fields of an entry; ``recorded_at`` stays the moment of its first registration."""
    connection.execute(
        update(PERSONS).where(PERSONS.c.citizen_number == citizen_number).values(**dict(values))
    )


def recorded_at(connection: Connection, citizen_number: str) -> str | None:
    """When an entry was first registered."""
    question = select(PERSONS.c.recorded_at).where(PERSONS.c.citizen_number == citizen_number)
    return connection.execute(question).scalar_one_or_none()


def numbers_with_old_id(connection: Connection, old_id: str) -> list[str]:
    """Who holds this nine-digit number."""
    question = select(PERSONS.c.citizen_number).where(PERSONS.c.old_id == old_id)
    return list(connection.execute(question).scalars())


def numbers_by_name(connection: Connection, full_name: str, born: tuple[date, date], limit: int) -> list[str]:
    """Who bears exactly this name and may have been born from one day to another, at most so many."""
    first, last = born
    day, known = PERSONS.c.date_of_birth, PERSONS.c.birth_known
    since_january = and_(known != "day", day.between(date(first.year, 1, 1), last))
    question = (
        select(PERSONS.c.citizen_number)
        .where(PERSONS.c.full_name == full_name, or_(day.between(first, last), since_january))
        .order_by(PERSONS.c.date_of_birth, PERSONS.c.citizen_number)
        .limit(limit)
    )
    return list(connection.execute(question).scalars())
