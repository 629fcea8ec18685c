"""A gateway with a real database and real cards around it; only clock and registries are ours."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from flask import Flask
from werkzeug.test import TestResponse

from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_schema import MIGRATIONS
from gateway.app import Gateway, Outside, create_gateway
from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.purpose import PURPOSES
from gateway.domain.refusals import CardEventsRestarted
from gateway.settings import GatewaySettings
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from monitoring.database import Database
from tests.support import pki
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.encoding.mrz import build_td1, mrz_information_from
from verification.lds.files import LdsFile
from verification.messages.credential_status import (
    CredentialState,
    CredentialStatusAnswer,
    CredentialStatusQuery,
)
from verification.messages.decision import Answer
from verification.messages.event_feed import EventFeed, FeedPlace, PublishedEvent
from verification.messages.evidence import (
    ActiveAuthenticationProof,
    AttestedEvidence,
    CardEvidence,
    Evidence,
    FaceClaim,
)
from verification.messages.message_signature import sign_request
from verification.messages.person_query import LifeStatus, PersonAnswer, PersonQuery
from verification.messages.signing_key import SigningKey, public_jwk
from verification.messages.verification_session import (
    ChipCommands,
    ChipProof,
    ChipSessionRequest,
    Consent,
    SessionOpened,
    SessionRequest,
)

BASE = "http://127.0.0.1:8700"
PARTNER, AGENT = "bank-one", "agent-one"
PURPOSE = "bank.counter.identify"
HANDED_OVER = (LdsFile.COM, LdsFile.SOD, LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)


class FakeRegistry:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: PersonAnswer | Exception = PersonAnswer(
            found=True,
            matched={"full_name": True, "date_of_birth": True, "sex": True},
            life_status=LifeStatus.ALIVE,
        )
        self.asked: list[PersonQuery] = []

    def ask(self, query: PersonQuery) -> PersonAnswer:
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeCardStatus:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: CredentialStatusAnswer | Exception = CredentialStatusAnswer(CredentialState.ACTIVE)
        self.asked: list[CredentialStatusQuery] = []

    def ask(self, query: CredentialStatusQuery) -> CredentialStatusAnswer:
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeCardEvents:
    """An issuer's events: told in order, heard from any position; ``fault`` makes it say nothing."""

    def __init__(self) -> None:
        self.told: list[PublishedEvent] = []
        self.fault: Exception | None = None
        self.silent_steps = 0
        self.asked: list[FeedPlace] = []

    def tell(self, status_key: str, state: str, expires_on: str | None = None) -> None:
        data = {"state": state, **({"expires_on": expires_on} if expires_on else {})}
        number = self.newest + 1
        self.told.append(PublishedEvent(number, "credential-status", status_key, "", data))

    @property
    def newest(self) -> int:
        """The last event, with those of other topics that are not told."""
        return (self.told[-1].sequence if self.told else 0) + self.silent_steps

    def after(self, place: FeedPlace, most: int = 200) -> EventFeed:
        self.asked.append(place)
        if self.fault is not None:
            raise self.fault
        if place.position > self.newest or place.mark not in {"", self._mark(place.position)}:
            raise CardEventsRestarted("never there")
        events = tuple(event for event in self.told if event.sequence > place.position)[:most]
        reached = events[-1].sequence if len(events) == most else self.newest
        return EventFeed(events, reached, self.newest, self._mark(reached))

    def _mark(self, position: int) -> str:
        """Like the issuer's: everything that was told up to there."""
        history = [event for event in self.told if event.sequence <= position]
        return hashlib.sha256(msgspec.json.encode(history)).hexdigest()[:16]


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = pki.NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Counter:
    """One agent: it signs what it sends; ``clock_lead`` makes its clock wrong."""

    app: Flask
    clock: Clock
    key: SigningKey
    agent: str = AGENT
    clock_lead: timedelta = timedelta()

    def signed(self, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, str]:
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return sign_request(
            method,
            f"{BASE}{path}",
            given,
            body,
            key=self.key,
            key_id=self.agent,
            created=self.clock() + self.clock_lead,
            nonce=os.urandom(16),
        )

    def send(self, method: str, path: str, message: object = None, **headers: str) -> TestResponse:
        body = b"" if message is None else msgspec.json.encode(message)
        return self.send_raw(method, path, body, self.signed(method, path, body, **headers))

    def send_raw(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> TestResponse:
        return self.app.test_client().open(path, method=method, data=body, headers=headers)

    def open(self, purpose: str = PURPOSE) -> SessionOpened:
        request = SessionRequest(purpose, Consent("2026-1", "vi"), agent_id=self.agent)
        response = self.send("POST", "/v1/verification-sessions", request)
        assert response.status_code == 201, response.text
        return msgspec.json.decode(response.data, type=SessionOpened)

    def chip_session(self, session: str, dg14: bytes, sod_length: int) -> ChipCommands:
        response = self.send(
            "POST",
            f"/v1/verification-sessions/{session}/chip-session",
            ChipSessionRequest(dg14, sod_length),
        )
        assert response.status_code == 200, response.text
        return msgspec.json.decode(response.data, type=ChipCommands)

    def submit(self, evidence: Evidence, session: str | None = None) -> TestResponse:
        return self.send("PUT", f"/v1/verification-sessions/{session or evidence.session}/evidence", evidence)


@dataclass
class World:
    """Everything a test of the gateway needs."""

    folder: Path
    app: Flask
    settings: GatewaySettings
    clock: Clock
    registry: FakeRegistry
    card_status: FakeCardStatus
    card_events: FakeCardEvents
    gateway: Gateway
    counter: Counter
    partner_key: SigningKey
    log_key: SigningKey
    cards: list[pki.SignedCard] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return Database(self.settings.database_url)

    @property
    def directory(self) -> SqlDirectory:
        return SqlDirectory(self.database)

    def set_standing(self, standing: Standing, *, agent: bool) -> None:
        """Suspend, close or bring back the agent or its partner."""
        if agent:
            self.directory.add_agent(Agent(AGENT, PARTNER, standing, self.counter.key.public_key()))
        else:
            self.directory.add_partner(_partner(standing, self.partner_key))

    def evidence(
        self,
        opened: SessionOpened,
        card: pki.SignedCard | None = None,
        *,
        files: dict[LdsFile, bytes] | None = None,
        chip: bool = True,
        **attested: object,
    ) -> Evidence:
        """What a counter hands over after a tap of the card (genuine unless its parts say otherwise)."""
        card = card or pki.quick_card()
        held = dict(files or {file: card.files[file] for file in HANDED_OVER})
        proof = None
        if chip and LdsFile.DG14 in held:
            proof = self.chip_proof(opened, card, held[LdsFile.DG14])
        return Evidence(
            session=opened.id,
            card=CardEvidence(
                files={file.name: content for file, content in held.items()},
                access="PACE-GM",
                downgraded=False,
                chip=proof,
                **{k: v for k, v in attested.items() if k in CardEvidence.__struct_fields__},  # type: ignore[arg-type]
            ),
            attested=AttestedEvidence(
                agent_version="1.0.0",
                captured_at=self.clock().isoformat(),
                face=attested.get("face", matching_face(card)),  # type: ignore[arg-type]
            ),
        )

    def chip_proof(self, opened: SessionOpened, card: pki.SignedCard, dg14: bytes) -> ChipProof:
        """The gateway's commands relayed to a software chip that was opened with its CAN."""
        commands = self.counter.chip_session(opened.id, dg14, len(card.files[LdsFile.SOD]))
        return ChipProof(relayed(card, commands), commands.sealed_state)

    def decide(self, **evidence: object) -> Answer:
        """Open a session, tap the genuine card, hand the evidence over."""
        opened = self.counter.open()
        return self.answer(self.counter.submit(self.evidence(opened, **evidence)))  # type: ignore[arg-type]

    def answer(self, response: TestResponse) -> Answer:
        """The decision that came back."""
        assert response.status_code == 200, response.text
        return msgspec.json.decode(response.data, type=Answer)


def make_world(folder: Path, *, trust: pki.TrustStore | None = None, **changes: object) -> World:
    """A gateway over SQLite in ``folder`` that trusts the quick issuer."""
    log_key = ec.generate_private_key(ec.SECP256R1())
    agent_key, partner_key = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    settings = make_settings(folder, log_key)
    settings = replace(settings, **changes)  # type: ignore[arg-type]
    database = Database(settings.database_url)
    database.migrate(MIGRATIONS)
    directory = SqlDirectory(database)
    directory.add_partner(_partner(Standing.ACTIVE, partner_key))
    directory.add_agent(Agent(AGENT, PARTNER, Standing.ACTIVE, agent_key.public_key()))
    database.close()
    clock, registry, card_status, events = Clock(), FakeRegistry(), FakeCardStatus(), FakeCardEvents()
    store = trust or pki.trust_store(pki.quick_issuer())
    outside = Outside(
        clock=clock,
        registry=registry,
        card_status=card_status,
        card_events=events,
        trust=lambda: store,
    )
    gateway = create_gateway(settings, outside)
    counter = Counter(gateway.app, clock, agent_key)
    return World(
        folder,
        gateway.app,
        settings,
        clock,
        registry,
        card_status,
        events,
        gateway,
        counter,
        partner_key,
        log_key,
    )


def _partner(standing: Standing, key: SigningKey) -> Partner:
    return Partner(PARTNER, "Bank", standing, key.public_key(), frozenset(PURPOSES))


def make_settings(folder: Path, log_key: SigningKey) -> GatewaySettings:
    """Settings whose files are in ``folder``."""
    write_secret(folder / "log_key.pem", private_pem(log_key))
    write_secret(folder / "seal.key", os.urandom(32))
    write_secret(folder / "service.token", b"service-token")
    trust = folder / "trust"
    trust.mkdir(exist_ok=True)
    ceremony = pki.quick_issuer()
    (trust / "csca.der").write_bytes(ceremony.csca.certificate.public_bytes(Encoding.DER))
    (trust / "csca.crl").write_bytes(ceremony.revocation_list.public_bytes(Encoding.DER))
    (trust / "log_key.jwk").write_text(json.dumps(public_jwk(log_key.public_key())))
    return GatewaySettings(
        trust_dir=trust,
        registry_url="http://127.0.0.1:1",
        credentials_url="http://127.0.0.1:1",
        service_token_file=folder / "service.token",
        log_key=folder / "log_key.pem",
        seal_key=folder / "seal.key",
        public_url=BASE,
        database_url=f"sqlite:///{folder / 'gateway.db'}",
        log_origin="test.gateway/log",
        workers=1,
    )


def write_secret(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def private_pem(key: SigningKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: SigningKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def card_image(card: pki.SignedCard) -> CardImage:
    """The card as a software chip."""
    mrz = build_td1(pki.machine_readable_zone(card.holder))

    def pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    return CardImage(
        files=dict(card.files),
        can=card.holder.number.can,
        mrz_information=mrz_information_from(mrz),
        chip_authentication_key=pkcs8(card.chip_authentication_key),
        active_authentication_key=pkcs8(card.active_authentication_key),
    )


def open_reader(card: pki.SignedCard) -> DocumentReader:
    """A reader that has opened the chip."""
    chip = VirtualCard(card_image(card))
    chip.power_on()
    reader = DocumentReader(chip, os.urandom)
    reader.open(Can(card.holder.number.can))
    return reader


def relayed(card: pki.SignedCard, commands: ChipCommands) -> Sequence[bytes]:
    """The chip's answers to the gateway's commands."""
    return open_reader(card).relay(commands.agent_wrapped, commands.relayed)


def active_proof(card: pki.SignedCard, challenge: bytes) -> ActiveAuthenticationProof:
    """The chip's signature over the session's challenge."""
    return ActiveAuthenticationProof(open_reader(card).sign_challenge(challenge))


def matching_face(card: pki.SignedCard, **changes: object) -> FaceClaim:
    """An engine's claim that the face matched the card's signed portrait."""
    claim = FaceClaim(
        method="engine",
        matched=True,
        code=None,
        portrait_digest=hashlib.sha256(card.files[LdsFile.DG2]).digest(),
        engine="cc0",
        score=0.31,
        threshold=0.45,
        frames=3,
        head_turn="passed",
    )
    return msgspec.structs.replace(claim, **changes)
