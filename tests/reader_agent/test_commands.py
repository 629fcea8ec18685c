"""The command line: the reader contract over a real card process, exit codes, and the doctor."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from issuance_backend.virtual_card.tampering import clone, flip_dg13
from reader_agent import exit_codes
from reader_agent.__main__ import main
from reader_agent.doctor import examine
from reader_agent.ports import CardReader
from reader_agent.read_command import ReadOrder, read_card
from reader_agent.session.access import Access
from tests.support import pki
from tests.support.counter_bench import DEVICE_KEY, SoftReader, genuine_card
from tests.support.teller_page import free_port
from verification.errors import ReaderNotFound
from verification.lds.files import LdsFile

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {
    "ok", "access", "passive_auth", "active_auth", "chip_auth", "terminal_auth", "downgraded", "dgs",
    "locked", "apdus", "seconds", "error",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _keep_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command run in this process may not send the other tests' log lines to its own closed stream."""
    monkeypatch.setattr("reader_agent.__main__.configure", lambda _service: None)


@contextmanager
def card_process(profile: str, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """A card as outside programs start one; the port where it looks for a reader, and what opens it."""
    port = free_port()
    command = [sys.executable, "-m", "issuance_backend.virtual_card", "--vpcd", f"127.0.0.1:{port}"]
    command += ["--profile", profile, "--export", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            exported = folder / "card.json"
            until = time.monotonic() + 30
            while not exported.exists():
                assert time.monotonic() < until, "no card in time"
                time.sleep(0.05)
            time.sleep(0.05)
            yield port, json.loads(exported.read_text(encoding="utf-8"))
        finally:
            process.terminate()


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["read", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(
    ("profile", "secret", "access"),
    [("cccd", "can", "PACE-GM"), ("pace-gm", "mrz", "PACE-GM"), ("bac", "mrz", "BAC")],
)
def test_the_reader_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str, secret: str, access: str
) -> None:
    with card_process(profile, tmp_path) as (port, opens):
        code, result = read(
            capsys,
            "--reader",
            f"vpcd:127.0.0.1:{port}",
            f"--{secret}",
            opens[secret],
            "--csca",
            str(tmp_path / "csca.der"),
        )
    assert result.keys() >= FIELDS
    assert (code, result["ok"], result["error"]) == (0, True, None)
    assert (result["access"], result["passive_auth"], result["chip_auth"]) == (access, "ok", "ok")
    assert result["active_auth"] == "ok"
    assert result["downgraded"] is False
    assert (
        result["dgs"].items() <= {str(number): digest for number, digest in opens["sha256"].items()}.items()
    )
    assert {"1", "2", "14", "15"} <= result["dgs"].keys()
    assert result["apdus"] > 10
    assert 0 < result["seconds"] < 10


@pytest.mark.parametrize(("profile", "access"), [("pace-cam", "PACE-CAM"), ("cccd", "PACE-GM")])
def test_a_terminal_with_certificates_reads_fingerprints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str, access: str
) -> None:
    with card_process(profile, tmp_path) as (port, opens):
        trusted = ["--csca", str(tmp_path / "csca.der"), "--cvc", str(tmp_path / "cvc")]
        code, result = read(capsys, "--reader", f"vpcd:127.0.0.1:{port}", "--mrz", opens["mrz"], *trusted)
    assert (code, result["ok"], result["error"]) == (0, True, None)
    assert (result["access"], result["chip_auth"], result["terminal_auth"]) == (access, "ok", "ok")
    assert (result["passive_auth"], result["locked"]) == ("ok", [])
    assert result["dgs"] == {str(number): digest for number, digest in opens["sha256"].items()}
    assert "3" in result["dgs"]


def test_a_wrong_can_exits_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with card_process("pace-gm", tmp_path) as (port, opens):
        wrong = f"{(int(opens['can']) + 1) % 10**6:06}"
        code, result = read(
            capsys, "--reader", f"vpcd:127.0.0.1:{port}", "--can", wrong, "--csca", str(tmp_path / "csca.der")
        )
    assert (code, result["ok"], result["error"]) == (exit_codes.REFUSED, False, "ACCESS_SECRET_WRONG")


@pytest.fixture
def csca(tmp_path: Path) -> Path:
    path = tmp_path / "csca.der"
    path.write_bytes(pki.issuer().csca.certificate.public_bytes(Encoding.DER))
    return path


def judged(reader: SoftReader, csca: Path, **access: str) -> tuple[dict[str, Any], int]:
    order = ReadOrder("*", Access(**(access or {"can": genuine_card().can})), (csca,), 0.1)
    opened: Callable[[str], CardReader] = lambda _name: reader  # noqa: E731
    return read_card(order, opened)


def test_every_file_is_reported_by_its_hash(csca: Path) -> None:
    result, _ = judged(SoftReader(genuine_card()), csca)
    files = {str(f.value): c for f, c in genuine_card().files.items() if f.is_data_group}
    assert result["dgs"] == {number: hashlib.sha256(content).hexdigest() for number, content in files.items()}
    assert "13" in files
    assert str(LdsFile.SOD.value) not in result["dgs"]


@pytest.mark.parametrize(
    ("tamper", "passive", "chip"), [(clone, "ok", "CHIP_CLONED"), (flip_dg13, "CHIP_DATA_ALTERED", "ok")]
)
def test_a_check_that_fails_makes_it_not_ok(csca: Path, tamper: Any, passive: str, chip: str) -> None:
    result, code = judged(SoftReader(tamper(genuine_card())), csca)
    assert (result["ok"], code) == (False, exit_codes.REFUSED)
    assert (result["passive_auth"], result["chip_auth"]) == (passive, chip)
    assert result["error"] is not None


@pytest.mark.parametrize("says", ["not found", "closed"])
@pytest.mark.parametrize(
    ("kept_back", "chip", "active"),
    [
        ({LdsFile.DG14}, "CHIP_CLONED", "ok"),
        ({LdsFile.DG15}, "ok", "CHIP_AA_FAILED"),
        ({LdsFile.DG14, LdsFile.DG15}, "CHIP_CLONED", "CHIP_AA_FAILED"),
    ],
)
def test_a_copy_that_keeps_the_chips_public_keys_back_is_not_ok(
    csca: Path, kept_back: set[LdsFile], chip: str, active: str, says: str
) -> None:
    """Files can be copied and private keys cannot: without DG14 and DG15 nothing would be asked of it."""
    image = genuine_card()
    if says == "not found":
        shown = {file: content for file, content in image.files.items() if file not in kept_back}
        image = msgspec.structs.replace(image, files=shown)
    else:
        image = msgspec.structs.replace(image, locked=image.locked | kept_back)
    result, code = judged(SoftReader(image), csca, can=image.can)
    assert (result["chip_auth"], result["active_auth"]) == (chip, active)
    assert (result["passive_auth"], result["ok"], code) == ("ok", False, exit_codes.REFUSED)


def test_a_card_of_another_issuer_is_not_ok(tmp_path: Path) -> None:
    other = tmp_path / "other.der"
    other.write_bytes(pki.rogue().csca.certificate.public_bytes(Encoding.DER))
    result, code = judged(SoftReader(genuine_card()), other)
    assert (result["ok"], result["passive_auth"], code) == (False, "CHIP_DS_UNTRUSTED", exit_codes.REFUSED)


def test_no_card_and_no_reader_have_exit_codes_of_their_own(csca: Path) -> None:
    result, code = judged(SoftReader(None), csca)
    assert (result["error"], code) == ("CARD_NOT_PRESENT", exit_codes.NO_CARD)

    def missing(_name: str) -> CardReader:
        raise ReaderNotFound("none")

    result, code = read_card(ReadOrder("x", Access(can="123456"), (csca,), 0.1), missing)
    assert (result["error"], code) == ("READER_NOT_FOUND", exit_codes.NO_READER)


def test_a_card_pulled_while_reading_gives_the_card_back(csca: Path) -> None:
    reader = SoftReader(genuine_card())
    reader.pull_at = 12
    result, code = judged(reader, csca)
    assert (result["error"], code) == ("CARD_REMOVED", exit_codes.REFUSED)
    assert reader.closed == 1


def test_a_secret_that_cannot_be_right_never_reaches_the_card(csca: Path) -> None:
    reader = SoftReader(genuine_card())
    result, _ = judged(reader, csca, mrz="IDVNM")
    assert result["error"] == "ACCESS_SECRET_MALFORMED"
    assert reader.connected == 0


def test_a_trust_file_that_is_not_there_is_a_fault_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        ["read", "--reader", "vpcd:127.0.0.1:1", "--can", "123456", "--csca", "/nowhere.der", "--json"]
    )
    assert code == exit_codes.USAGE
    assert "nowhere.der" in capsys.readouterr().err


