"""A counter with a software card, a gateway over real HTTP, and stand-ins for camera and engine."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.test import Client

from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from reader_agent.app import Agent, create_agent
from reader_agent.face_supply import FaceSupply
from reader_agent.gateway_client import GatewayClient, Signatory
from reader_agent.ports import FaceResult, Frame, ListedStanding
from reader_agent.refusals import CameraUnavailable
from reader_agent.session.face_step import FaceLimits
from reader_agent.session.visit import CounterParts
from reader_agent.settings import AgentSettings
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.chip import remote_chip_authentication
from verification.errors import CardNotPresent, CardRemoved, VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.lds.dg1 import parse_dg1
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.files import LdsFile
from verification.messages.decision import (
    Answer,
    Assurance,
    ChipAssurance,
    Decision,
    DecisionOutcome,
    Holder,
)
from verification.messages.evidence import Evidence
from verification.messages.signed_request import ReceivedRequest, verify_request
from verification.messages.verification_session import (
    ChipCommands,
    ChipSessionRequest,
    SessionOpened,
    SessionPolicy,
    SessionRequest,
)
from verification.pki.trust_store import TrustStore

PORT = 8642
HOST = f"127.0.0.1:{PORT}"
CLIENT = {"Host": HOST, "X-Agent-Client": "test"}
HURRIED = FaceLimits(engine=2.0, frame=0.5, capture=0.5, turn=1.0, by_eye=3.0)
"""Time enough for a stand-in engine, which needs none."""
DEVICE_KEY = ec.generate_private_key(ec.SECP256R1())
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


@cache
def genuine_card() -> CardImage:
    """The invented holder's card as the chip holds it."""
    return card_image(pki.card())


def card_with_portrait(image: bytes) -> CardImage:
    """A genuine card of the same holder with this picture on it."""
    keys = pki.Keys()
    files = pki.unsigned_files(pki.Holder(), keys)
    files[LdsFile.DG2] = build_dg2(Dg2((Portrait.of(image),)))
    files[LdsFile.SOD] = sign_security_object(
        data_group_hashes(files), pki.issuer().document_signer, signing_time=pki.SIGNED
    )
    return card_image(pki.SignedCard(files, pki.Holder(), keys.chip, keys.active))


