"""What whoever runs the office does from a terminal, and the schema the commands bring up to date."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import insert, select, update

import issuance_backend
from issuance_backend import __main__ as command
from issuance_backend import recorded_events
from issuance_backend.blob_store.tables import BLOBS
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.idempotency.domain import KEPT_FOR
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.idempotency.tables import IDEMPOTENT_REQUESTS
from issuance_backend.moments import utc_now
from issuance_backend.officers.domain import SESSION_LENGTH
from issuance_backend.schema import DOSSIERS, METADATA, OFFICER_SESSIONS, PORTRAITS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine, schema_differences
from tests.support.issuance_office import PASSWORD, SIGNATURE, Office, citizens, picture

PERSON = citizens()[0]


@pytest.fixture
def settings(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of the commands; the folder of the store."""
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", office.database.url)
    monkeypatch.setenv("ISSUANCE_BLOB_KEYS_FILE", str(tmp_path / "blob_keys.json"))
    monkeypatch.setenv("ISSUANCE_BLOB_DIR", str(tmp_path / "blobs"))
    return tmp_path / "blobs"


def sign_in(office: Office) -> Any:
    return office.client().post("/v1/officer-sessions", json={"officer": "lan.capture", "password": PASSWORD})


def officer(action: str, who: str = "lan.capture", by: str = "chief.hanoi") -> int:
    return command.main(["officer", action, "--id", who, "--by", by])


def test_a_blocked_officer_is_out_at_once_and_comes_back_when_unblocked(
    office: Office, settings: Path
) -> None:
    lan = office.sign_in("lan.capture")
    assert officer("block") == 0
    assert lan.get("/v1/dossiers").get_json()["code"] == "OFFICER_SESSION_ENDED"
    refused = sign_in(office)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_SUSPENDED")
    wrong = office.client().post("/v1/officer-sessions", json={"officer": "lan.capture", "password": "x"})
    assert wrong.get_json()["code"] == "OFFICER_SIGN_IN_FAILED", "who is blocked is nobody else's to learn"
    assert officer("unblock") == 0
    assert sign_in(office).status_code == 201
    assert lan.get("/v1/dossiers").status_code == 401, "the old session stays ended"


def test_a_session_opened_in_the_moment_of_blocking_is_worth_nothing(office: Office, settings: Path) -> None:
    assert officer("block") == 0
    with office.database.writing() as connection:
        values = {"officer": "lan.capture", "opened_at": "2026", "expires_at": "2027"}
        digest = hashlib.sha256(b"late").hexdigest()
        connection.execute(insert(OFFICER_SESSIONS).values(token_sha256=digest, **values))
    answer = office.client().get("/v1/dossiers", headers={"Authorization": "Bearer late"})
    assert answer.get_json()["code"] == "OFFICER_SESSION_ENDED"


def test_a_list_of_officers_is_enrolled_at_once_and_again_changes_nothing(
    office: Office, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    at_work = {"roles": ["capture", "office"], "password_file": str(tmp_path / "password")}
    roster = tmp_path / "officers.json"
    roster.write_text(
        json.dumps([{"id": "hue.office", "unit": "001.02", **at_work}, {"id": "an", **at_work}])
    )
    for _ in range(2):
        assert command.main(["officer", "add-all", "--roster", str(roster)]) == 0
        assert capsys.readouterr().out.strip() == "2 officers enrolled"
        session = office.client().post(
            "/v1/officer-sessions", json={"officer": "hue.office", "password": PASSWORD}
        )
        assert (session.status_code, session.get_json()["unit"]) == (201, "001.02")
        assert session.get_json()["roles"] == ["capture", "office"]
    roster.write_text(json.dumps([{"id": "hue.office", "roles": ["king"], "password_file": "x"}]))
    assert command.main(["officer", "add-all", "--roster", str(roster)]) == 1


def test_a_new_password_does_not_unblock(office: Office, settings: Path, tmp_path: Path) -> None:
    officer("block")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    add = ["officer", "add", "--id", "lan.capture", "--role", "capture", "--password-file", str(secret)]
    assert command.main(add) == 0
    assert sign_in(office).get_json()["code"] == "OFFICER_SUSPENDED"


def test_blocking_is_recorded_with_who_decided_it(office: Office, settings: Path) -> None:
    officer("block")
    officer("unblock", by="chief.hue")
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, "officer")
        assert recorded_events.verify(connection) == 2
    assert [(step.event, step.actor, step.detail) for step in steps] == [
        ("block", "chief.hanoi", {"officer": "lan.capture"}),
        ("unblock", "chief.hue", {"officer": "lan.capture"}),
    ]


@pytest.mark.parametrize(
    ("action", "who", "by"),
    [("block", "nobody", "chief"), ("unblock", "lan.capture", "chief"), ("block", "lan.capture", "x y"),
     ("block", "lan.capture", "x" * 41)],
)  # fmt: skip
def test_a_block_that_cannot_be_is_refused_whole(
    office: Office, settings: Path, action: str, who: str, by: str
) -> None:
    assert officer(action, who, by) == 1
    assert sign_in(office).status_code == 201
    with office.database.reading() as connection:
        assert recorded_events.verify(connection) == 0


