"""Changing what the registry holds of a person, inside a transaction that the caller owns.

The entry in ``persons`` is what is held now. History is kept only of attributes that ever changed: the
first change writes down what stood before it. Whoever was handed a published attribute is told here, so
that no way of changing one can forget it (invariant I11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.birth import read_birth_date
from issuance_backend.population_registry.dc01 import doubts
from issuance_backend.population_registry.domain import RegistryPerson, birth_columns, value_of
from issuance_backend.population_registry.identities import facts, repository, timeline
from issuance_backend.population_registry.identities.domain import LOADED, ROOT
from issuance_backend.population_registry.identities.timeline import (
    BEGINNING,
    OPEN_END,
    Fact,
    Origin,
    Revision,
)
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.people.repository import Person
from issuance_backend.population_registry.publication import propagation
from issuance_backend.refusals import RegistryPersonUnknown
from verification.messages.national_time import vietnam_date

Manner = Callable[[Sequence[Fact], Fact], Revision]
"""How a statement meets what stands: ``timeline.change`` or ``timeline.correct``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """New values of a person's attributes, from a day on, and where they come from."""

    citizen_number: str
    values: Mapping[str, str | None]
    valid_from: date
    source: str
    evidence: str
    manner: Manner = timeline.change


def person_behind(connection: Connection, citizen_number: str) -> tuple[Person, RegistryPerson]:
    """The person a number leads to now, alias or not; raises RegistryPersonUnknown."""
    number = people.reference_number(connection, citizen_number)
    entry = entries.person(connection, number)
    if entry is None:
        raise RegistryPersonUnknown("no entry for the number")
    return people.person_named(connection, number), entry


def record(connection: Connection, statement: Statement, actor: str, moment: datetime) -> Person:
    """Hold a statement about the person behind a number, and tell every receiver of what changed.

    Raises RegistryPersonUnknown.
    """
    person, entry = person_behind(connection, statement.citizen_number)
    values = {
        name: _record_one(connection, (person, entry), statement, name, moment) for name in statement.values
    }
    changed = {name: value for name, value in values.items() if value != value_of(entry, name)}
    if changed:
        entries.update_fields(connection, person.citizen_number, _columns(changed))
        change = propagation.Change(person.citizen_number, person.subject, frozenset(changed), actor, moment)
        propagation.follow(connection, change)
        doubts.follow_entry(connection, person_behind(connection, person.citizen_number)[1], moment, entry)
    return person


def _record_one(
    connection: Connection,
    known: tuple[Person, RegistryPerson],
    statement: Statement,
    name: str,
    moment: datetime,
) -> str | None:
    """Write one attribute's statement and return the value that is in force today."""
    person, entry = known
    at, today = rfc3339(moment), vietnam_date(moment)
    standing = facts.standing(connection, person.subject, name, ROOT)
    if not standing:
        recorded_at = entries.recorded_at(connection, person.citizen_number) or at
        origin = entry_origin(connection, entry, recorded_at)
        loaded = Revision((), (loaded_fact(entry, name, recorded_at, origin),))
        facts.keep(connection, person.subject, name, ROOT, loaded, recorded_at)
        standing = facts.standing(connection, person.subject, name, ROOT)
    origin = Origin(
        source=statement.source,
        evidence=statement.evidence,
        confidence=100,
        reported_for=statement.citizen_number,
    )
    said = Fact(
        value=statement.values[name],
        valid_from=statement.valid_from,
        valid_to=OPEN_END,
        recorded_at=at,
        origin=origin,
    )
    revision = statement.manner(standing, said)
    facts.keep(connection, person.subject, name, ROOT, revision, at)
    kept = [*(fact for fact in standing if fact not in revision.superseded), *revision.added]
    current = timeline.in_force(kept, today, at)
    return current.value if current else value_of(entry, name)


def entry_origin(connection: Connection, entry: RegistryPerson, recorded_at: str) -> Origin:
    """Who said what an entry was made of: the identity that it was written with, or a bulk load."""
    number = entry.citizen_number
    identities = repository.identities_of(connection, [number])
    first = next((each for each in identities if each.claimed_at == recorded_at), None)
    source, evidence = (first.source, first.document_number or "") if first else (LOADED, "")
    return Origin(source=source, evidence=evidence, confidence=100, reported_for=number)


def loaded_fact(entry: RegistryPerson, name: str, recorded_at: str, origin: Origin) -> Fact:
    """What stood in the entry before anything happened to it."""
    return Fact(
        value=value_of(entry, name),
        valid_from=BEGINNING,
        valid_to=OPEN_END,
        recorded_at=recorded_at,
        origin=origin,
    )


def _columns(values: Mapping[str, str | None]) -> dict[str, object]:
    columns: dict[str, object] = dict(values)
    if born := values.get("date_of_birth"):
        columns |= birth_columns(read_birth_date(born))
    if since := values.get("life_status_since"):
        columns["life_status_since"] = date.fromisoformat(since)
    return columns