def card_image(made: pki.SignedCard) -> CardImage:
    """What a chip of this card holds."""
    return CardImage(
        files=dict(made.files),
        can=made.holder.number.can,
        mrz_information=parse_dg1(made.files[LdsFile.DG1]).zone.information,
        chip_authentication_key=_private(made.chip_authentication_key),
        active_authentication_key=_private(made.active_authentication_key),
        pace=True,
        locked=frozenset(),
        selects_master_file=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class SoftReader:
    """A reader with a software card that can be pulled at any command, or fall silent."""

    name = "Soft Reader 00"

    def __init__(self, image: CardImage | None) -> None:
        self.image = image
        self.pull_at: int | None = None
        self.fault: VerificationError | None = None
        self.driver_fault: Exception | None = None
        self.silent: threading.Event | None = None
        self.on_command: Callable[[int], None] = lambda _number: None
        self.connected = 0
        self.closed = 0
        self.commands = 0

    def wait_for_card(self, timeout: float) -> bool:
        if self.fault is not None:
            raise self.fault
        until = time.monotonic() + timeout
        while self.image is None and time.monotonic() < until:
            time.sleep(0.005)
        return self.image is not None

    def connect(self) -> SoftConnection:
        if self.image is None:
            raise CardNotPresent("empty")
        self.connected += 1
        self.commands = 0
        return SoftConnection(self, VirtualCard(self.image))


class SoftConnection:
    def __init__(self, reader: SoftReader, card: VirtualCard) -> None:
        self._reader = reader
        self._card = card
        card.power_on()

    def transmit(self, command: bytes) -> bytes:
        reader = self._reader
        number = reader.commands
        reader.commands += 1
        reader.on_command(number)
        if reader.driver_fault is not None:
            raise reader.driver_fault
        if reader.silent is not None:
            reader.silent.wait(30)
        if reader.pull_at == number:
            raise CardRemoved("pulled")
        return self._card.transmit(command)

    def close(self) -> None:
        self._reader.closed += 1


class StillCamera:
    """Delivers the same picture; ``pixels`` are whatever the stand-in engine understands."""

    name = "still"

    def __init__(self) -> None:
        self.person: Any = "holder"
        self.jpeg = JPEG
        self.broken = False
        self.running = False

    def start(self) -> None:
        self.running = True

    def frame(self, timeout: float) -> Frame:
        if self.broken:
            raise CameraUnavailable("cable")
        time.sleep(0.002)
        return Frame(self.person, self.jpeg)

    def stop(self) -> None:
        self.running = False


class WordTurn:
    """Passes when the person turns where asked; a ``photo`` never does."""

    def __init__(self, compare: Callable[[Sequence[Any]], FaceResult]) -> None:
        self._compare = compare
        self.straight: list[Any] = []
        self.seen = 0
        self.code: str | None = None

    @property
    def is_turning(self) -> bool:
        return len(self.straight) >= 3

    @property
    def direction(self) -> str | None:
        return "left" if self.is_turning else None

    def compare(self) -> FaceResult:
        return self._compare(self.straight)

    def observe(self, pixels: Any) -> str | None:
        if not self.is_turning:
            if pixels not in ("nobody", "blurred"):
                self.straight.append(pixels)
            return None
        self.seen += 1
        if pixels == "photo" and self.seen > 3:
            self.code = "FACE_TURN_NOT_SHOWN"
            return "failed"
        return "passed" if pixels == "holder" and self.seen > 3 else None

    def expire(self) -> str:
        self.code = "FACE_TURN_NOT_SHOWN"
        return self.code


class WordMatcher:
    """An engine whose pictures are words: ``holder``, ``stranger``, ``photo``, ``nobody``."""

    engine = "words"
    model_digests = ("00" * 32,)

    def __init__(self) -> None:
        self.portraits: list[bytes] = []

    def get_ready(self) -> None:
        self.portraits.clear()

    def remember_portrait(self, dg2: bytes) -> None:
        self.portraits.append(dg2)

    def fault_of(self, pixels: Any) -> str | None:
        return {"nobody": "FACE_NOT_FOUND", "blurred": "FACE_BLURRED"}.get(pixels)

    def compare(self, frames: Sequence[Any]) -> FaceResult:
        matched = all(frame in ("holder", "photo") for frame in frames)
        return FaceResult(0.2 if matched else 0.9, 0.45, matched, None if matched else "FACE_NOT_MATCHED")

    def begin_turn(self) -> WordTurn:
        return WordTurn(self.compare)


@dataclass
class HttpGateway:
    """Opens sessions, proves chips and decides, with the product's own pure code behind real HTTP."""

    policy: SessionPolicy = field(
        default_factory=lambda: SessionPolicy((1, 2, 13, 14, 15), True, True, "chip-live-gateway")
    )
    refuse_with: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    requests: list[SessionRequest] = field(default_factory=list)
    port: int = 0
    clock: Callable[[], datetime] = lambda: pki.NOW
    trust: Callable[[], TrustStore] = pki.trust_store
    _state: bytes = b""
    _dg14: bytes = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, bytes]:
        kind = path.rsplit("/", 1)[-1]
        time.sleep(self.seconds.get(kind, 0))
        request = ReceivedRequest(method, f"{self.url}{path}", tuple(headers), body)
        verify_request(request, lambda _key_id: DEVICE_KEY.public_key(), self.clock())
        if kind in self.refuse_with:
            return self.refuse_with[kind]
        if kind == "verification-sessions":
            return 201, self._open(body)
        if kind == "chip-session":
            return 201, self._begin(body)
        return 200, self._decide(body)

    def _open(self, body: bytes) -> bytes:
        self.requests.append(msgspec.json.decode(body, type=SessionRequest))
        opened = SessionOpened("vs_1", "created", "2026-05-04T10:05:00Z", bytes(8), self.policy)
        return msgspec.json.encode(opened)

    def _begin(self, body: bytes) -> bytes:
        request = msgspec.json.decode(body, type=ChipSessionRequest)
        begun = remote_chip_authentication.begin(request.dg14, request.sod_length, random=secrets.token_bytes)
        self._state, self._dg14 = begun.state, request.dg14
        return msgspec.json.encode(ChipCommands(begun.agent_wrapped, begun.relayed, b"sealed"))

    def _decide(self, body: bytes) -> bytes:
        evidence = msgspec.json.decode(body, type=Evidence)
        self.evidence.append(evidence)
        files = evidence.card.lds_files()
        proof = self._chip_outcome(evidence)
        report = inspect(files, self.trust(), self.clock(), chip_authentication=proof)
        face = evidence.attested.face
        code = report.fault_code
        if code is None and self.policy.face_required and (face is None or not face.matched):
            code = face.code if face else "FACE_NOT_VERIFIED"
        chip = ChipAssurance.CHIP_LIVE_GATEWAY if report.is_chip_genuine else ChipAssurance.NONE
        decision = Decision(
            session=evidence.session,
            purpose="bank.counter.identify",
            outcome=DecisionOutcome.REFUSED if code else DecisionOutcome.VERIFIED,
            code=code,
            assurance=Assurance(chip, "agent" if face else "none", "online"),
            checks=(),
            decided_at="2026-05-04T10:00:01Z",
            holder=Holder("NGUYỄN THỊ THỬ NGHIỆM", "001090123456", "1990-01-01", "F"),
        )
        return msgspec.json.encode(Answer(decision, "e30.receipt.sig"))

    def _chip_outcome(self, evidence: Evidence) -> CheckResult | None:
        chip = evidence.card.chip
        if chip is None:
            return None
        sod = evidence.card.files["SOD"]
        try:
            remote_chip_authentication.finish(self._state, chip.responses, dg14=self._dg14, sod=sod)
        except VerificationError as error:
            return CheckResult(Outcome.FAILED, error.code)
        return PASSED


