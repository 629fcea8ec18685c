"""Writing down identities and the facts about them, inside a transaction that the caller owns."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.dc01.recording import Recording, confirm_record
from issuance_backend.population_registry.identities import domain, facts, repository, timeline
from issuance_backend.population_registry.identities.domain import ROOT, IdentityEvent, IdentityStatus
from issuance_backend.population_registry.identities.repository import Identity
from issuance_backend.population_registry.identities.timeline import OPEN_END, Fact, Origin
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.people.repository import Person
from issuance_backend.refusals import RegistryPersonUnknown
from issuance_backend.steps import SYSTEM
from verification.errors import TransitionRefused
from verification.messages.national_time import vietnam_date
from verification.messages.registry_records import IdentityClaim

REFERENCE, STATUS, CONFIRMED_ON = "reference_identity", "status", "confirmed_on"
"""What is held of identities and persons beside the attributes of form DC01."""

OWN = "registry"
"""The registry as a source."""

REFER = "refer"


def new_identity(claim: IdentityClaim, source: str, moment: datetime) -> Identity:
    """An identity as it is claimed."""
    return Identity(
        id=secrets.token_hex(8),
        citizen_number=claim.citizen_number,
        kind=claim.kind,
        document_number=claim.document_number,
        source=source,
        status=domain.advance(None, IdentityEvent.CLAIM),
        claimed_at=rfc3339(moment),
    )


def claim_identity(connection: Connection, identity: Identity, officer: str, moment: datetime) -> Person:
    """Record a claimed identity; raises RegistryPersonUnknown."""
    if entries.person(connection, identity.citizen_number) is None:
        raise RegistryPersonUnknown("no entry for the number")
    person = people.person_named(connection, identity.citizen_number)
    repository.add_identity(connection, identity)
    _hold_own(connection, identity.subject, STATUS, identity.status.value, moment)
    step = journal.step(identity.subject, IdentityEvent.CLAIM.value, identity.status.value, officer, moment)
    journal.record(connection, step)
    return person


def step_identity(
    connection: Connection, identity: Identity, event: IdentityEvent, officer: str, moment: datetime
) -> Identity:
    """Take an identity one step on; what is valid no more is nobody's reference any more."""
    changed = replace(identity, status=domain.advance(identity.status, event))
    repository.set_status(connection, identity, changed.status)
    _hold_own(connection, identity.subject, STATUS, changed.status.value, moment)
    step = journal.step(identity.subject, event.value, changed.status.value, officer, moment)
    journal.record(connection, step)
    person = people.person_named(connection, identity.citizen_number)
    if changed.status is not IdentityStatus.VALID and person.reference_identity == identity.id:
        _set_reference(connection, person, None, officer, moment)
    return changed


def refer(connection: Connection, identity: Identity, officer: str, moment: datetime) -> None:
    """Make a valid identity the one that its person is known by; raises TransitionRefused."""
    if identity.status is not IdentityStatus.VALID:
        raise TransitionRefused("only a valid identity may be the reference")
    person = people.person_named(connection, identity.citizen_number)
    _set_reference(connection, person, identity.id, officer, moment)


def confirm_living(connection: Connection, person: Person, day: date, moment: datetime) -> None:
    """Note that an event of life confirmed the record on a day; an older event takes nothing back."""
    if person.confirmed_on is None or person.confirmed_on < day:
        people.set_confirmed(connection, person.citizen_number, day)
    held = facts.standing(connection, person.subject, CONFIRMED_ON, ROOT)
    if not any(fact.valid_from == day for fact in held):
        fact = new_fact(day.isoformat(), day, moment, _own_origin(person.citizen_number))
        hold(connection, (person.subject, CONFIRMED_ON, ROOT), fact)
    confirm_record(Recording(connection, moment, SYSTEM), person.citizen_number, day)


def _set_reference(
    connection: Connection, person: Person, identity: str | None, officer: str, moment: datetime
) -> None:
    people.set_reference(connection, person.citizen_number, identity)
    _hold_own(connection, person.subject, REFERENCE, identity, moment)
    state = "referred" if identity else "no_reference"
    journal.record(connection, journal.step(person.subject, REFER, state, officer, moment))


def _hold_own(
    connection: Connection, subject: str, attribute: str, value: str | None, moment: datetime
) -> None:
    fact = new_fact(value, vietnam_date(moment), moment, _own_origin(""))
    hold(connection, (subject, attribute, ROOT), fact)


def hold(connection: Connection, where: tuple[str, str, str], fact: Fact) -> None:
    """Hold a fact from its day on, where subject, attribute and layer say."""
    standing = facts.standing(connection, *where)
    facts.keep(connection, *where, timeline.change(standing, fact), fact.recorded_at)


def new_fact(value: str | None, valid_from: date, moment: datetime, origin: Origin) -> Fact:
    """A fact as it is stated now."""
    return Fact(
        value=value,
        valid_from=valid_from,
        valid_to=OPEN_END,
        recorded_at=rfc3339(moment),
        origin=origin,
    )


def _own_origin(citizen_number: str) -> Origin:
    return Origin(source=OWN, evidence="", confidence=100, reported_for=citizen_number)
