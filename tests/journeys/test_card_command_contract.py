"""The two commands that outside programs rely on, run as they run them: a card and a reader, two processes.

Every field of the reader's JSON is compared with what the card said of itself in ``card.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.cv_authorities import CvCeremony, CvPlan, hold_cv_ceremony
from issuance_backend.virtual_card.tampering import clone, flip_dg13, swap_dg14
from monitoring.virtual_reader import VirtualReader
from tests.support import synthetic_cards
from tests.support.laid_card import Answer, LaidCard, WatchedCard
from tests.support.machine import lacks
from tests.support.running_stand import POLLED
from tests.support.teller_page import free_port
from tests.support.virtual_reader_bed import ROOT, card_process
from verification.lds.dg1 import parse_dg1
from verification.lds.files import LdsFile

pytestmark = pytest.mark.slow

OK, USAGE, NO_CARD, REFUSED = 0, 2, 4, 5
TODAY = datetime.now(UTC).date()
NOTHING_READ: dict[str, object] = {
    "ok": False,
    "access": None,
    "passive_auth": "not done",
    "active_auth": "not done",
    "chip_auth": "not done",
    "terminal_auth": "not done",
    "downgraded": False,
    "dgs": {},
    "locked": [],
}
ALL_WELL: dict[str, object] = {
    "ok": True,
    "passive_auth": "ok",
    "active_auth": "ok",
    "chip_auth": "ok",
    "downgraded": False,
    "error": None,
}
ACCESS = {"bac": "BAC", "pace-gm": "PACE-GM", "pace-im": "PACE-IM", "pace-cam": "PACE-CAM", "cccd": "PACE-GM"}
WITH_FINGERS = {"pace-cam", "cccd"}
DATA_GROUPS = {profile: {"1", "2", "14", "15"} for profile in ACCESS} | {
    "pace-cam": {"1", "2", "3", "14", "15"},
    "cccd": {"1", "2", "3", "13", "14", "15"},
}


@dataclass(frozen=True)
class Table:
    """A reader by its name, and where a card is laid on it."""

    reader: str
    address: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "reader_agent", "read", "--reader", self.reader, "--json"]
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        """The exit code and the JSON object in the last line."""
        return ended(self.start(*arguments))


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    output, faults = process.communicate(timeout=60)
    assert "Traceback" not in faults, faults
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert list(told) == [*NOTHING_READ, "apdus", "seconds", "error"]
    assert (process.returncode == OK) is told["ok"]
    return process.returncode, told


@contextmanager
def socket_table() -> Iterator[Table]:
    port = free_port()
    yield Table(f"vpcd:127.0.0.1:{port}", f"127.0.0.1:{port}")


@contextmanager
def pcscd_table(folder: Path) -> Iterator[Table]:
    reason = VirtualReader.available()
    if reason is not None:
        lacks(reason)
    with VirtualReader(folder) as stack:
        environment = os.environ | {"PCSCLITE_CSOCK_NAME": str(stack.pcsc_socket)}
        yield Table("Virtual PCD 00 0*", f"unix:{stack.door(0)}", environment)


@pytest.fixture(scope="module", params=["socket", pytest.param("pcscd", marks=pytest.mark.needs_pcscd)])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    over = pcscd_table(tmp_path_factory.mktemp("bed")) if request.param == "pcscd" else socket_table()
    with over as found:
        yield found


@pytest.fixture(autouse=True)
def card_gone(request: pytest.FixtureRequest) -> Iterator[None]:
    """pcscd looks at a slot a few times a second: the card of one test must not be met by the next."""
    yield
    if "table" in request.fixturenames and request.getfixturevalue("table").address.startswith("unix:"):
        time.sleep(POLLED)


@pytest.fixture
def by_socket() -> Iterator[Table]:
    with socket_table() as found:
        yield found


@contextmanager
def card(table: Table, folder: Path, profile: str) -> Iterator[dict[str, Any]]:
    with card_process(table.address, folder, profile) as told:
        assert set(told) == {"mrz", "can", "sha256"}
        assert set(told["sha256"]) == DATA_GROUPS[profile]
        yield told


@pytest.mark.parametrize("profile", ACCESS)
def test_every_profile_is_read_with_every_secret(table: Table, profile: str, tmp_path: Path) -> None:
    fingers = profile in WITH_FINGERS
    trusted = ("--csca", tmp_path / "csca.der")
    with card(table, tmp_path, profile) as told:
        open_groups = {number: digest for number, digest in told["sha256"].items() if number != "3"}
        expected = ALL_WELL | {
            "access": ACCESS[profile],
            "terminal_auth": "not done" if fingers else "not supported",
            "locked": [3] if fingers else [],
            "dgs": open_groups,
        }
        for secret in ("mrz",) if profile == "bac" else ("mrz", "can"):
            require(table.read(f"--{secret}", told[secret], *trusted), OK, expected)
        assert (tmp_path / "cvc").exists() is fingers
        if fingers:
            admitted = table.read("--can", told["can"], *trusted, "--cvc", tmp_path / "cvc")
            everything = {"terminal_auth": "ok", "locked": [], "dgs": told["sha256"]}
            require(admitted, OK, expected | everything)
        wrong = table.read("--can", f"{(int(told['can']) + 1) % 10**6:06}", *trusted)
        # A number opens no card that speaks basic access control only: what is missing is said.
        code = "MRZ_NEEDED" if profile == "bac" else "ACCESS_SECRET_WRONG"
        require(wrong, REFUSED, NOTHING_READ | {"error": code})


def require(answer: tuple[int, dict[str, Any]], exit_code: int, expected: Mapping[str, object]) -> None:
    told = answer[1]
    assert {name: told[name] for name in expected} == expected
    assert answer[0] == exit_code
    if told["access"]:
        assert 20 < told["apdus"] < 100
        assert 0 < told["seconds"] < 10


@pytest.mark.parametrize("profile", ACCESS)
def test_what_is_wrong_is_told_by_its_code(by_socket: Table, profile: str, tmp_path: Path) -> None:
    trusted = ("--csca", tmp_path / "csca.der")
    foreign = tmp_path / "foreign.der"
    foreign.write_bytes(synthetic_cards.ceremony().csca.certificate.public_bytes(Encoding.DER))
    with card(by_socket, tmp_path, profile) as told:
        zone: str = told["mrz"]
        another = parse_dg1(synthetic_cards.card("bac").files[LdsFile.DG1]).mrz
        wrong = by_socket.read("--mrz", another, *trusted)
        require(wrong, REFUSED, NOTHING_READ | {"error": "ACCESS_SECRET_WRONG"})
        misread = by_socket.read("--mrz", zone[:14] + "X" + zone[15:], *trusted)
        require(misread, REFUSED, NOTHING_READ | {"error": "ACCESS_SECRET_MALFORMED", "apdus": 0})
        untrusted = {"ok": False, "passive_auth": "CHIP_DS_UNTRUSTED", "error": "CHIP_DS_UNTRUSTED"}
        require(by_socket.read("--mrz", zone, "--csca", foreign), REFUSED, untrusted)
        missing = by_socket.read("--mrz", zone, "--csca", tmp_path / "missing.der")
        require(missing, USAGE, NOTHING_READ | {"error": "REQUEST_MALFORMED", "apdus": 0})


def write_terminal(folder: Path, people: CvCeremony) -> Path:
    folder.mkdir()
    for number, certificate in enumerate(people.chain):
        (folder / f"cvc_{number}.cvcert").write_bytes(certificate)
    (folder / "is_key.pkcs8").write_bytes(people.terminal_key.to_pkcs8())
    return folder


@pytest.mark.parametrize("profile", sorted(WITH_FINGERS))
def test_a_terminal_that_the_card_does_not_admit_reads_no_fingerprints(
    by_socket: Table, profile: str, tmp_path: Path
) -> None:
    expired = write_terminal(tmp_path / "expired", hold_cv_ceremony(CvPlan(), TODAY - timedelta(days=200)))
    foreign = write_terminal(tmp_path / "foreign", hold_cv_ceremony(CvPlan(country="XX"), TODAY))
    empty = tmp_path / "empty"
    empty.mkdir()
    with card(by_socket, tmp_path, profile) as told:
        shown = ("--can", told["can"], "--csca", tmp_path / "csca.der")
        open_groups = {number: digest for number, digest in told["sha256"].items() if number != "3"}
        for folder, code in ((expired, "TERMINAL_CERTIFICATE_EXPIRED"), (foreign, "TERMINAL_NOT_TRUSTED")):
            refused = {"ok": False, "terminal_auth": code, "error": code, "locked": [3], "dgs": open_groups}
            require(by_socket.read(*shown, "--cvc", folder), REFUSED, ALL_WELL | refused)
        absent = by_socket.read(*shown, "--cvc", empty)
        require(absent, USAGE, NOTHING_READ | {"error": "REQUEST_MALFORMED", "apdus": 0})


@pytest.fixture
def issuer(tmp_path: Path) -> Path:
    """The CSCA of the cards that this process holds itself."""
    path = tmp_path / "csca.der"
    path.write_bytes(synthetic_cards.ceremony().csca.certificate.public_bytes(Encoding.DER))
    return path


@pytest.mark.parametrize("leaves_at", [0, 3, 6, 12, 20])
def test_a_card_that_is_pulled_is_told_as_removed(table: Table, issuer: Path, leaves_at: int) -> None:
    image = synthetic_cards.card("cccd")
    reading = table.start("--can", image.can, "--csca", issuer)
    began = time.monotonic()
    with LaidCard(table.address, WatchedCard(image, leaves_at=leaves_at)) as laid:
        code, told = ended(reading)
        assert laid.card.reached.is_set()
    assert (code, told["error"], told["ok"]) == (REFUSED, "CARD_REMOVED", False)
    assert told["apdus"] == leaves_at + 1
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("tamper", "refused"),
    [
        (clone, {"passive_auth": "ok", "chip_auth": "CHIP_CLONED", "error": "CHIP_CLONED"}),
        (flip_dg13, {"passive_auth": "CHIP_DATA_ALTERED", "chip_auth": "ok", "error": "CHIP_DATA_ALTERED"}),
        (swap_dg14, {"passive_auth": "CHIP_DATA_ALTERED", "error": "CHIP_DATA_ALTERED"}),
    ],
    ids=["clone", "flipped DG13", "swapped DG14"],
)
def test_a_tampered_card_is_refused_by_its_code(
    table: Table, issuer: Path, tamper: Any, refused: dict[str, str]
) -> None:
    image = tamper(synthetic_cards.card("cccd"))
    reading = table.start("--can", image.can, "--csca", issuer)
    with LaidCard(table.address, WatchedCard(image)):
        require(ended(reading), REFUSED, {"ok": False, "access": "PACE-GM", "downgraded": False} | refused)


def fails_pace(_number: int, command: bytes, answer: bytes) -> bytes:
    return b"\x6f\x00" if command[:2] in (b"\x00\x86", b"\x10\x86") else answer


def hides_pace(_number: int, command: bytes, answer: bytes) -> bytes:
    return b"\x6a\x82" if command[5:7] == LdsFile.CARD_ACCESS.file_id or command[2:3] == b"\x9c" else answer


@pytest.mark.parametrize("answers", [fails_pace, hides_pace])
def test_a_fall_back_to_basic_access_control_is_told_and_refused(
    by_socket: Table, issuer: Path, answers: Answer
) -> None:
    image = synthetic_cards.card("cccd")
    zone = parse_dg1(image.files[LdsFile.DG1]).mrz
    reading = by_socket.start("--mrz", zone, "--csca", issuer)
    with LaidCard(by_socket.address, WatchedCard(image, answers=answers)):
        told = {"downgraded": True, "error": "ACCESS_CONTROL_DOWNGRADED"}
        require(ended(reading), REFUSED, NOTHING_READ | told)


def test_no_card_is_told_when_the_wait_is_over(table: Table, issuer: Path) -> None:
    answer = table.read("--can", "123456", "--csca", issuer, "--wait", "0.5")
    require(answer, NO_CARD, NOTHING_READ | {"error": "CARD_NOT_PRESENT", "apdus": 0})
