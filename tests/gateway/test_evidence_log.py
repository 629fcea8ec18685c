"""The evidence log: proofs over the real database, and every edit of a row found."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway import __main__ as program
from gateway.adapters.evidence_log import audit
from gateway.adapters.sql_schema import log_head
from gateway.domain.refusals import LogTampered
from tests.support.engines import Engine
from tests.support.gateway_world import World, write_secret
from verification.messages import merkle
from verification.messages.receipt import read_checkpoint, read_receipt
from verification.messages.signing_key import from_b64url, thumbprint

PURPOSE = ("--purpose", "hospital.check_in")

DECISIONS = 5


@pytest.fixture
def logged(world: World) -> list[str]:
    """The receipts of some decisions, refused and verified."""
    return [world.decide(chip=bool(index % 2)).receipt for index in range(DECISIONS)]


def test_every_decision_is_logged_and_the_log_is_whole(world: World, logged: list[str]) -> None:
    assert audit(world.database, world.log_key.public_key()) == DECISIONS
    key = world.log_key.public_key()
    entries = [read_receipt(receipt, {thumbprint(key): key}).entry for receipt in logged]
    assert [entry.sequence for entry in entries] == list(range(DECISIONS))
    for earlier, later in pairwise(entries):
        assert from_b64url(later.previous) == merkle.leaf_hash(earlier.encoded())


def test_an_empty_log_is_whole(world: World) -> None:
    assert audit(world.database, world.log_key.public_key()) == 0
    client = world.app.test_client()
    assert json.loads(client.get("/v1/log/checkpoint").data) == {"checkpoint": None}


def test_anybody_can_check_the_proofs(world: World, logged: list[str]) -> None:
    client, key = world.app.test_client(), world.log_key.public_key()
    head = read_checkpoint(json.loads(client.get("/v1/log/checkpoint").data)["checkpoint"], key)
    assert head.size == DECISIONS
    for receipt in logged:
        told = read_receipt(receipt, {thumbprint(key): key})
        index = told.entry.sequence
        answer = client.get(f"/v1/log/inclusion?sequence={index}&size={head.size}")
        proof = [base64.b64decode(sibling) for sibling in json.loads(answer.data)["proof"]]
        leaf = merkle.leaf_hash(told.entry.encoded())
        merkle.require_inclusion(leaf, index, head.size, proof, head.root)
        then = read_checkpoint(told.checkpoint, key)
        answer = client.get(f"/v1/log/consistency?old={then.size}&size={head.size}")
        proof = [base64.b64decode(sibling) for sibling in json.loads(answer.data)["proof"]]
        merkle.require_consistency((then.size, then.root), (head.size, head.root), proof)


@pytest.mark.parametrize(
    "query",
    [
        "inclusion?sequence=5&size=5",
        "inclusion?sequence=0&size=6",
        "inclusion?sequence=-1&size=5",
        "inclusion?sequence=x&size=5",
        "inclusion?size=5",
        "inclusion?sequence=99999999999999999999&size=5",
        "consistency?old=0&size=5",
        "consistency?old=5&size=4",
        "consistency?old=1&size=6",
        "inclusion?sequence=\u0661&size=5",
    ],
)
def test_proofs_outside_the_log_are_refused(world: World, logged: list[str], query: str) -> None:
    response = world.app.test_client().get(f"/v1/log/{query}")
    assert (response.status_code, json.loads(response.data)["code"]) == (400, "REQUEST_MALFORMED")


EDITS = [
    "UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), 'refused', 'verified') AS BLOB)",
    "UPDATE log_entries SET entry = CAST(entry AS TEXT) WHERE sequence = 2",
    "UPDATE log_entries SET leaf = x'00' WHERE sequence = 1",
    "UPDATE log_entries SET session = (SELECT id FROM sessions WHERE state = 'opened') WHERE sequence = 3",
    "UPDATE log_entries SET receipt = (SELECT max(receipt) FROM log_entries) WHERE sequence <= 1",
    "UPDATE log_entries SET receipt = replace(receipt, 'e', 'f') WHERE sequence = 4",
    "DELETE FROM log_entries WHERE sequence = 4",
    "DELETE FROM log_entries WHERE sequence = 2",
    "DELETE FROM log_entries",
    "UPDATE log_entries SET sequence = 99 WHERE sequence = 4",
    "UPDATE log_nodes SET hash = x'00' WHERE level = 1 AND position = 0",
    "DELETE FROM log_nodes WHERE level = 2",
    "INSERT INTO log_nodes VALUES (0, 5, x'00')",
    "UPDATE log_head SET size = 4",
    "UPDATE log_head SET checkpoint = NULL",
    "UPDATE log_head SET checkpoint = replace(checkpoint, 'test', 'tset')",
    "DELETE FROM log_head",
]

SPELT_OTHERWISE = {
    EDITS[0]: "UPDATE log_entries SET entry = "
    "convert_to(replace(convert_from(entry, 'UTF8'), 'refused', 'verified'), 'UTF8')",
}
ONLY_WITHOUT_TYPES = {EDITS[1]}
"""PostgreSQL keeps a column's type whoever writes to it."""


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_is_found(world: World, logged: list[str], edit: str, database_engine: Engine) -> None:
    if database_engine.name == "postgresql":
        if edit in ONLY_WITHOUT_TYPES:
            return
        edit = SPELT_OTHERWISE.get(edit, edit).replace("x'00'", "decode('00', 'hex')")
    world.counter.open()
    with world.database.writing() as connection:
        changed = connection.exec_driver_sql(edit)
        assert changed.rowcount > 0
    with pytest.raises(LogTampered):
        audit(world.database, world.log_key.public_key())