@contextmanager
def serving(gateway: HttpGateway) -> Iterator[HttpGateway]:
    """The gateway on a loopback port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, answered = gateway.answer(self.command, self.path, self.headers.items(), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        do_POST = _serve  # noqa: N815 - the server's own names
        do_PUT = _serve  # noqa: N815

        def log_message(self, *_arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Bench:
    """One counter and everything around it."""

    agent: Agent
    reader: SoftReader
    camera: StillCamera
    gateway: HttpGateway
    matcher: WordMatcher

    def post(self, path: str, body: object, **headers: str) -> Any:
        return Client(self.agent.app).post(path, json=body, headers={**CLIENT, **headers})

    def get(self, path: str, **headers: str) -> Any:
        return Client(self.agent.app).get(path, headers={**CLIENT, **headers})

    def delete(self, path: str) -> Any:
        return Client(self.agent.app).delete(path, headers=CLIENT)

    def order(self, **changed: Any) -> dict[str, Any]:
        access = {"can": genuine_card().can}
        usual = {"purpose": "bank.counter.identify", "access": access, "consent": True, "language": "en"}
        return usual | changed

    def start(self, **changed: Any) -> str:
        answered = self.post("/v1/sessions", self.order(**changed))
        assert answered.status_code == 202, answered.text
        return str(answered.json["id"])

    def finish(self, session: str, seconds: float = 15.0) -> dict[str, Any]:
        return self.wait(session, lambda view: view["state"] in ("decided", "cancelled"), seconds)

    def wait(
        self, session: str, until: Callable[[dict[str, Any]], bool], seconds: float = 15.0
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view: dict[str, Any] = self.get(f"/v1/sessions/{session}").json
            if until(view):
                return view
            time.sleep(0.005)
        raise AssertionError(f"still {view['state']}")

    def wait_until_free(self, seconds: float = 5.0) -> None:
        """Until the last visit has put the card down."""
        deadline = time.monotonic() + seconds
        while self.agent.desk.holds_reader:
            assert time.monotonic() < deadline, "the reader is still held"
            time.sleep(0.002)

    def tap(self, **changed: Any) -> dict[str, Any]:
        """A whole visit."""
        return self.finish(self.start(**changed))


def make_bench(
    gateway: HttpGateway,
    folder: Path,
    *,
    image: CardImage | None = None,
    engine: bool = True,
    gateway_seconds: float = 5.0,
    card_wait_seconds: float = 5.0,
    session_seconds: float = 60.0,
    port: int = PORT,
    camera: Any = None,
    faces: FaceSupply | None = None,
    face_limits: FaceLimits = HURRIED,
    offline_standing: Callable[[Any], ListedStanding | None] = lambda _files: None,
) -> Bench:
    """A counter on ``gateway``; ``folder`` is any path, nothing is read from it."""
    reader, camera, matcher = SoftReader(image), camera or StillCamera(), WordMatcher()
    signatory = Signatory("counter-1", DEVICE_KEY, lambda: pki.NOW, secrets.token_bytes)
    parts = CounterParts(
        agent_id="counter-1",
        reader=reader,
        gateway=GatewayClient(gateway.url, signatory, seconds=gateway_seconds),
        trust=pki.trust_store,
        camera=camera,
        faces=faces or FaceSupply(lambda: matcher if engine else None),
        clock=lambda: pki.NOW,
        random=secrets.token_bytes,
        card_wait_seconds=card_wait_seconds,
        face_limits=face_limits,
        offline_standing=offline_standing,
    )
    settings = AgentSettings(
        gateway_url=gateway.url,
        trust_dir=folder,
        device_key=folder / "unused.pem",
        id="counter-1",
        listen=f"127.0.0.1:{port}",
        session_seconds=session_seconds,
        card_wait_seconds=card_wait_seconds,
    )
    return Bench(create_agent(settings, parts), reader, camera, gateway, matcher)
