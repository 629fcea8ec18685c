"""An older registry's database: forms keep their reference and their state, readings their person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Connection, text

from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.refusals import Dc01ScanOutside
from monitoring.database import Database
from tests.support.dc01_office import COLLECTED, PAGES, Dc01Office
from tests.support.engines import Engine
from tests.support.old_databases import migrate
from verification.messages.dc01 import FormCollected
from verification.messages.registry_access import ReadingFor

NUMBER, SCAN, READ_AT = "001190012345", "ab" * 32, "2021-01-20T03:00:00.000000Z"
LOOKING = ReadingFor(purpose="population_form", officer="clerk")
FORMS = {"outside": ("scanned", SCAN), "settled": ("clean", SCAN), "planned": ("planned", None)}


@pytest.fixture
def database(database_engine: Engine) -> Database:
    """A registry of version 0010 with forms in three states, and a person whose entry was read."""
    made = Database(database_engine.new())
    migrate(made, command.upgrade, "0010", MIGRATIONS)
    with made.writing() as connection:
        for form, (state, scan) in FORMS.items():
            connection.execute(
                text(
                    "INSERT INTO dc01_forms (id, barcode, unit, state, version, scan, particulars,"
                    " keyed_round, findings, missing, conflicts)"
                    " VALUES (:id, :id, '001.005.00157', :state, 3, :scan, :read, 1, '[]', '[]', '[]')"
                ),
                {"id": form, "state": state, "scan": scan, "read": '{"mother":"TRẦN THỊ BÌNH"}'},
            )
        connection.execute(
            text(
                "INSERT INTO person_reads (citizen_number, read_at, reader, purpose, unit)"
                " VALUES (:number, :at, 'issuance', 'capture', '001.005')"
            ),
            {"number": NUMBER, "at": READ_AT},
        )
    return made


def kept_forms(connection: Connection) -> list[tuple[object, ...]]:
    question = "SELECT id, state, version, scan, particulars FROM dc01_forms ORDER BY id"
    return [tuple(row) for row in connection.execute(text(question))]


def told_reads(database: Database) -> list[tuple[str, str, str | None]]:
    log = AccessLog(database, lambda: datetime(2021, 2, 1, tzinfo=UTC))
    return [(read.read_at, read.purpose, read.unit) for read in log.of_person(NUMBER)]


def test_forms_and_readings_of_before_survive_to_the_newest_version(database: Database) -> None:
    with database.reading() as connection:
        before = kept_forms(connection)
    for version in ("0011", "0012", "head"):
        migrate(database, command.upgrade, version, MIGRATIONS)
        with database.reading() as connection:
            assert kept_forms(connection) == before, version
            pages = connection.execute(text("SELECT pages FROM dc01_forms")).scalars()
            assert set(pages) == {0}, "none of their pictures is kept here"
    assert told_reads(database) == [(READ_AT, "capture", "001.005")]


def test_work_goes_on_with_forms_of_before(database: Database) -> None:
    migrate(database, command.upgrade, "head", MIGRATIONS)
    office = Dc01Office(database.url)
    with pytest.raises(Dc01ScanOutside):
        office.scans.picture("outside", 1, "clerk", "issuance", LOOKING)
    office.scan("outside")
    office.forms.collect("planned", FormCollected(collected_on=COLLECTED, officer="lan"))
    office.scan("planned")
    for form in ("outside", "planned"):
        assert office.scans.picture(form, 1, "clerk", "issuance", LOOKING).content == PAGES[0]
        assert office.forms.form(form).scan is None, "its picture is here now"
    assert office.forms.form("settled").scan == SCAN
    with database.reading() as connection:
        looks = "SELECT form, citizen_number FROM person_reads WHERE form IS NOT NULL ORDER BY id"
        assert connection.execute(text(looks)).all() == [("outside", None), ("planned", None)]
    assert told_reads(database) == [(READ_AT, "capture", "001.005")], "whose forms they are is not known"
    office.database.close()


def test_back_to_the_older_version_only_what_it_cannot_hold_goes(database: Database) -> None:
    migrate(database, command.upgrade, "head", MIGRATIONS)
    with database.writing() as connection:
        before = kept_forms(connection)
        for table, columns in (("person_reads", "form"), ("commune_reads", "commune")):
            connection.execute(
                text(
                    f"INSERT INTO {table} ({columns}, read_at, reader, purpose)"  # noqa: S608
                    " VALUES ('outside', :at, 'issuance', 'population_form')"
                ),
                {"at": READ_AT},
            )
    migrate(database, command.downgrade, "0010", MIGRATIONS)
    with database.reading() as connection:
        assert kept_forms(connection) == before
        assert connection.execute(text("SELECT citizen_number FROM person_reads")).scalars().all() == [NUMBER]
    migrate(database, command.upgrade, "head", MIGRATIONS)
    assert told_reads(database) == [(READ_AT, "capture", "001.005")]
