"""After every journey and every fault: no person, no key and no command in a log, a metric, a refusal or
the gateway's database."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from issuance_backend.virtual_card.tampering import flip_dg13
from tests.support.laid_card import WatchedCard
from tests.support.running_stand import HOLDER, Issued, RunningStand, http
from verification.identity.person_name import mrz_name
from verification.lds.dg1 import parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg13 import parse_dg13
from verification.lds.files import LdsFile

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]

PROGRAMS = (
    "registry",
    "issuance",
    "gateway",
    "office_gateway",
    "admin",
    "wallet",
    "agent",
    "office_agent",
)
WORKERS = ("workers", "registry_rounds")
SELECT_APPLICATION = bytes.fromhex("A0000002471001")
SERVERS_OWN = re.compile(
    r"\[\d{4}-\d\d-\d\d [\d: +]+\] \[\d+\] \[[A-Z]+\] "
    r"(Starting gunicorn|Listening at|Using worker|Booting worker|Control socket"
    r"|Handling signal|Shutting down|Worker)"
)
COUNTS = re.compile(r"\d{1,7} [a-z ]+(; \d{1,7} [a-z ]+)*")
"""What a command that works in rounds says at its end: no number as long as a citizen's, and no name."""

PIECE = 24
"""Bytes of a picture, a file or a command that are looked for; random ones do not repeat by chance."""


@pytest.fixture(scope="module")
def busy(stand: RunningStand) -> RunningStand:
    """A stand that has verified, refused and failed, whatever ran before this module."""
    desk = stand.socket_counter
    stand.stands(HOLDER)
    with desk.lay(WatchedCard(stand.holder.image)):
        assert desk.visit(stand.holder.access).ending == ("verified", None)
        assert desk.visit({"mrz": stand.holder.image.mrz_information}).ending == ("verified", None)
        assert desk.visit({"can": "000000"}).ending[0] == "incomplete"
        assert desk.send("POST", "/v1/sessions", {"access": {"can": stand.holder.image.can}}).status == 400
    with desk.lay(WatchedCard(flip_dg13(stand.holder.image))):
        assert desk.visit(stand.holder.access).ending[0] == "refused"
    for path in (f"/v1/persons/{stand.holder.number}", f"/{stand.holder.number}"):
        stand.bodies.append(http("GET", stand.addresses.url("registry") + path).body)
    return stand


def words(issued: Issued) -> dict[str, str]:
    """What names the person or opens the card."""
    files, image = issued.image.files, issued.image
    zone = parse_dg1(files[LdsFile.DG1]).zone
    primary, secondary = mrz_name(str(issued.person["full_name"]))
    known = parse_dg13(files[LdsFile.DG13])
    found = {
        "citizen number": issued.number,
        "CAN": image.can,
        "document number": zone.document_number,
        "MRZ information": image.mrz_information,
        "name": str(issued.person["full_name"]),
        "name in capitals": str(issued.person["full_name"]).upper(),
        "name in the MRZ": f"{primary}<<{secondary}".replace(" ", "<"),
        "father": str(known.father),
        "mother": str(known.mother),
        "residence": str(known.place_of_residence),
    }
    return {name: word for name, word in found.items() if word not in {"", "None"}}


