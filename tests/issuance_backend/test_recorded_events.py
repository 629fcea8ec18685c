from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from issuance_backend import __main__ as command
from issuance_backend import event_checkpoints, recorded_events
from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from issuance_backend.event_checkpoints import CheckpointDesk
from issuance_backend.recorded_events import ChainBroken, Step, append, of_subject, verify
from issuance_backend.schema import EVENT_HEAD, EVENTS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from verification.errors import SignatureInvalid
from verification.messages.signing_key import thumbprint

AT = "2026-11-21T03:00:00.000000Z"


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return recorded(database_engine.new())


def recorded(url: str) -> Database:
    """A database with five steps."""
    database = Database(url)
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


# -- checkpoints

KEY = ec.generate_private_key(ec.SECP256R1())
KEYS = {thumbprint(KEY.public_key()): KEY.public_key()}


def signing(database: Database) -> CheckpointDesk:
    return CheckpointDesk(database, KEY, lambda: datetime.fromisoformat(AT).astimezone(UTC))


def chained_anew(database: Database) -> None:
    """What somebody with the database and without the key can do: another past, chained to the end."""
    with database.writing() as connection:
        rows = connection.execute(EVENTS.select().order_by(EVENTS.c.sequence)).mappings().all()
        connection.execute(EVENTS.delete())
        connection.execute(EVENT_HEAD.update().values(sequence=0, hash="0" * 64))
        for row in rows:
            step = Step(subject=row["subject"], event="capture", state="captured", actor="minh", at=AT)
            recorded_events.chain(connection, step)
        assert verify(connection) == len(rows)


def test_a_past_written_anew_is_not_what_was_signed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    desk = signing(database)
    assert (desk.sign(), desk.sign()) == (5, 0)
    with database.reading() as connection:
        assert event_checkpoints.verify(connection, KEYS) == 5
    chained_anew(database)
    with database.reading() as connection, pytest.raises(ChainBroken, match="line 5 is not the one"):
        event_checkpoints.verify(connection, KEYS)
    with caplog.at_level(logging.ERROR):
        assert desk.sign() == 0
    assert "not what was signed" in caplog.text
    with database.reading() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM event_checkpoints")).scalar_one() == 1


def test_a_record_that_is_broken_is_not_signed(database: Database) -> None:
    assert signing(database).sign() == 5
    with database.writing() as connection:
        append(connection, Step(subject="card/1", event="order", state="ordered", actor="minh", at=AT))
        connection.execute(text("UPDATE events SET actor = 'lan' WHERE sequence = 6"))
    assert signing(database).sign() == 0


def test_only_lines_that_are_new_are_walked_and_signed(database: Database) -> None:
    assert signing(database).sign() == 5
    with database.writing() as connection:
        append(connection, Step(subject="card/1", event="order", state="ordered", actor="minh", at=AT))
    assert signing(database).sign() == 1
    with database.reading() as connection:
        assert event_checkpoints.verify(connection, KEYS) == 6


def test_a_checkpoint_kept_elsewhere_shows_that_the_end_was_cut_off(database: Database) -> None:
    signing(database).sign()
    with database.reading() as connection:
        kept = event_checkpoints.newest_token(connection)
    assert kept is not None
    with database.writing() as connection:
        for statement in (
            "DELETE FROM event_checkpoints",
            "DELETE FROM events WHERE sequence > 3",
            "UPDATE event_head SET sequence = 3, hash = (SELECT hash FROM events WHERE sequence = 3)",
        ):
            connection.execute(text(statement))
        assert (verify(connection), event_checkpoints.verify(connection, KEYS)) == (3, 0)
        with pytest.raises(ChainBroken):
            event_checkpoints.require_kept(connection, kept, KEYS)


def test_a_checkpoint_of_another_key_is_none(database: Database) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    CheckpointDesk(database, other, lambda: datetime.now(UTC)).sign()
    with database.reading() as connection, pytest.raises(SignatureInvalid):
        event_checkpoints.verify(connection, KEYS)
    assert signing(database).sign() == 0, "it signs nothing that it cannot hold against the last one"


def test_an_auditor_keeps_a_checkpoint_and_holds_the_record_against_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url, keys, kept = f"sqlite:///{tmp_path / 'i.db'}", tmp_path / "keys", tmp_path / "kept.jws"
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", url)
    monkeypatch.setenv("ISSUANCE_INTAKE_KEY_DIR", str(keys))
    make_keys(keys, "2026-11")
    database = recorded(url)
    assert command.main(["verify-events", "--keep", str(kept)]) == 1, "nothing is signed yet"
    CheckpointDesk(database, load_keys(keys).receipts, lambda: datetime.now(UTC)).sign()
    assert command.main(["verify-events", "--keep", str(kept)]) == 0
    assert "5 recorded events, chain unbroken, signed up to 5" in capsys.readouterr().out
    assert command.main(["verify-events", "--against", str(kept)]) == 0
    kept.write_text(kept.read_text()[:-4] + "AAAA")
    assert command.main(["verify-events", "--against", str(kept)]) == 1
    chained_anew(database)
    assert command.main(["verify-events"]) == 1
    assert "line 5 is not the one that was signed" in capsys.readouterr().err
    database.close()
