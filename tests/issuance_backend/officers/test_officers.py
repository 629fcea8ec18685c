from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from issuance_backend import __main__ as command
from issuance_backend.officers import repository, service
from issuance_backend.officers.domain import BLOCK_LENGTH, FAILURES_BEFORE_BLOCK, SESSION_LENGTH, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.schema import METADATA
from tests.support.issuance_office import NOW, PASSWORD, Office
from tests.support.quick_passwords import OWN_METHOD


def sign_in(office: Office, officer: str, password: str) -> Any:
    return office.client().post("/v1/officer-sessions", json={"officer": officer, "password": password})


def test_a_wrong_password_and_an_unknown_officer_look_the_same(office: Office) -> None:
    wrong, unknown = sign_in(office, "lan.capture", "x"), sign_in(office, "nobody", "x")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_json()["code"] == unknown.get_json()["code"] == "OFFICER_SIGN_IN_FAILED"


def test_guessing_blocks_for_a_while_even_with_the_right_password(office: Office) -> None:
    for _ in range(FAILURES_BEFORE_BLOCK):
        sign_in(office, "lan.capture", "x")
    blocked = sign_in(office, "lan.capture", PASSWORD)
    assert (blocked.status_code, blocked.get_json()["code"]) == (429, "OFFICER_SIGN_IN_BLOCKED")
    office.now[0] = NOW + BLOCK_LENGTH + timedelta(seconds=1)
    assert sign_in(office, "lan.capture", PASSWORD).status_code == 201


def test_a_session_ends_by_time_and_by_signing_out(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    assert lan.get("/v1/dossiers").status_code == 200
    office.now[0] = NOW + SESSION_LENGTH
    assert lan.get("/v1/dossiers").get_json()["code"] == "OFFICER_SESSION_ENDED"
    office.now[0] = NOW
    headers = {"Authorization": f"Bearer {lan.token}"}
    assert lan.client.delete("/v1/officer-sessions/current", headers=headers).status_code == 204
    assert lan.get("/v1/dossiers").status_code == 401


def test_neither_password_nor_token_stands_in_the_database(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    with office.database.reading() as connection:
        rows = [row for table in METADATA.sorted_tables for row in connection.execute(select(table))]
    dump = "\n".join(map(str, rows))
    assert PASSWORD not in dump
    assert lan.token not in dump
    assert "scrypt:" in dump


def test_a_password_is_hashed_so_that_guessing_takes_long(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_METHOD", OWN_METHOD)
    OfficerDoor(office.database, lambda: NOW).enrol("mot", "Một", (Role.CAPTURE,), PASSWORD)
    with office.database.reading() as connection:
        account = repository.account(connection, "mot")
    assert account is not None
    assert account.password_hash.startswith("scrypt:32768:8:1$"), (
        "32 MB and a tenth of a second for each guess"
    )
    assert sign_in(office, "mot", PASSWORD).status_code == 201


def test_the_command_enrols_and_changes_officers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", f"sqlite:///{tmp_path / 'i.db'}")
    secret = tmp_path / "password"
    add = ["officer", "add", "--id", "lan", "--role", "capture", "--password-file", str(secret)]
    secret.write_text("short\n")
    assert command.main(add) == 1
    secret.write_text("long-enough-password\n")
    assert command.main(add) == 0
    assert command.main([*add, "--role", "approver"]) == 0
    assert command.main([*add[:3], "lan nguyễn", *add[4:]]) == 1
    assert command.main(["verify-events"]) == 0
    assert "long-enough-password" not in capsys.readouterr().out


def test_an_unknown_role_is_a_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", f"sqlite:///{tmp_path / 'i.db'}")
    with pytest.raises(SystemExit) as ended:
        command.main(["officer", "add", "--id", "a", "--role", "boss", "--password-file", "x"])
    assert ended.value.code == 2
