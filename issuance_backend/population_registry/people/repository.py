"""The SQL of people and merges."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, insert, select, update

from issuance_backend.population_registry.people.tables import MERGES, PEOPLE

MERGED, SEPARATED = "merged", "separated"
STANDING = "9999-12-31T23:59:59.999999Z"
"""When a merge ends that stands."""

_LONGEST_CHAIN = 1_000


@dataclass(frozen=True, slots=True)
class Person:
    """A number to which something happened; ``id`` names the person in the journal."""

    citizen_number: str
    id: str
    reference_identity: str | None
    merged_into: str | None
    confirmed_on: date | None

    @property
    def subject(self) -> str:
        """How facts and recorded events name the person."""
        return f"person/{self.id}"


@dataclass(frozen=True, slots=True)
class Merge:
    """Two numbers that are, or were for a time, one person."""

    id: str
    kept: str
    merged: str
    state: str
    merged_at: str
    separated_at: str


def person(connection: Connection, citizen_number: str) -> Person | None:
    """The person's line, if anything ever happened to this number."""
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.citizen_number == citizen_number)).one_or_none()
    return Person(*row) if row else None


def person_named(connection: Connection, citizen_number: str) -> Person:
    """The person's line, made now if there is none; the caller knows that the number stands."""
    known = person(connection, citizen_number)
    if known is not None:
        return known
    made = Person(citizen_number, secrets.token_hex(8), None, None, None)
    connection.execute(insert(PEOPLE).values(citizen_number=citizen_number, id=made.id))
    return made


def set_reference(connection: Connection, citizen_number: str, identity: str | None) -> None:
    """Say which identity a person is known by."""
    _set(connection, citizen_number, reference_identity=identity)


def set_confirmed(connection: Connection, citizen_number: str, day: date) -> None:
    """Say when life last confirmed the record."""
    _set(connection, citizen_number, confirmed_on=day)


def set_merged_into(connection: Connection, citizen_number: str, kept: str | None) -> None:
    """Say which number an alias leads to now."""
    _set(connection, citizen_number, merged_into=kept)


def reference_number(connection: Connection, citizen_number: str) -> str:
    """The number that this one leads to now: itself unless it was merged."""
    for _ in range(_LONGEST_CHAIN):
        question = select(PEOPLE.c.merged_into).where(PEOPLE.c.citizen_number == citizen_number)
        into = connection.execute(question).scalar_one_or_none()
        if into is None:
            return citizen_number
        citizen_number = into
    raise RuntimeError("merges lead in a circle")


def reference_number_at(connection: Connection, citizen_number: str, known_at: str) -> str:
    """The number that this one led to at a moment."""
    for _ in range(_LONGEST_CHAIN):
        question = select(MERGES.c.kept).where(MERGES.c.merged == citizen_number, _stood(known_at))
        into = connection.execute(question).scalar_one_or_none()
        if into is None:
            return citizen_number
        citizen_number = into
    raise RuntimeError("merges lead in a circle")


def aliases_at(connection: Connection, citizen_number: str, known_at: str) -> list[str]:
    """Every number that led to this one at a moment, directly or over others."""
    found: list[str] = []
    looking = [citizen_number]
    while looking:
        question = select(MERGES.c.merged).where(MERGES.c.kept.in_(looking), _stood(known_at))
        looking = sorted(connection.execute(question).scalars())
        found += looking
    return sorted(found)


def aliases_now(connection: Connection, citizen_number: str) -> list[str]:
    """Every number that leads to this one now, directly or over others."""
    found: list[str] = []
    looking = [citizen_number]
    while looking:
        question = select(PEOPLE.c.citizen_number).where(PEOPLE.c.merged_into.in_(looking))
        looking = sorted(connection.execute(question).scalars())
        found += looking
    return sorted(found)


def add_merge(connection: Connection, merge: Merge) -> None:
    """Write a merge that stands."""
    connection.execute(
        insert(MERGES).values(
            id=merge.id,
            kept=merge.kept,
            merged=merge.merged,
            state=merge.state,
            merged_at=merge.merged_at,
            separated_at=merge.separated_at,
        )
    )


def end_merge(connection: Connection, merge: Merge, moment: str) -> None:
    """Write that a merge stands no more."""
    connection.execute(
        update(MERGES).where(MERGES.c.id == merge.id).values(state=SEPARATED, separated_at=moment)
    )


def merge(connection: Connection, merge_id: str) -> Merge | None:
    """The merge with this id."""
    row = connection.execute(select(MERGES).where(MERGES.c.id == merge_id)).one_or_none()
    return Merge(*row) if row else None


def standing_merge(connection: Connection, merged: str) -> Merge | None:
    """The merge that makes this number an alias now."""
    question = select(MERGES).where(MERGES.c.merged == merged, MERGES.c.state == MERGED)
    row = connection.execute(question).one_or_none()
    return Merge(*row) if row else None


def new_merge(kept: str, merged: str, moment: str) -> Merge:
    """A merge that begins to stand."""
    return Merge(secrets.token_hex(8), kept, merged, MERGED, moment, STANDING)


def _stood(moment: str) -> ColumnElement[bool]:
    return (MERGES.c.merged_at <= moment) & (MERGES.c.separated_at > moment)


def _set(connection: Connection, citizen_number: str, **values: object) -> None:
    connection.execute(update(PEOPLE).where(PEOPLE.c.citizen_number == citizen_number).values(**values))