def pieces(issued: Issued) -> dict[str, bytes]:
    """Bytes of the card that may be nowhere: picture, holder's files, private keys, security object."""
    files, image = issued.image.files, issued.image
    picture = parse_dg2(files[LdsFile.DG2]).portraits[0].image
    found = {
        "portrait": picture[len(picture) // 2 :][:PIECE],
        "portrait's end": picture[-PIECE - 2 : -2],
        "DG13": files[LdsFile.DG13][40 : 40 + PIECE],
        "DG14": files[LdsFile.DG14][-PIECE:],
        "EF.SOD": files[LdsFile.SOD][-PIECE:],
        "select application": SELECT_APPLICATION,
    }
    for name, encoded in (
        ("chip authentication key", image.chip_authentication_key),
        ("active authentication key", image.active_authentication_key),
    ):
        if encoded is not None:
            number = load_der_private_key(encoded, None).private_numbers()  # type: ignore[union-attr]
            found[name] = number.private_value.to_bytes(64, "big").lstrip(b"\0")[:PIECE]  # type: ignore[union-attr]
    return found


def spellings(piece: bytes) -> Iterator[bytes]:
    """A piece as it is, in hexadecimal, as a list of numbers, and in base 64 at each of its three offsets."""
    yield piece
    yield piece.hex().encode()
    yield piece.hex().upper().encode()
    yield piece.hex(" ").encode()
    yield piece.hex(" ").upper().encode()
    yield ", ".join(map(str, piece)).encode()
    for offset in range(3):
        # The first and the last characters depend on the neighbours.
        yield base64.b64encode(bytes(offset) + piece)[4 : (len(piece) + offset) // 3 * 4]


def secrets_of(stand: RunningStand) -> dict[str, bytes]:
    """Every key file, token and password of the stand's programs."""
    found = {}
    for path in sorted((stand.folder / "keys").rglob("*")) + sorted(
        (stand.folder / "pki" / "keys").rglob("*")
    ):
        if path.suffix in {".jwk", ".json"} or not path.is_file():
            continue
        content = path.read_bytes().strip()
        found[path.name] = content.splitlines()[1][:40] if content.startswith(b"-----") else content
    assert {"gateway_seal", "agent_device.pem", "gateway.token", "officer-capture.password"} <= found.keys()
    return found


def places(stand: RunningStand) -> dict[str, bytes]:
    """Everything that outlives a visit, or is shown to somebody who is not the teller."""
    found = {f"log of {path.stem}": path.read_bytes() for path in (stand.folder / "logs").glob("*.log")}
    assert {f"log of {program}" for program in (*PROGRAMS, *WORKERS)} <= found.keys()
    for program in PROGRAMS:
        answered = http("GET", stand.addresses.url(program) + "/metrics")
        if answered.status == 200:
            found[f"metrics of {program}"] = answered.body
    assert {"metrics of gateway", "metrics of issuance", "metrics of registry"} <= found.keys()
    found["refusals"] = b"\n".join(stand.bodies)
    assert len(stand.bodies) >= 3
    for path in stand.folder.glob("*gateway.db*"):
        found[f"file {path.name}"] = path.read_bytes()
    for gateway in ("gateway", "office_gateway"):
        with closing(sqlite3.connect(stand.folder / f"{gateway}.db")) as database:
            found[f"tables of {gateway}"] = "\n".join(database.iterdump()).encode()
    return found


def test_no_person_is_named_anywhere(busy: RunningStand) -> None:
    issued = [busy.issued(number) for number in busy.issued_numbers]
    assert issued
    for place, content in places(busy).items():
        for card in issued:
            for name, word in words(card).items():
                # Six digits are found in any long number: as a word of its own it would be the CAN.
                # In a raw database file nothing marks the beginning of a word; its tables are read as text.
                if len(word) < 9 and place.startswith("file"):
                    continue
                shown = re.search(rb"(?<![\w.])" + re.escape(word.encode()) + rb"(?!\w)", content)
                assert shown is None, f"{name} in {place}"


def test_no_byte_of_a_card_and_no_command_is_kept_anywhere(busy: RunningStand) -> None:
    for place, content in places(busy).items():
        for number in busy.issued_numbers:
            for name, piece in pieces(busy.issued(number)).items():
                for spelling in spellings(piece):
                    assert spelling not in content, f"{name} in {place}"


def test_no_secret_of_a_program_is_shown_anywhere(busy: RunningStand) -> None:
    for place, content in places(busy).items():
        for name, secret in secrets_of(busy).items():
            for spelling in (secret, secret.hex().encode(), base64.b64encode(secret)):
                assert spelling not in content, f"{name} in {place}"


def test_the_search_finds_what_is_there(busy: RunningStand) -> None:
    """The same search on what must hold the person: the card itself, and the registry's database."""
    card = busy.holder
    written = (busy.folder / "cards" / f"{card.credential}.card").read_bytes()
    assert all(piece in written for name, piece in pieces(card).items() if name != "select application")
    registry = b"".join(path.read_bytes() for path in busy.folder.glob("registry.db*"))
    assert card.number.encode() in registry
    digest = hashlib.sha256(written).digest()
    coded = base64.b64encode(b"x" + digest + b"y")
    assert sum(spelling in coded for spelling in spellings(digest)) >= 1


def test_logs_are_json_lines_counts_and_the_servers_own_of_starting_and_stopping(busy: RunningStand) -> None:
    """Whatever a library prints by itself has not gone through our redaction."""
    for path in (busy.folder / "logs").glob("*.log"):
        for line in path.read_text(encoding="utf-8").splitlines():
            is_ours = line.startswith("{") or COUNTS.fullmatch(line)
            assert is_ours or SERVERS_OWN.match(line), f"{path.name}: {line[:120]}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_request_that_cannot_be_read_is_not_quoted_in_a_log(busy: RunningStand, program: str) -> None:
    number, port = busy.holder.number, urlsplit(busy.addresses.url(program)).port
    for sent in (f"GET /{number} {number}/9\r\n\r\n", f"{number} / HTTP/1.1\r\n{number}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(sent.encode())
            connection.shutdown(socket.SHUT_WR)
            answered = b"".join(iter(lambda: connection.recv(4096), b""))
        assert b"Traceback" not in answered
    assert number.encode() not in (busy.folder / "logs" / f"{program}.log").read_bytes()
