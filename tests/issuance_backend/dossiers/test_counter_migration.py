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
    migrate(database, command.downgrade, "0028")
    with database.reading() as connection:
        found = connection.execute(text("SELECT id, exceptions FROM counter_captures")).all()
    assert {row.id: row.exceptions for row in found} == STATED
