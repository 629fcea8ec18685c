"""No person in logs, error bodies, metrics, receipts or the database."""

from __future__ import annotations

import json
import logging

import msgspec
import pytest
from sqlalchemy import select

from gateway.adapters.sql_schema import log_entries, metadata
from monitoring.logs import JsonLines
from tests.support import pki
from tests.support.engines import Engine
from tests.support.gateway_world import HANDED_OVER, World, matching_face
from verification.lds.files import LdsFile
from verification.messages.receipt import receipt_payload
from verification.messages.verification_session import Consent, SessionRequest

HOLDER = pki.Holder(citizen_number="001090987654", full_name="Trịnh Thị Ca-na-ri")
PLACED = {
    "number": HOLDER.citizen_number,
    "can": HOLDER.number.can,
    "document number": HOLDER.number.mrz_document_number,
    "name": HOLDER.full_name,
    "name in capitals": HOLDER.full_name.upper(),
    "mrz name": "TRINH<<THI",
    "birth in mrz": HOLDER.mrz_date_of_birth + "",
    "birth": HOLDER.date_of_birth,
    "birth in iso": "1990-01-01",
    "home": "Phường Thử Nghiệm",
    "father": "Nguyễn Cha Thử",
    "words of the teller": "khách là cô Ca-na-ri",
    "reference": "REF-CANARY-0001",
    "agent version": "CANARY-VERSION",
}


@pytest.fixture
def log_lines(world: World) -> list[str]:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines("gateway").format(record))

    keep, root = Keep(), logging.getLogger()
    root.addHandler(keep)
    before = root.level
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(keep)
    root.setLevel(before)


def run_everything(world: World) -> list[str]:
    """Decisions of every kind, and every sort of refusal; the bodies that must name nobody."""
    card = pki.make_card(HOLDER, signer=pki.quick_issuer().document_signer)
    request = SessionRequest("bank.counter.identify", Consent("1", "vi"), partner_ref=PLACED["reference"])
    world.counter.send("POST", "/v1/verification-sessions", request)
    by_eye = matching_face(
        card, method="manual", manual_reason="CAMERA_UNAVAILABLE: " + PLACED["words of the teller"]
    )
    told = matching_face(card, matched=False, code=HOLDER.full_name)
    bodies = []
    for face in (matching_face(card), by_eye, told):
        evidence = world.evidence(world.counter.open(), card, face=face)
        attested = msgspec.structs.replace(evidence.attested, agent_version=PLACED["agent version"])
        evidence = msgspec.structs.replace(evidence, attested=attested)
        world.counter.submit(evidence)
        bodies.append(world.counter.submit(evidence).text)
        bodies.append(world.counter.send("GET", f"/v1/verification-sessions/{evidence.session}/receipt").text)
    files = {file: card.files[file] for file in HANDED_OVER}
    flipped = bytearray(files[LdsFile.DG13])
    flipped[40] ^= 1
    altered = world.evidence(world.counter.open(), card, files={**files, LdsFile.DG13: bytes(flipped)})
    bodies.append(world.counter.submit(altered).text)
    misnamed = {"session": "vs_x", "card": {HOLDER.full_name: HOLDER.citizen_number}}
    bodies.append(world.counter.send("PUT", "/v1/verification-sessions/vs_x/evidence", misnamed).text)
    bodies.append(world.counter.send("GET", f"/v1/verification-sessions/{HOLDER.citizen_number}").text)
    bodies.append(names_and_labels(world.app.test_client().get("/metrics").text))
    bodies.append(world.app.test_client().get("/v1/log/checkpoint").text)
    return bodies


def names_and_labels(metrics: str) -> str:
    """What metrics say in words: among so many digits of moments and sums are anybody's six."""
    return "\n".join(line.rpartition(" ")[0] for line in metrics.splitlines() if not line.startswith("#"))


def test_no_person_is_found_anywhere(world: World, log_lines: list[str], database_engine: Engine) -> None:
    bodies = run_everything(world)
    with world.database.reading() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
        receipts = connection.execute(select(log_entries.c.receipt)).scalars().all()
    cells = [
        cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell for row in rows for cell in row
    ]
    dump = "\n".join(map(str, cells))
    dump += "".join(json.dumps(receipt_payload(receipt), ensure_ascii=False) for receipt in receipts)
    raw = b"".join(path.read_bytes() for path in world.folder.glob("database-*.db*"))
    assert log_lines
    assert bool(raw) == (database_engine.name == "sqlite")
    assert "verified" in dump
    for name, canary in PLACED.items():
        for place, text in (
            ("logs", "\n".join(log_lines)),
            ("bodies", "\n".join(bodies)),
            ("database", dump),
        ):
            if (name, place) == ("birth in mrz", "database"):
                continue  # six digits are found in any hex dump; the raw file is searched below
            assert canary not in text, (name, place)
        if name not in {"birth in mrz", "can"}:
            assert canary.encode() not in raw, (name, "database file")


def test_the_answer_of_a_verified_holder_is_the_one_place_that_names_them(world: World) -> None:
    card = pki.make_card(HOLDER, signer=pki.quick_issuer().document_signer)
    answer = world.decide(card=card, face=matching_face(card))
    assert answer.decision.holder.full_name == HOLDER.full_name
    assert HOLDER.citizen_number not in answer.receipt


def test_subjects_are_the_same_for_one_partner_and_name_nobody(world: World) -> None:
    subjects = {receipt_payload(world.decide().receipt)["entry"]["subject"] for _ in range(2)}
    assert len(subjects) == 1
    assert len(subjects.pop()) == 32
