"""The SQL of extracts: a commune's people, their other numbers, and everybody's keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.extracts.tables import KNOWN_FILTERS
from issuance_backend.population_registry.matching.tables import MATCH_ENTRIES
from issuance_backend.population_registry.people.tables import PEOPLE
from issuance_backend.population_registry.tables import PERSONS
from verification.messages.person_query import LifeStatus

_FIELDS = [PERSONS.c[name] for name in RegistryPerson.__dataclass_fields__]
_AT_ONCE = 10_000


class KnownPerson(NamedTuple):
    """What of a person goes into the filters."""

    citizen_number: str
    full_name: str
    date_of_birth: str
    sex: str


def residents(connection: Connection, homes: Sequence[str], after: str, limit: int) -> list[RegistryPerson]:
    """The next people behind a number who live in one of these places; an alias is nobody of its own."""
    is_merged = PEOPLE.c.merged_into.is_not(None)
    merged = select(PEOPLE.c.citizen_number).where(
        PEOPLE.c.citizen_number == PERSONS.c.citizen_number, is_merged
    )
    question = (
        select(*_FIELDS)
        .select_from(PERSONS.join(MATCH_ENTRIES, MATCH_ENTRIES.c.citizen_number == PERSONS.c.citizen_number))
        .where(MATCH_ENTRIES.c.residence.in_(homes), PERSONS.c.citizen_number > after, ~merged.exists())
        .order_by(PERSONS.c.citizen_number)
        .limit(limit)
    )
    rows = (row._asdict() for row in connection.execute(question))
    return [RegistryPerson(**{**row, "life_status": LifeStatus(row["life_status"])}) for row in rows]


def aliases(connection: Connection, numbers: Sequence[str]) -> dict[str, str]:
    """Every number that leads to one of these, directly or over others, and to which."""
    found: dict[str, str] = {}
    looking = {number: number for number in numbers}
    while looking:
        question = select(PEOPLE.c.citizen_number, PEOPLE.c.merged_into)
        rows = connection.execute(question.where(PEOPLE.c.merged_into.in_(looking))).all()
        looking = {row.citizen_number: looking[row.merged_into] for row in rows}
        found |= looking
    return found


def count(connection: Connection) -> int:
    """How many people there are."""
    return connection.execute(select(func.count()).select_from(PERSONS)).scalar_one()


def everybody(connection: Connection) -> Iterator[KnownPerson]:
    """Every person, one after the other."""
    columns = PERSONS.c
    born = (columns.date_of_birth, columns.birth_known)
    question = select(columns.citizen_number, columns.full_name, columns.sex, *born)
    for number, name, sex, day, known in connection.execute(question.execution_options(yield_per=_AT_ONCE)):
        yield KnownPerson(number, name, BirthDate.known_to(day, known).text, sex)


def newest_filters(connection: Connection, since: str) -> bytes | None:
    """The filters that were made last, unless that was before a moment."""
    columns = KNOWN_FILTERS.c
    question = select(columns.content).where(columns.as_of >= since).order_by(columns.as_of.desc()).limit(1)
    return connection.execute(question).scalar_one_or_none()


def replace_filters(connection: Connection, as_of: str, content: bytes) -> None:
    """Keep these filters instead of older ones."""
    connection.execute(delete(KNOWN_FILTERS).where(KNOWN_FILTERS.c.as_of <= as_of))
    connection.execute(insert(KNOWN_FILTERS).values(as_of=as_of, content=content))
