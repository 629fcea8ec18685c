"""A population registry with the people of the issuance tests, its offices, and a clock to set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from flask.testing import FlaskClient

from issuance_backend import recorded_events
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.legacy_import.service import LegacyImport
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.merges.domain import REASONS, MergeAct
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.publication.service import PublicationOffice
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import MIGRATIONS
from monitoring.database import Database
from tests.support.issuance_office import citizens
from verification.messages.life_event import LifeEvent, LifeEventReport, LifeEventView
from verification.messages.registry_merge import MergeDecision, MergeProposal, MergeProposalView
from verification.messages.registry_records import PersonHistory

LOADED_AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
CIVIL_REGISTER = "civil-register"
ROLES = (
    *("person.query", "registry.read", "person.register", "person.enrich", "person.publish"),
    *("person.receive", "number.issue", "events.life-event", "events.person-change", "registry.extract"),
    *("registry.read_log", "person.correct", "person.match", "person.merge", "dc01.work"),
)


def life_report(number: int, event: LifeEvent, occurred_on: date) -> LifeEventReport:
    """What a civil register sends of an event, as its report of this number."""
    return LifeEventReport(
        report_id=f"report-{number:06d}",
        occurred_on=occurred_on,
        document="Trích lục 17/2026",
        officer="lan.register",
        event=event,
    )


@dataclass
class RegistryWorld:
    """The registry's database and every office that works on it."""

    database: Database
    now: list[datetime]

    def __post_init__(self) -> None:
        clock = self.clock
        self.records = RecordOffice(self.database, clock)
        self.merges = MergeDesk(self.database, clock)
        self.life = LifeEventOffice(self.database, clock)
        self.numbers = NumberOffice(self.database, clock)
        self.publications = PublicationOffice(self.database, clock)
        self.legacy = LegacyImport(self.database, clock)
        self._reports = 0

    def clock(self) -> datetime:
        return self.now[0]

    def pass_time(self, **length: float) -> datetime:
        self.now[0] += timedelta(**length)
        return self.now[0]

    def person(self, number: str) -> RegistryPerson:
        with self.database.reading() as connection:
            found = repository.person(connection, number)
        assert found is not None
        return found

    def report(self, event: LifeEvent, occurred_on: date = TODAY, **changes: Any) -> LifeEventView:
        self._reports += 1
        report = life_report(self._reports, event, occurred_on)
        return self.life.report(CIVIL_REGISTER, msgspec.structs.replace(report, **changes))

    def value(self, number: str, attribute: str, **at: Any) -> str | None:
        return values(self.records.history(number, **at))[attribute]

    def chain_length(self) -> int:
        with self.database.reading() as connection:
            return recorded_events.verify(connection)

    def client(self, folder: Path) -> RegistryClient:
        settings = registry_settings(self.database.url, folder)
        return RegistryClient(create_registry_app(settings, clock=self.clock).test_client())


@dataclass
class RegistryClient:
    """Calls as the program that has one role; its name and its token are the role's."""

    http: FlaskClient

    def call(self, role: str, method: str, path: str, body: object = None, key: str | None = None) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        return self.http.open(
            path,
            method=method,
            data=content,
            content_type="application/json",
            headers={"Authorization": f"Bearer {role}"} | ({"Idempotency-Key": key} if key else {}),
        )


def registry_settings(url: str, folder: Path) -> RegistrySettings:
    """Of a registry with a caller of each role."""
    callers = {role: {"sha256": hashlib.sha256(role.encode()).hexdigest(), "roles": [role]} for role in ROLES}
    tokens = folder / "callers.json"
    tokens.write_text(json.dumps(callers))
    return RegistrySettings(service_tokens=tokens, database_url=url)


def values(history: PersonHistory) -> dict[str, str | None]:
    return {attribute.name: attribute.value for attribute in history.attributes}


def make_registry(url: str, people: Sequence[RegistryPerson] | None = None) -> RegistryWorld:
    """A registry that holds these people, or the invented citizens, since the first of January."""
    database = Database(url)
    database.migrate(MIGRATIONS)
    with database.writing() as connection:
        repository.add(connection, people or citizens(), LOADED_AT)
    return RegistryWorld(database, [NOW])


def decided_by_two(
    desk: MergeDesk, kept: str, merged: str, act: MergeAct = MergeAct.MERGE
) -> MergeProposalView:
    """Two numbers merged, or taken apart, as it is done: one officer proposes, another looks and signs."""
    made = desk.propose(MergeProposal(act, kept, merged, REASONS[act][0], "lan.register"))
    shown = desk.entries(made.id, "minh.register", lambda _: None)
    return desk.decide(made.id, MergeDecision(shown.entries_digest, True, officer="minh.register"))
