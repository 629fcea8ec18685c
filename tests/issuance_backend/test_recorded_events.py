from __future__ import annotations

import pytest
from sqlalchemy import text

from issuance_backend import recorded_events
from issuance_backend.recorded_events import ChainBroken, Step, append, of_subject, verify
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine

AT = "2026-11-21T03:00:00.000000Z"


@pytest.fixture
def database(database_engine: Engine) -> Database:
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    with database.writing() as connection:
        for number in range(5):
            append(
                connection,
                Step(subject=f"dossier/{number % 2}", event="capture", state="captured", actor="lan", at=AT),
            )
    return database


def test_a_whole_chain_verifies(database: Database) -> None:
    with database.reading() as connection:
        assert verify(connection) == 5
        assert len(of_subject(connection, "dossier/0")) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE events SET actor = 'minh' WHERE sequence = 3",
        'UPDATE events SET detail = \'{"x":"y"}\' WHERE sequence = 1',
        "DELETE FROM events WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 5",
        "DELETE FROM events",
        "UPDATE event_head SET sequence = 4",
    ],
)
def test_every_tampering_shows(database: Database, tampering: str) -> None:
    with database.writing() as connection:
        connection.execute(text(tampering))
    with database.reading() as connection, pytest.raises(ChainBroken):
        verify(connection)


def test_a_step_is_recorded_with_its_change_or_not_at_all(database: Database) -> None:
    step = Step(subject="card/1", event="order", state="ordered", actor="minh", at=AT)

    def interrupted() -> None:
        with database.writing() as connection:
            recorded_events.append(connection, step)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    with database.reading() as connection:
        assert verify(connection) == 5
