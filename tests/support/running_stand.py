"""The whole stack as real processes, once a test run: officers, counters, cards, and who stands there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from joserfc.jwk import ECKey

from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.virtual_card.card_image import CardImage
from monitoring.issuing import IssuingOffice
from monitoring.preparation import run
from monitoring.probe_clients import Json, Wallet
from monitoring.site import (
    HOST,
    PARTNER,
    Addresses,
    Site,
)
from monitoring.stack import Stack
from monitoring.staff import OFFICERS, Staff
from monitoring.stand.drawn_people import draw, portrait
from monitoring.stand.page import Stand
from monitoring.stand.scene import Artist, Kind, Pose, Scene
from monitoring.supervisor import Program, Supervisor
from monitoring.virtual_reader import VirtualReader
from tests.support.group_hashes import data_group_hashes
from tests.support.issuing import approve_all, hand_over_on_a_word
from tests.support.laid_card import LaidCard, WatchedCard
from tests.support.processes import process_id
from tests.support.teller_page import free_port
from verification.lds.files import LdsFile

WITH_TURN, WITHOUT_TURN = "bank.counter.identify", "bank.counter.identify.passive"
HOLDER, PAGE_CUSTOMER, STRANGER = 0, 1, 2
HTTP_SECONDS = 10.0
POLLED = 0.5
"""pcscd looks at a slot every 0.4 s. A card that follows one torn out inside a command sooner than that is
not noticed until it is lifted; no hand is so quick."""

VISIT_SECONDS = 40.0
_STAND = pytest.StashKey["RunningStand"]()


class Reply(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Over(NamedTuple):
    """How a visit ended, and how long the caller waited for it."""

    view: Json
    seconds: float

    @property
    def verdict(self) -> Json:
        verdict: Json = self.view["verdict"]
        return verdict

    @property
    def ending(self) -> tuple[str, str | None]:
        return self.verdict["outcome"], self.verdict["code"]


def http(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One exchange; a refusal is an answer like any other."""
    request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=HTTP_SECONDS) as answer:  # noqa: S310
            return Reply(answer.status, dict(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Reply(refusal.code, dict(refusal.headers.items()), refusal.read())


@dataclass
class Desk:
    """A counter as its teller's programs see it: HTTP, and the place where cards are laid."""

    url: str
    door: str
    bodies: list[bytes] = field(default_factory=list)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", "X-Agent-Client": "tests", **headers}
        reply = http(method, self.url + path, content, given)
        if reply.status >= 400:
            self.bodies.append(reply.body)
        return reply

    def start(self, access: Json, purpose: str = WITHOUT_TURN, language: str = "vi") -> str:
        order = {"purpose": purpose, "access": access, "consent": True, "language": language}
        reply = self.send("POST", "/v1/sessions", order)
        assert reply.status == 202, reply.body
        return str(reply.json["id"])

    def view(self, session: str) -> Json:
        view: Json = self.send("GET", f"/v1/sessions/{session}").json
        return view

    def wait(self, session: str, until: Callable[[Json], object], seconds: float = VISIT_SECONDS) -> Json:
        """The first view of which ``until`` holds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = self.view(session)
            if until(view):
                return view
            time.sleep(0.01)
        raise AssertionError(f"after {seconds} s the visit is still {view['state']}")

    def finish(self, session: str, seconds: float = VISIT_SECONDS) -> Over:
        began = time.monotonic()
        view = self.wait(session, lambda view: view["verdict"], seconds)
        return Over(view, time.monotonic() - began)

    def visit(self, access: Json, **order: str) -> Over:
        return self.finish(self.start(access, **order))

    @contextmanager
    def lay(self, card: WatchedCard) -> Iterator[LaidCard]:
        """The card on this counter's reader for as long as the block lasts."""
        self.wait_for_card(present=False)
        with LaidCard(self.door, card) as laid:
            self.wait_for_card(present=True)
            yield laid
        self.wait_for_card(present=False)
        if self.door.startswith("unix:"):
            time.sleep(POLLED)

    def wait_for_card(self, *, present: bool, seconds: float = 8.0) -> None:
        """PC/SC looks at a slot a few times a second."""
        deadline = time.monotonic() + seconds
        while self.send("GET", "/v1/status").json["card_present"] is not present:
            assert time.monotonic() < deadline, f"the reader did not notice: card present is not {present}"
            time.sleep(0.02)


@dataclass(frozen=True)
class Issued:
    """A card in a citizen's hands."""

    person: Json
    dossier: str
    credential: str
    image: CardImage

    @property
    def number(self) -> str:
        return str(self.person["citizen_number"])

    @property
    def access(self) -> Json:
        return {"citizen_number": self.number}


class RunningStand:
    """Everything that `make up` runs, and a second counter whose cards come over the vpcd socket."""

    def __init__(self, folder: Path, models: Path, closing: ExitStack) -> None:
        self.folder = folder
        self.models = models
        self.reader = VirtualReader(folder / "reader") if VirtualReader.available() is None else None
        self.scene = Scene(Artist(draw, portrait), Stand(folder))
        closing.callback(self.scene.close)
        self.supervisor = Supervisor(folder / "logs")
        site = Site(
            folder=folder,
            models=models,
            addresses=Addresses.free(),
            camera=f"{self.scene.url}/frame.jpg",
            reader=self.reader,
        )
        self.stack = Stack(site, self.supervisor)
        closing.callback(self.stack.stop)
        self.stack.start()
        self.addresses = self.stack.addresses
        self.people: list[Json] = json.loads((folder / "people.json").read_text(encoding="utf-8"))
        self.bodies: list[bytes] = []
        self._issued: dict[int, Issued] = {}
        self._closing = closing

    # -- people

    @cached_property
    def office(self) -> IssuingOffice:
        """The officers who issue cards here."""
        return IssuingOffice(self.staff)

    @cached_property
    def staff(self) -> Staff:
        """Everybody who works here, signed in."""
        passwords = {name: self.password(name) for name in OFFICERS}
        return Staff(self.addresses.url("admin"), self.addresses.url("issuance"), passwords)

    def password(self, name: str) -> str:
        return (self.folder / "keys" / f"{name}.password").read_text().strip()

    def issued(self, person: int) -> Issued:
        """A card of this synthetic citizen, made the ordinary way once."""
        if person not in self._issued:
            self._issued[person] = self._issue(self.people[person])
        return self._issued[person]

    @property
    def issued_numbers(self) -> list[int]:
        """Which citizens have a card by now, by their place in ``people``."""
        return sorted(self._issued)

    @property
    def holder(self) -> Issued:
        return self.issued(HOLDER)

    def stands(self, person: int, kind: Kind = Kind.LIVING) -> None:
        """Let this citizen come before the camera."""
        self.scene.show(int(self.people[person]["portrait_seed"]), kind)

    def follow(self, view: Json) -> None:
        """The person does what the page asks."""
        direction = view["challenge"]["direction"]
        self.scene.turn(Pose(direction) if direction else Pose.FRONTAL)

    def _issue(self, person: Json) -> Issued:
        picture = portrait(int(person["portrait_seed"]))
        dossier = self.office.capture(str(person["citizen_number"]), picture)
        approve_all(self.office, dossier)
        credential = self.made(dossier)
        self.office.deliver([credential])
        hand_over_on_a_word(self.staff, credential)
        return Issued(person, dossier, credential, self.image(credential))

    def made(self, dossier: str) -> str:
        """The card of an approved dossier, which passed quality control."""
        self.office.receive_blanks()
        return self.office.make_cards([dossier])[dossier].card

    # -- cards

    def image(self, credential: str) -> CardImage:
        """What is written on a card of the drawer."""
        return CardImage.from_bytes((self.folder / "cards" / f"{credential}.card").read_bytes())

    def signed(self, files: Mapping[LdsFile, bytes]) -> bytes:
        """EF.SOD by this issuer's own signer: what only a broken issuer would sign."""
        moment = datetime.now(UTC)
        signer = self._document_signers.signer_for(moment)
        return sign_security_object(data_group_hashes(files), signer, signing_time=moment)

    @cached_property
    def _document_signers(self) -> Any:
        return PkiDirectory(self.folder / "pki").open_document_signers()

    # -- counters

    @cached_property
    def wallet(self) -> Wallet:
        return Wallet(self.addresses.url("wallet"))

    @cached_property
    def counter(self) -> Desk:
        """The stack's own counter: over pcscd where that can run."""
        door = f"unix:{self.reader.door(0)}" if self.reader else f"{HOST}:{self.addresses.vpcd}"
        return Desk(self.addresses.url("agent"), door, self.bodies)

    @cached_property
    def socket_counter(self) -> Desk:
        """A second counter, whose cards come over the vpcd socket: a card is seen at once."""
        return self._closing.enter_context(self.another_counter("socket"))

    @contextmanager
    def another_counter(self, name: str, **settings: str) -> Iterator[Desk]:
        """One more agent process with a device key of its own; ``settings`` are ``AGENT_*``."""
        agent = settings.pop("ID", f"counter-{name}")
        command = settings.pop("command", "")
        port, vpcd_port = free_port(), free_port()
        key = self.enrolled(agent)
        environment = {
            "LISTEN": f"{HOST}:{port}",
            "GATEWAY_URL": self.addresses.url("gateway"),
            "GATEWAY_SECONDS": "2",
            "TRUST_DIR": str(self.folder / "trust"),
            "DEVICE_KEY": str(key),
            "ID": agent,
            "READER": f"vpcd:{HOST}:{vpcd_port}",
            "CAMERA": f"{self.scene.url}/frame.jpg",
            "MODEL_DIR": str(self.models),
            **settings,
        }
        program = Program(
            name=f"agent-{name}",
            command=[sys.executable, *(["-c", command] if command else ["-m", "reader_agent", "serve"])],
            environment={
                **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
                "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
                **{f"AGENT_{key}": value for key, value in environment.items() if value},
            },
            ready_url=f"http://{HOST}:{port}/v1/status",
        )
        self.supervisor.start(program)
        try:
            self.supervisor.wait_ready(program.name)
            yield Desk(f"http://{HOST}:{port}", f"{HOST}:{vpcd_port}", self.bodies)
        finally:
            self.supervisor.stop(program.name)

    def enrolled(self, agent: str) -> Path:
        """The key file of an agent, enrolled at the gateway unless its name begins with ``unknown``."""
        path = self.folder / "keys" / f"{agent}.pem"
        if path.exists():
            return path
        key = ECKey.generate_key("P-256")
        path.touch(mode=0o600)
        path.write_bytes(key.as_pem(private=True))
        if not agent.startswith("unknown"):
            jwk = path.with_suffix(".jwk")
            jwk.write_text(json.dumps(key.as_dict(private=False)))
            run(
                "gateway",
                *("agent", "add", "--id", agent, "--partner", PARTNER, "--jwk", jwk),
                settings=self.stack.settings.gateway(),
            )
        return path

    def require_next_customer(self, desk: Desk, seconds: float = 8.0) -> None:
        """The holder, with the genuine card, is verified at once, whatever happened before."""
        self.stands(HOLDER)
        began = time.monotonic()
        with desk.lay(WatchedCard(self.holder.image)):
            over = desk.visit(self.holder.access)
        assert over.ending == ("verified", None), over.verdict
        assert time.monotonic() - began < seconds

    # -- faults of programs

    @contextmanager
    def frozen(self, program: str) -> Iterator[None]:
        """The program is there and accepts connections, and answers nothing (SIGSTOP)."""
        group = process_id(self.supervisor, program)
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    @contextmanager
    def without(self, program: str) -> Iterator[None]:
        """The program is not there."""
        self.stack.stop_program(program)
        try:
            yield
        finally:
            self.stack.resume_program(program)


def running_stand(config: pytest.Config, models: Path) -> RunningStand:
    """The one stand of this test run; it ends with the run."""
    if _STAND not in config.stash:
        closing = ExitStack()
        config.add_cleanup(closing.close)
        folder = Path(tempfile.mkdtemp(prefix="stand-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        config.stash[_STAND] = RunningStand(folder, models, closing)
    return config.stash[_STAND]
