"""Many captures in one transaction: all of them or none, each with its own steps, notices and figures."""

from __future__ import annotations

import msgspec
import pytest

from issuance_backend import recorded_events
from issuance_backend.dossiers import capture_desk
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.service import ApplicationOffice, Neighbours
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.batches.service import order_ended
from issuance_backend.refusals import CaptureReplayed
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import OfficerJudges, everybody_is
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, InventedRegistry, capture_body, citizens
from verification.errors import DossierAlreadyOpen, LimitExceeded
from verification.messages.enrollment import DossierCapture

LAN = Officer("lan", "Lan", frozenset({Role.CAPTURE}))


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(ISSUANCE_MIGRATIONS))


@pytest.fixture
def office(database: Database) -> ApplicationOffice:
    checks = CaptureChecks(InventedRegistry(), OfficerJudges())
    return ApplicationOffice(
        database,
        checks,
        Pictures(database, None),
        lambda: NOW,
        neighbours=Neighbours(order_ended, everybody_is),
    )


def captures() -> list[DossierCapture]:
    bodies = [capture_body(each, f"capture-{each.citizen_number}", portrait=b"") for each in citizens()]
    whole = [capture_body(each, "x" * 16)["portrait"] for each in citizens()]
    made = [msgspec.convert(body, DossierCapture) for body in bodies]
    return [
        msgspec.structs.replace(each, portrait=content) for each, content in zip(made, whole, strict=True)
    ]


def recorded(database: Database) -> int:
    with database.reading() as connection:
        return recorded_events.verify(connection)


def test_each_of_many_is_a_dossier_of_its_own(database: Database, office: ApplicationOffice) -> None:
    dossiers = office.captures.capture_all(LAN, captures())
    assert len(set(dossiers)) == len(citizens())
    for dossier, citizen in zip(dossiers, citizens(), strict=True):
        view = office.view(LAN, dossier)
        assert (view.citizen_number, view.state) == (citizen.citizen_number, "validated")
        assert [step.state for step in view.steps] == ["captured", "validated"]
    assert recorded(database) == 2 * len(dossiers)
    report = StatisticsOffice(database, lambda: NOW).report(Asked())
    assert report.total.to_date["captured"] == len(dossiers)
    assert office.captures.capture_all(LAN, captures()) == dossiers
    assert recorded(database) == 2 * len(dossiers)


def test_one_that_is_refused_takes_all_back(database: Database, office: ApplicationOffice) -> None:
    *others, last = captures()
    office.captures.capture(LAN, last)
    again = msgspec.structs.replace(last, capture_id="another-capture-01")
    with pytest.raises(DossierAlreadyOpen):
        office.captures.capture_all(LAN, [*others, again])
    with pytest.raises(DossierAlreadyOpen):
        office.captures.capture_all(
            LAN, [others[0], msgspec.structs.replace(others[0], capture_id="twice-the-same-1")]
        )
    with pytest.raises(CaptureReplayed):
        office.captures.capture_all(
            LAN, [*others, msgspec.structs.replace(last, manual_portrait_reason="x" * 20)]
        )
    assert recorded(database) == 2


def test_a_batch_has_a_limit(office: ApplicationOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_desk, "MAX_CAPTURES", 2)
    with pytest.raises(LimitExceeded):
        office.captures.capture_all(LAN, captures())
