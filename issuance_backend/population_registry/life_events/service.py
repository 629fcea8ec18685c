"""The office where life reaches the registry: births, deaths, moves, marriages, divorces, corrections."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.population_registry import journal
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.extracts.domain import communes_of
from issuance_backend.population_registry.identities import holding, timeline
from issuance_backend.population_registry.identities.domain import IdentityKind
from issuance_backend.population_registry.identities.entering import enter
from issuance_backend.population_registry.identities.recording import person_behind
from issuance_backend.population_registry.life_events import domain, marriages, repository
from issuance_backend.population_registry.life_events.act import Act
from issuance_backend.population_registry.life_events.repository import RegisteredEvent
from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.numbers.domain import NumberRequest, prefix_of
from issuance_backend.population_registry.numbers.issuing import DrawKey, Issuing
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication.service import require_officer_name
from issuance_backend.population_registry.units.domain import UnitRegister, lies_in
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import IdempotencyConflict, LifeEventUnknown
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.identity.administrative_units import province
from verification.messages.life_event import (
    Attributes,
    Birth,
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Divorce,
    DivorceAnnulled,
    Found,
    LifeEventReport,
    LifeEventView,
    Marriage,
    Move,
    OfCouple,
)
from verification.messages.national_time import vietnam_date
from verification.messages.person_query import LifeStatus
from verification.messages.registry_records import IdentityClaim

_REPORT_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MAX_DOCUMENT: Final = 80
RESIDENCES: Final = ("current_residence", "permanent_residence")
_STATUS_EVENTS = Death | DeathAnnulled | DeclaredMissing | Found
# Somebody missing can be divorced (Law on Marriage and Family 52/2014/QH13, article 56).
_SAYS_NOTHING_OF_LIFE = Correction | DeathAnnulled | DeclaredMissing | Divorce | DivorceAnnulled


class LifeEventOffice:
    """Owns the transactions around life events."""

    def __init__(self, database: Database, clock: Clock, draw_key: DrawKey = secrets.token_bytes) -> None:
        self._database = database
        self._clock = clock
        self._draw_key = draw_key
        self._units = UnitOffice(database, clock)

    def report(self, source: str, report: LifeEventReport) -> LifeEventView:
        """Register an event with everything that follows from it; the same report again changes nothing.

        Raises FieldsRefused, also for a person who does not live in the area of whoever reports it,
        RegistryPersonUnknown, TransitionRefused, IdempotencyConflict.
        """
        with self._database.writing() as connection:
            moment = journal.begin(connection, self._clock())
            _require_form(report, vietnam_date(moment))
            known = repository.of_report(connection, source, report.report_id)
            if known is not None:
                if known.content_sha256 != domain.content_digest(report):
                    raise IdempotencyConflict("this report id stands for something else")
                return _view(connection, known)
            if report.area is not None:
                _require_lives_in(connection, self._units.register_in(connection), report)
            act = Act(connection, report, source, moment, self._draw_key)
            event = _registered(act, _take(act))
            repository.add(connection, event)
            _tell(act, event)
            return _view(connection, event)

    def view(self, event_id: str) -> LifeEventView:
        """One registered event, for a program that was told of it; raises LifeEventUnknown."""
        with self._database.reading() as connection:
            event = repository.find(connection, event_id)
            if event is None:
                raise LifeEventUnknown("no life event with this id")
            return _view(connection, event)


def _require_lives_in(connection: Connection, register: UnitRegister, report: LifeEventReport) -> None:
    """Raise FieldsRefused unless the person lives in the area, by the record as it stands or for good."""
    event = report.event
    if isinstance(event, Birth):
        field, homes = "current_residence", [event.particulars.get(name) or "" for name in RESIDENCES]
    else:
        entry = person_behind(connection, event.citizen_number)[1]
        field, homes = "citizen_number", [entry.current_residence, entry.permanent_residence]
    communes = set[str]().union(*(communes_of(register, home) for home in homes))
    if not any(lies_in(commune, report.area or "") for commune in communes):
        raise FieldsRefused({field: "PERSON_AREA_ELSEWHERE"})


def _take(act: Act) -> str:
    """Do what the event asks for and return the number of the person concerned."""
    event = act.report.event
    if isinstance(event, Birth):
        return _birth(act, event)
    _, person = person_behind(act.connection, event.citizen_number)
    if isinstance(event, _STATUS_EVENTS):
        _change_status(act, event, person)
    elif isinstance(event, Move):
        domain.require_alive_on(person, act.report.occurred_on)
        _move(act, event)
    elif isinstance(event, OfCouple):
        _of_couple(act, event, person)
    else:
        _correct(act, event, person)
    return person.citizen_number


def _birth(act: Act, event: Birth) -> str:
    event = msgspec.structs.replace(event, particulars=domain.written(event.particulars))
    faults = domain.birth_faults(event, vietnam_date(act.moment))
    if province(event.province) is None:
        faults["province"] = "CITIZEN_NUMBER_PROVINCE_UNKNOWN"
    if event.particulars.get("date_of_birth") != act.report.occurred_on.isoformat():
        faults.setdefault("date_of_birth", "FIELD_DATE")
    if faults:
        raise FieldsRefused(faults)
    sex = event.particulars["sex"] or ""
    issue = Issuing(act.connection, act.report.officer, act.moment, act.draw_key)
    # The registry's own requests are named apart from those that other programs make.
    named = hashlib.sha256(f"{act.source}/{act.report.report_id}".encode()).hexdigest()[:40]
    request = NumberRequest(f"birth-{named}", prefix_of(event.province, act.report.occurred_on, sex))
    number = issuing.reserve(issue, [request])[0].citizen_number
    issuing.confirm(issue, request.request_id)
    child = domain.newborn(number, event)
    claim = IdentityClaim(
        citizen_number=number, kind=IdentityKind.CIVIL_REGISTER.value, officer=act.report.officer
    )
    enter(act.connection, child, claim, act.source, act.moment)
    return number


def _change_status(act: Act, event: _STATUS_EVENTS, person: RegistryPerson) -> None:
    status = domain.next_status(person.life_status, event)
    # Nobody comes back before he was gone, and nobody dies unborn.
    until = person.life_status_since if isinstance(event, Found | DeathAnnulled) else None
    if act.report.occurred_on < (until or person.date_of_birth):
        raise FieldsRefused({"occurred_on": "FIELD_DATE"})
    since = None if status is LifeStatus.ALIVE else act.report.occurred_on.isoformat()
    # A death that did not happen was never true; whoever came back was missing until then.
    manner = timeline.correct if isinstance(event, DeathAnnulled) else timeline.state
    values: Attributes = {"life_status": status.value, "life_status_since": since}
    act.state(event.citizen_number, values, manner)
    if isinstance(event, Death):
        marriages.end_by_death(act, person, event.spouse_number)
    elif isinstance(event, DeathAnnulled):
        marriages.stand_again(act, person)


def _of_couple(act: Act, event: OfCouple, person: RegistryPerson) -> None:
    if isinstance(event, Marriage):
        marriages.marry(act, event, person)
    elif isinstance(event, Divorce):
        marriages.divorce(act, event, person)
    else:
        marriages.annul_divorce(act, event, person)


def _move(act: Act, event: Move) -> None:
    values: Attributes = {"current_residence": event.current_residence}
    if event.permanent_residence is not None:
        values["permanent_residence"] = event.permanent_residence
    values = domain.written(values)
    faults = domain.value_faults(values)
    if faults:
        raise FieldsRefused(faults)
    act.state(event.citizen_number, values)


def _correct(act: Act, event: Correction, person: RegistryPerson) -> None:
    event = msgspec.structs.replace(event, attributes=domain.written(event.attributes))
    faults = domain.correction_faults(event, vietnam_date(act.moment))
    holders = entries.numbers_with_old_id(act.connection, event.attributes.get("old_id") or "")
    if any(holder != person.citizen_number for holder in holders):
        faults["old_id"] = "FIELD_NOT_AS_REGISTERED"
    if faults:
        raise FieldsRefused(faults)
    act.state(event.citizen_number, event.attributes, timeline.correct)


def _registered(act: Act, number: str) -> RegisteredEvent:
    report = act.report
    person, entry = person_behind(act.connection, number)
    if not isinstance(report.event, _SAYS_NOTHING_OF_LIFE):
        holding.confirm_living(act.connection, person, report.occurred_on, act.moment)
    return RegisteredEvent(
        id=secrets.token_hex(8),
        kind=kind_of(report),
        citizen_number=number,
        spouse_number=report.event.spouse_number if isinstance(report.event, OfCouple | Death) else None,
        occurred_on=report.occurred_on,
        registered_at=rfc3339(act.moment),
        reported_by=act.source,
        report_id=report.report_id,
        content_sha256=domain.content_digest(report),
        document=report.document,
        officer=report.officer,
        life_status=entry.life_status.value,
    )


def _tell(act: Act, event: RegisteredEvent) -> None:
    """Record the event; the card office and every other follower learn of it when this is committed."""
    step = Step(
        subject=f"life-event/{event.id}",
        event=event.kind,
        state="registered",
        actor=event.officer,
        at=event.registered_at,
        detail={"life_status": event.life_status},
        # Which person it was is asked for with the id: no event names one.
        notice=Notice(
            topic=Topic.LIFE_EVENT,
            key=event.id,
            data={"kind": event.kind, "life_status": event.life_status},
        ),
    )
    journal.record(act.connection, step)


def kind_of(report: LifeEventReport) -> str:
    """The kind of event as messages name it."""
    return str(type(report.event).__struct_config__.tag)


def _require_form(report: LifeEventReport, today: date) -> None:
    require_officer_name(report.officer)
    faults = {}
    if not _REPORT_ID.fullmatch(report.report_id):
        faults["report_id"] = "FIELD_CHARACTERS"
    if report.occurred_on > today or report.occurred_on.year < 1900:
        faults["occurred_on"] = "FIELD_DATE"
    if not report.document.strip():
        faults["document"] = "FIELD_MISSING"
    elif len(report.document) > _MAX_DOCUMENT:
        faults["document"] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)


def _view(connection: Connection, event: RegisteredEvent) -> LifeEventView:
    return LifeEventView(
        id=event.id,
        kind=event.kind,
        citizen_number=event.citizen_number,
        occurred_on=event.occurred_on,
        registered_at=event.registered_at,
        life_status=event.life_status,
        spouse_number=event.spouse_number,
        aliases=tuple(people.aliases_now(connection, event.citizen_number)),
    )
