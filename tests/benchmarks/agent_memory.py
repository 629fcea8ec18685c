"""Resident memory of a serving agent: idle, after a chip-only visit, and after its first face.

The agent is a process of its own with the packages of a counter and no others; card, gateway and camera
stand around it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import cv2
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.virtual_card import vpcd
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.benchmarks.figure import Figure, at_most
from tests.support import pki
from tests.support.counter_bench import DEVICE_KEY, HttpGateway, card_image, serving
from tests.support.counter_environment import counter_python
from tests.support.group_hashes import data_group_hashes
from tests.support.teller_page import free_port
from verification.face.image import encode_jp2
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import webcam_frame
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.files import LdsFile
from verification.messages.verification_session import SessionPolicy

IDLE_GOAL_MB, FACE_GOAL_MB = 45, 250
_SEED = 117
_ROOT = Path(__file__).resolve().parents[2]
_CHIP_ONLY = SessionPolicy((1, 2, 13, 14, 15), False, False, "chip-live-gateway")
_WITH_FACE = SessionPolicy((1, 2, 13, 14, 15), True, False, "chip-live-gateway")


def run() -> list[Figure]:
    """Four figures; without face models the last is left out."""
    with tempfile.TemporaryDirectory() as folder, _bench(Path(folder)) as (gateway, process, agent):
        idle = _resident_mb(process.pid)
        _open_page(agent)
        page = _resident_mb(process.pid)
        gateway.policy = _CHIP_ONLY
        _visit(agent)
        chip = _resident_mb(process.pid)
        figures = [
            at_most("agent_memory.idle", idle, "MB", goal=IDLE_GOAL_MB),
            at_most("agent_memory.page_open", page, "MB", goal=IDLE_GOAL_MB),
            at_most("agent_memory.after_chip_visit", chip, "MB", goal=IDLE_GOAL_MB),
        ]
        if _model_dir() is not None:
            gateway.policy = _WITH_FACE
            _visit(agent)
            after = _resident_mb(process.pid)
            figures.append(at_most("agent_memory.after_first_face", after, "MB", goal=FACE_GOAL_MB))
        return figures


@contextmanager
def _bench(folder: Path) -> Iterator[tuple[HttpGateway, subprocess.Popen[bytes], str]]:
    ceremony = hold_ceremony(CeremonyPlan(), datetime.now(UTC))
    _write_files(folder, ceremony)
    port, slot = free_port(), free_port()
    store = pki.trust_store(ceremony)
    with serving(HttpGateway(clock=lambda: datetime.now(UTC), trust=lambda: store)) as gateway:
        environment = _environment(folder, gateway.url, port, slot)
        command = [str(counter_python(folder / "python")), "-m", "reader_agent", "serve"]
        with subprocess.Popen(command, env=environment, cwd=_ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                agent = f"http://127.0.0.1:{port}"
                _wait_until_up(agent)
                card = VirtualCard(_card(ceremony))
                serve = partial(vpcd.serve, card, vpcd.connect(f"127.0.0.1:{slot}"))
                threading.Thread(target=serve, daemon=True).start()
                yield gateway, process, agent
            finally:
                process.terminate()


def _write_files(folder: Path, ceremony: Ceremony) -> None:
    (folder / "trust").mkdir()
    (folder / "frames").mkdir()
    csca = ceremony.csca.certificate.public_bytes(Encoding.DER)
    (folder / "trust" / "csca.der").write_bytes(csca)
    (folder / "trust" / "csca.crl").write_bytes(ceremony.revocation_list.public_bytes(Encoding.DER))
    key = folder / "device.pem"
    key.write_bytes(DEVICE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    for number in range(3):
        frame = webcam_frame(render(person(_SEED)), seed=number)
        cv2.imwrite(str(folder / "frames" / f"{number}.jpg"), frame)


def _card(ceremony: Ceremony) -> object:
    keys = pki.Keys()
    files = pki.unsigned_files(pki.Holder(), keys)
    portrait = cv2.resize(render(person(_SEED)), (240, 240), interpolation=cv2.INTER_AREA)
    files[LdsFile.DG2] = build_dg2(Dg2((Portrait.of(encode_jp2(portrait)),)))
    signer = ceremony.document_signer
    files[LdsFile.SOD] = sign_security_object(
        data_group_hashes(files), signer, signing_time=datetime.now(UTC)
    )
    return card_image(pki.SignedCard(files, pki.Holder(), keys.chip, keys.active))


def _environment(folder: Path, gateway: str, port: int, slot: int) -> dict[str, str]:
    # What a service manager would leave: without compiled files every start would compile again.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {
        "AGENT_LISTEN": f"127.0.0.1:{port}",
        "AGENT_GATEWAY_URL": gateway,
        "AGENT_TRUST_DIR": str(folder / "trust"),
        "AGENT_DEVICE_KEY": str(folder / "device.pem"),
        "AGENT_ID": "counter-bench",
        "AGENT_READER": f"vpcd:127.0.0.1:{slot}",
        "AGENT_CAMERA": f"folder:{folder / 'frames'}",
    }
    models = _model_dir()
    return kept | settings | ({"AGENT_MODEL_DIR": str(models)} if models else {})


def _model_dir() -> Path | None:
    folder = Path(os.environ.get("TEST_MODEL_DIR", _ROOT / ".run" / "models"))
    return folder if folder.is_dir() else None


def _wait_until_up(agent: str, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            _call(agent, "GET", "/v1/status")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _open_page(agent: str) -> None:
    with urllib.request.urlopen(f"{agent}/", timeout=10) as page:  # noqa: S310 - our own http address
        page.read()


def _visit(agent: str) -> None:
    body = {
        "purpose": "bank.counter.identify",
        "access": {"can": pki.Holder().number.can},
        "consent": True,
    }
    session = _call(agent, "POST", "/v1/sessions", body)["id"]
    for _ in range(3000):
        view = _call(agent, "GET", f"/v1/sessions/{session}")
        if view["verdict"]:
            if view["verdict"]["outcome"] != "verified":
                raise RuntimeError(f"the visit ended with {view['verdict']['code']}")
            return
        time.sleep(0.01)
    raise RuntimeError(f"the visit has no verdict: {view}")


def _call(agent: str, method: str, path: str, body: object = None) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "X-Agent-Client": secrets.token_hex(4)}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(agent + path, content, headers, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as refusal:
        raise RuntimeError(f"{path}: {refusal.read()!r}") from None


def _resident_mb(pid: int) -> float:
    # Added up page by page: the counters of /proc/PID/status may be some hundred kB off.
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    line = next(line for line in rollup.splitlines() if line.startswith("Rss"))
    return int(line.split()[1]) / 1024
