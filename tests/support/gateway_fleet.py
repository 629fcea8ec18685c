"""Gateways as real processes that follow one issuer, and counters that speak to them over sockets."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask, jsonify
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from gateway.adapters.sql_card_states import SqlCardStates
from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_schema import MIGRATIONS
from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.purpose import PURPOSES
from gateway.settings import GatewaySettings
from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.errors import STATUSES
from issuance_backend.moments import rfc3339, utc_now
from issuance_backend.outbox.api import EVENT_ROLES, events_blueprint
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.recorded_events import Step, append
from issuance_backend.service_tokens import ServiceCaller, require_service
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from monitoring.harness import instrument, mount
from tests.support import pki
from tests.support.gateway_world import (
    AGENT,
    BASE,
    PARTNER,
    PURPOSE,
    Counter,
    World,
    make_settings,
)
from tests.support.teller_page import free_port
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.messages.decision import Decision
from verification.messages.signing_key import SigningKey

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "service-token"
ALIVE = {
    "found": True,
    "matched": {"full_name": True, "date_of_birth": True, "sex": True},
    "life_status": "alive",
}


class Issuer:
    """The office's own events over HTTP, and cards of its own; it answers no question about a card.

    Whatever a gateway knows of a card it can only have heard.
    """

    def __init__(self, database_url: str) -> None:
        moment = datetime.now(UTC)
        self.ceremony = hold_ceremony(CeremonyPlan(), moment)
        self.put_back(database_url)
        self.database.migrate(ISSUANCE_MIGRATIONS)
        self.port = free_port()
        self._moment = moment
        self._serving: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put_back(self, database_url: str) -> None:
        """Go on with other records; the program is to be started again."""
        self.database = Database(database_url)

    def card(self) -> pki.SignedCard:
        """A card in its holder's hands."""
        return pki.make_card(signer=self.ceremony.document_signer, signing_time=self._moment)

    def tell(self, card: pki.SignedCard, state: str) -> float:
        """Commit a step with its notice; the moment on this machine's monotonic clock."""
        key = key_of(card)
        notice = Notice(topic=Topic.CREDENTIAL_STATUS, key=key, data={"state": state})
        step = Step(
            subject=f"card/{key}", event="x", state=state, actor="lan", at=rfc3339(utc_now()), notice=notice
        )
        with self.database.writing() as connection:
            append(connection, step)
        return time.monotonic()

    def start(self) -> None:
        app = Flask(__name__)
        instrument(app, "issuance", ready=dict, statuses=STATUSES)
        caller = ServiceCaller(hashlib.sha256(TOKEN.encode()).hexdigest(), EVENT_ROLES)
        board = NoticeBoard(self.database, utc_now)
        mount(
            app,
            events_blueprint(board),
            guard=require_service({"gateway": caller}, Topic.CREDENTIAL_STATUS.role),
        )
        app.post("/v1/person-queries")(lambda: jsonify(ALIVE))
        self._serving = make_server("127.0.0.1", self.port, app, threaded=True)
        threading.Thread(target=self._serving.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._serving.shutdown()
        self._serving.server_close()


def key_of(card: pki.SignedCard) -> str:
    """What the issuer calls the card in its events."""
    return status_key(parse_security_object(card.files[LdsFile.SOD]).signer.signature)


class WireCounter(Counter):
    """A counter that speaks over a new connection each time: any worker may answer."""

    url: str = ""

    def send_raw(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        with urllib3.PoolManager() as pool:
            answer = pool.request(method, self.url + path, body=body, headers=headers, retries=False)
        return Response(answer.data, answer.status)


@dataclass
class RunningGateway:
    """One gateway of several workers over a database of its own."""

    folder: Path
    issuer: Issuer
    environment: dict[str, str]
    port: int
    world: World
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"],
                cwd=ROOT,
                env=self.environment,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._is_ready, 20)

    def kill(self) -> None:
        """kill -9 of every process of it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def workers(self) -> list[int]:
        """Their process ids."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def knows(self, card: pki.SignedCard) -> str | None:
        """The state that this gateway heard last."""
        heard = SqlCardStates(self.world.database).heard(key_of(card)).card
        return heard.state.value if heard else None

    def decide(self, card: pki.SignedCard, purpose: str = PURPOSE) -> Decision:
        """A whole tap at this gateway."""
        return self.tap(card, purpose)()

    def tap(self, card: pki.SignedCard, purpose: str = PURPOSE) -> Callable[[], Decision]:
        """A card that was read at a counter, to be handed to this gateway when called."""
        opened = self.world.counter.open(purpose)
        evidence = self.world.evidence(opened, card)
        return lambda: self.world.answer(self.world.counter.submit(evidence)).decision

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running_gateway(folder: Path, database_url: str, issuer: Issuer, **settings: str) -> Any:
    """A gateway of two workers, already answering; it ends with the block."""
    log_key = ec.generate_private_key(ec.SECP256R1())
    made = replace(make_settings(folder, log_key), database_url=database_url)
    for name, content in {
        "csca.der": issuer.ceremony.csca.certificate.public_bytes(Encoding.DER),
        "csca.crl": issuer.ceremony.revocation_list.public_bytes(Encoding.DER),
    }.items():
        (made.trust_dir / name).write_bytes(content)
    key = ed25519.Ed25519PrivateKey.generate()
    database = Database(database_url)
    database.migrate(MIGRATIONS)
    directory = SqlDirectory(database)
    directory.add_partner(Partner(PARTNER, "Bank", Standing.ACTIVE, key.public_key(), frozenset(PURPOSES)))
    directory.add_agent(Agent(AGENT, PARTNER, Standing.ACTIVE, key.public_key()))
    database.close()
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY_TRUST_DIR": str(made.trust_dir),
        "GATEWAY_REGISTRY_URL": issuer.url,
        "GATEWAY_CREDENTIALS_URL": issuer.url,
        "GATEWAY_SERVICE_TOKEN_FILE": str(made.service_token_file),
        "GATEWAY_LOG_KEY": str(made.log_key),
        "GATEWAY_SEAL_KEY": str(made.seal_key),
        "GATEWAY_PUBLIC_URL": BASE,
        "GATEWAY_DATABASE_URL": database_url,
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_WORKERS": "2",
        **settings,
    }
    gateway = RunningGateway(folder, issuer, environment, port, wire_world(made, port, key, log_key))
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.kill()


def wire_world(settings: GatewaySettings, port: int, key: SigningKey, log_key: SigningKey) -> World:
    """A world whose application is another process."""

    def clock() -> datetime:
        return datetime.now(UTC)

    counter = WireCounter(app=None, clock=clock, key=key)  # type: ignore[arg-type]
    counter.url = f"http://127.0.0.1:{port}"
    return World(
        folder=settings.trust_dir.parent,
        app=None,  # type: ignore[arg-type]
        settings=settings,
        clock=clock,  # type: ignore[arg-type]
        registry=None,  # type: ignore[arg-type]
        card_status=None,  # type: ignore[arg-type]
        card_events=None,  # type: ignore[arg-type]
        gateway=None,  # type: ignore[arg-type]
        counter=counter,
        partner_key=key,
        log_key=log_key,
    )


def wait_until(condition: Any, seconds: float) -> float:
    """How long it took; an assertion when it did not come in that time."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.005)
    return time.monotonic() - began