def test_purging_forgets_what_is_over_and_nothing_else(
    office: Office, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = utc_now()
    for age in (timedelta(0), max(SESSION_LENGTH, KEPT_FOR)):
        office.now[0] = now - age
        sign_in(office)
        register = RequestRegister(office.database, lambda: office.now[0])
        register.begin("lan", f"key-{age.total_seconds():014}", "d")
    assert command.main(["purge"]) == 0
    assert "1 ended sessions and 1 old requests" in capsys.readouterr().out
    with office.database.reading() as connection:
        assert len(connection.execute(select(OFFICER_SESSIONS)).all()) == 1
        assert len(connection.execute(select(IDEMPOTENT_REQUESTS)).all()) == 1


def test_a_picture_is_sealed_and_read_again(office: Office, settings: Path) -> None:
    lan = office.sign_in("lan.capture")
    dossier = lan.capture(PERSON).get_json()["id"]
    assert lan.get(f"/v1/dossiers/{dossier}/portrait.jpg").data == picture()
    with office.database.reading() as connection:
        rows = connection.execute(select(PORTRAITS)).all()
    assert [(row.content, len(row.name)) for row in rows] == [(b"", 64)] * 2, "portrait and signature"
    assert hashlib.sha256(picture()).hexdigest() not in {row.name for row in rows}
    sealed = [path.read_bytes() for path in settings.rglob("*") if path.is_file()]
    assert len(sealed) == 2
    assert not [each for each in sealed if picture()[:64] in each or SIGNATURE in each]


def test_pictures_of_before_move_into_the_store(office: Office, settings: Path) -> None:
    lan = office.sign_in("lan.capture")
    ids = [lan.capture(p, f"capture-000000000{n}").get_json()["id"] for n, p in enumerate(citizens()[:2])]
    before = Pictures(office.database, None)
    with office.database.writing() as connection:
        stored = before.put(picture(9))
        before.keep(connection, stored)
        old = stored.name
        connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == ids[0]).values(portrait=old))
    assert old == hashlib.sha256(picture(9)).hexdigest()
    portrait = f"/v1/dossiers/{ids[0]}/portrait.jpg"
    assert lan.get(portrait).data == picture(9), "readable before it is moved"
    assert command.main(["store", "move-pictures"]) == 0
    assert lan.get(portrait).data == picture(9)
    with office.database.reading() as connection:
        assert {bytes(row.content) for row in connection.execute(select(PORTRAITS))} == {b""}
        assert old not in connection.execute(select(PORTRAITS.c.name)).scalars().all()
    office.approve_all(ids[0])
    office.make_cards()
    view = lan.get(f"/v1/dossiers/{ids[0]}").get_json()
    assert view["credential_state"] == "qa_passed", "production finds it too"


def test_the_stores_commands(
    office: Office, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office.sign_in("lan.capture").capture(PERSON)
    keys = ["--keys", str(tmp_path / "blob_keys.json")]

    def run(*arguments: str) -> tuple[int, str]:
        done = command.main(["store", *arguments])
        written = capsys.readouterr()
        return done, written.out + written.err

    assert run("check") == (0, "2 contents, all whole\n")
    assert run("new-key", *keys, "--id", "test-2")[0] == 0
    done, told = run("remove-key", *keys, "--id", "test-1")
    assert (done, "2 contents would be lost" in told) == (1, True)
    assert run("rewrap") == (0, "2 keys wrapped with the current key\n")
    assert run("remove-key", *keys, "--id", "test-1")[0] == 0
    assert run("check")[0] == 0
    assert run("sweep") == (0, "0 objects removed that nothing names\n")
    sealed, _other = (path for path in settings.rglob("*") if path.is_file())
    sealed.write_bytes(sealed.read_bytes()[:-1])
    done, told = run("check")
    assert (done, "1 altered" in told) == (1, True)
    assert PERSON.citizen_number not in told


def test_without_a_store_its_commands_say_so(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", office.database.url)
    assert command.main(["store", "check"]) == 1
    assert "no store is set" in capsys.readouterr().err


# -- the schema


def test_the_migrations_make_the_schema(database_engine: Engine) -> None:
    for module in pkgutil.walk_packages(issuance_backend.__path__, "issuance_backend."):
        if module.name.endswith(".tables") and ".population_registry." not in module.name:
            importlib.import_module(module.name)
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    assert schema_differences(database, METADATA) == []


def test_the_platform_can_be_taken_back_while_no_picture_is_sealed(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    configuration = Config()
    configuration.set_main_option("script_location", str(ISSUANCE_MIGRATIONS))

    def to(version: str) -> None:
        with database.writing() as connection:
            configuration.attributes["connection"] = connection
            move = alembic.downgrade if version == "0001" else alembic.upgrade
            move(configuration, version)

    for version in ("0002", "0001", "0002"):
        to(version)
    blob = {"address": "a", "object_name": "o", "media_type": "m", "size": 1, "key_id": "k", "stored_at": "t"}
    with database.writing() as connection:
        connection.execute(insert(BLOBS).values(**blob, wrapped_key=b"x"))
    with pytest.raises(RuntimeError, match="must stay"):
        to("0001")
