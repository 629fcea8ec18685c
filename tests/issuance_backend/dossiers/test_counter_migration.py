"""An older office's database: captures at counters that had no scanner stay what they are."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import text

from issuance_backend.dossiers.counter import repository
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.old_databases import migrate
from verification.messages.enrollment_packet import CaptureException

STATED = {"a": "father_unknown no_scanner", "b": "no_scanner", "c": "marks_none", "d": ""}


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.new())


def old_captures(database: Database) -> None:
    """One with each kind of exception, as version 0028 could hold them."""
    with database.writing() as connection:
        for name, exceptions in STATED.items():
            connection.execute(
                text(
                    "INSERT INTO counter_captures (id, capture_id, officer, state, version, content_sha256,"
                    " exceptions, unsigned, opened_at, updated_at) VALUES (:id, :id, 'lan', 'form_checked',"
                    " 1, '', :stated, 'cannot_sign', '2026-11-20T01:00:00Z', '2026-11-20T01:00:00Z')"
                ),
                {"id": name, "stated": exceptions},
            )


def test_that_there_was_no_scanner_is_a_reason_for_all_fingers(database: Database) -> None:
    migrate(database, command.upgrade, "0028")
    old_captures(database)
    migrate(database, command.upgrade, "head")
    with database.reading() as connection:
        rows = {name: repository.find(connection, name) for name in STATED}
    for name, row in rows.items():
        assert row is not None
        assert sorted(row.codes) == STATED[name].split()
        assert (row.items, row.fingers, row.paper, row.missing_fingers) == ({}, (), None, ())
        is_without = "no_scanner" in STATED[name]
        reasons = (CaptureException("fingerprints", "NO_SCANNER"),) if is_without else ()
        assert row.print_reasons == reasons
        assert (row.sent_back, row.slap_scanner, row.slaps) == (None, None, ())
    migrate(database, command.downgrade, "0028")
    with database.reading() as connection:
        found = connection.execute(text("SELECT id, exceptions FROM counter_captures")).all()
    assert {row.id: row.exceptions for row in found} == STATED


def test_what_answers_a_return_since_before_counters_took_slaps_is_asked_for_none(database: Database) -> None:
    migrate(database, command.upgrade, "0030")
    with database.writing() as connection:
        connection.execute(text("INSERT INTO portraits (name, content) VALUES ('p', '')"))
        connection.execute(
            text(
                "INSERT INTO dossiers (id, citizen_number, state, version, person, portrait, portrait_check,"
                " captured_by, packet_sha256, enrolment_due, created_at, updated_at)"
                " VALUES ('d', '1', 'returned', 1, '{}', 'p', '{}', 'lan', 'd', :no, '', '')"
            ),
            {"no": False},
        )
        for name, state in (("open", "draft"), ("over", "sealed")):
            connection.execute(
                text(
                    "INSERT INTO counter_captures (id, capture_id, officer, dossier, state, version,"
                    " content_sha256, exceptions, opened_at, updated_at)"
                    " VALUES (:id, :id, 'lan', 'd', :state, 1, '', '', :at, :at)"
                ),
                {"id": name, "state": state, "at": "2026-11-20T01:00:00Z"},
            )
    migrate(database, command.upgrade, "head")
    with database.reading() as connection:
        rows = {name: repository.find(connection, name) for name in ("open", "over")}
    assert {name: row and row.sent_back for name, row in rows.items()} == {"open": (), "over": None}
    migrate(database, command.downgrade, "0030")
    with database.reading() as connection:
        assert len(connection.execute(text("SELECT id FROM counter_captures")).all()) == 2
