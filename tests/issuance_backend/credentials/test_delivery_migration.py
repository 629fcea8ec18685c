"""An older office's database: a lost card is suspended for loss, and every printed card gets its place."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import Connection, text

from issuance_backend.credentials import repository
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.old_databases import migrate

STATES = ("ordered", "qa_passed", "spoiled", "active", "lost", "replaced")


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.new())


def old_cards(connection: Connection) -> None:
    """One card in each state, as version 0007 could hold them."""
    connection.execute(text("INSERT INTO portraits (name, content) VALUES ('p', '')"))
    for number, state in enumerate(STATES):
        connection.execute(
            text(
                "INSERT INTO dossiers (id, citizen_number, state, version, person, portrait, portrait_check,"
                " captured_by, packet_sha256, enrolment_due, created_at, updated_at)"
                " VALUES (:id, :number, 'completed', 1, '{}', 'p', '{}', 'lan', :id, :no, '', '')"
            ),
            {"id": f"d{number}", "number": f"{number:012d}", "no": False},
        )
        connection.execute(
            text(
                "INSERT INTO credentials (id, dossier, citizen_number, attempt, state, version, chip_id,"
                " issued_on, findings, since)"
                " VALUES (:id, :of, :number, 1, :state, 1, :id, '2026-01-01', '[]', '')"
            ),
            {"id": state, "of": f"d{number}", "number": f"{number:012d}", "state": state},
        )


def found(database: Database) -> dict[str, tuple[str, str | None, str | None]]:
    with database.reading() as connection:
        rows = connection.execute(text("SELECT id, state, reason, place FROM credentials"))
        return {row.id: (row.state, row.reason, row.place) for row in rows}


def test_cards_of_before_get_their_reason_and_place(database: Database) -> None:
    migrate(database, command.upgrade, "0007")
    with database.writing() as connection:
        old_cards(connection)
    migrate(database, command.upgrade, "head")
    assert found(database) == {
        "ordered": ("ordered", None, None),
        "qa_passed": ("qa_passed", None, "centre"),
        "spoiled": ("spoiled", None, "centre"),
        "active": ("active", None, "holder"),
        "lost": ("suspended", "loss", "holder"),
        "replaced": ("replaced", None, "holder"),
    }
    with database.reading() as connection:
        lost = repository.find(connection, "lost")
    assert lost is not None
    assert (lost.state, lost.reason) == ("suspended", "loss")


def test_the_way_back_is_open_only_while_no_card_is_on_its_way(database: Database) -> None:
    migrate(database, command.upgrade, "0007")
    with database.writing() as connection:
        old_cards(connection)
    migrate(database, command.upgrade, "0008")
    with database.writing() as connection:
        connection.execute(text("UPDATE credentials SET state = 'returned_to_centre' WHERE id = 'qa_passed'"))
    with pytest.raises(RuntimeError, match="on their way"):
        migrate(database, command.downgrade, "0007")
    with database.writing() as connection:
        connection.execute(text("UPDATE credentials SET state = 'qa_passed' WHERE id = 'qa_passed'"))
    migrate(database, command.downgrade, "0007")
    with database.reading() as connection:
        states = connection.execute(text("SELECT state FROM credentials WHERE id = 'lost'")).scalar_one()
    assert states == "lost"