def test_a_tail_that_was_cut_off_whole_is_found_by_whoever_holds_a_receipt(
    world: World, logged: list[str]
) -> None:
    """The last entry removed with all its traces, head and tree included: its receipt still proves it."""
    key = world.log_key.public_key()
    told = read_receipt(logged[-1], {thumbprint(key): key})
    kept = read_receipt(logged[-2], {thumbprint(key): key})
    with world.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM log_entries WHERE sequence = 4")
        connection.exec_driver_sql("DELETE FROM log_nodes WHERE level = 0 AND position = 4")
        connection.exec_driver_sql("UPDATE log_head SET size = 4")
        connection.execute(update(log_head).values(checkpoint=kept.checkpoint))
    assert audit(world.database, key) == 4
    assert read_checkpoint(told.checkpoint, key).size == 5


def test_verify_receipt_from_the_command_line(
    world: World, logged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = world.folder / "receipt.jws"
    file.write_text(logged[1] + "\n")
    trust = str(world.folder / "trust")
    assert program.main(["verify-receipt", str(file), "--trust", trust]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["outcome"], told["sequence"]) == (True, "verified", 1)
    file.write_text(logged[1][:-2] + "AA")
    assert program.main(["verify-receipt", str(file), "--trust", trust]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "RECEIPT_INVALID"
    file.write_bytes(b"\xff\xfe")
    assert program.main(["verify-receipt", str(file), "--trust", trust]) == 1
    assert program.main(["verify-receipt", str(world.folder / "none"), "--trust", trust]) == 2
    assert program.main(["verify-receipt", str(file), "--trust", str(world.folder)]) == 2


def test_every_tampered_byte_of_a_receipt_file_is_refused_offline(world: World, logged: list[str]) -> None:
    """In a process of its own, with an environment that names no gateway."""
    file = world.folder / "receipt.jws"
    file.write_text(logged[0])
    command = [
        sys.executable,
        "-m",
        "gateway",
        "verify-receipt",
        str(file),
        "--trust",
        str(world.folder / "trust"),
    ]
    root = Path(program.__file__).parents[1]
    fine = subprocess.run(command, cwd=root, env={"PATH": ""}, capture_output=True, check=False)
    assert fine.returncode == 0, fine.stderr
    assert json.loads(fine.stdout)["valid"] is True


def test_verify_log_from_the_command_line(
    world: World, logged: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = world.settings
    for name in ("trust_dir", "registry_url", "credentials_url", "service_token_file", "log_key", "seal_key"):
        monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", settings.public_url)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", settings.database_url)
    assert program.main(["verify-log"]) == 0
    assert json.loads(capsys.readouterr().out) == {"valid": True, "entries": DECISIONS}
    with world.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM log_entries WHERE sequence = 1")
    assert program.main(["verify-log"]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "LOG_TAMPERED"


def test_partners_and_agents_from_the_command_line(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("trust_dir", "registry_url", "credentials_url", "service_token_file", "log_key", "seal_key"):
        monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(getattr(world.settings, name)))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", world.settings.public_url)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", f"sqlite:///{world.folder / 'new' / 'fresh.db'}")
    jwk = str(world.folder / "trust" / "log_key.jwk")
    assert program.main(["agent", "add", "--id", "a1", "--partner", "p1", "--jwk", jwk]) == 2
    assert "no partner" in capsys.readouterr().err
    assert program.main(["partner", "add", "--id", "p1", "--name", "Bank", "--jwk", jwk, *PURPOSE]) == 0
    assert program.main(["agent", "add", "--id", "a1", "--partner", "p1", "--jwk", jwk]) == 0
    assert (
        program.main(["agent", "add", "--id", "a1", "--partner", "p1", "--jwk", jwk, "--standing", "closed"])
        == 0
    )
    bad = world.folder / "bad.jwk"
    for content in (
        b"[]",
        b"{",
        b'{"kty":"oct","k":"AA"}',
        b'{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}',
    ):
        write_secret(bad, content)
        assert program.main(["partner", "add", "--id", "p1", "--name", "B", "--jwk", str(bad), *PURPOSE]) == 2