@pytest.fixture
def counter(tmp_path: Path, csca: Path) -> dict[str, str]:
    key = tmp_path / "device.pem"
    key.write_bytes(DEVICE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    trust = tmp_path / "trust"
    trust.mkdir()
    csca.rename(trust / "csca.der")
    return {
        "AGENT_GATEWAY_URL": f"http://127.0.0.1:{free_port()}",
        "AGENT_TRUST_DIR": str(trust),
        "AGENT_DEVICE_KEY": str(key),
        "AGENT_ID": "counter-1",
        "AGENT_READER": f"vpcd:127.0.0.1:{free_port()}",
        "AGENT_LANGUAGE": "en",
    }


def test_the_doctor_names_what_is_wrong_and_who_must_act(counter: dict[str, str]) -> None:
    report = examine(counter)
    found = {finding.part: finding for finding in report.findings}
    assert found["reader"].is_well
    assert found["trust"].is_well
    assert (found["gateway"].is_well, found["gateway"].owner) == (False, "operator")
    assert report.exit_code == exit_codes.OFFLINE


def test_the_doctor_says_when_there_is_no_reader(counter: dict[str, str]) -> None:
    report = examine(counter | {"AGENT_READER": "vpcd:192.168.0.9:1"})
    assert report.exit_code == exit_codes.NO_READER
    assert "READER_NOT_FOUND" in next(f.detail for f in report.findings if f.part == "reader")


def test_the_doctor_lists_every_fault_of_the_settings() -> None:
    report = examine({"AGENT_LISTEN": "0.0.0.0:1"})
    assert report.exit_code == exit_codes.USAGE
    assert "AGENT_DEVICE_KEY is not set" in report.findings[0].detail
    assert json.loads(report.to_json())["ok"] is False


def test_serve_without_settings_says_so_and_ends() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_")}
    command = [sys.executable, "-m", "reader_agent", "serve"]
    ended = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, timeout=30, check=False)
    assert ended.returncode == exit_codes.USAGE
    assert b"AGENT_GATEWAY_URL is not set" in ended.stderr
