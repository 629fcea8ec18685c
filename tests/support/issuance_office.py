"""An issuance office: real database, ceremony and production, an invented registry, a clock to set."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from issuance_backend.app import create_issuance_app
from issuance_backend.blob_store.keys import add_key
from issuance_backend.csca.ceremony import CeremonyPlan
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.csca.signer import write_secret
from issuance_backend.dossiers.intake.centre_keys import make_keys
from issuance_backend.officers import service
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.batches.service import ProductionDesk
from issuance_backend.personalization.blank_stock.service import StockOffice
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.service import CardLine
from issuance_backend.population_registry.domain import RegistryPerson, extract
from issuance_backend.population_registry.synthetic_citizens import generate
from issuance_backend.production_composition import create_card_line
from issuance_backend.refusals import RegistryPersonUnknown
from issuance_backend.settings import IssuanceSettings
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.approval_key import LISTING_KEY, listing_key
from tests.support.approver_keys import approver_key, let_approve
from tests.support.certified import certify
from tests.support.engines import Engine, Sqlite
from tests.support.running import run_pending
from verification.errors import RegistryUnavailable, TransitionRefused
from verification.identity.administrative_units import provinces
from verification.messages.approval_list import sign_preparation
from verification.messages.dc01 import UnitView
from verification.messages.enrollment import PersonExtract, PersonFields
from verification.messages.person_match import MatchAnswer, MatchCandidate
from verification.messages.production import BatchOrder, BlankDelivery, BlankRange
from verification.messages.registry_access import Purpose

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PASSWORD = "giữ-kín-mật-khẩu-2026"
REASON = "Ảnh rõ nét, chính diện, nền sáng; đã xem bằng mắt."
STATUS_TOKEN = "gateway-status-token"
OFFICERS = {
    "lan.capture": (Role.CAPTURE,),
    "minh.approve": (Role.APPROVER,),
    "thu.central": (Role.CENTRAL_APPROVER,),
    "hoa.production": (Role.PRODUCTION,),
    "khoa.stock": (Role.STOCK_KEEPER,),
    "nga.quality": (Role.QUALITY,),
    "dung.courier": (Role.COURIER,),
    "mai.office": (Role.OFFICE,),
    "son.supervisor": (Role.SUPERVISOR,),
    "binh.both": (Role.CAPTURE, Role.APPROVER, Role.CENTRAL_APPROVER, Role.PRODUCTION),
}

SIGNATURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
"""A scan of a form that was signed, as far as anybody looks at it."""

KEYS = ChipKeyPool()
"""Never filled here: each card's keys are made when they are taken."""


@cache
def citizens(count: int = 6) -> tuple[RegistryPerson, ...]:
    """The same invented people for every test."""
    names = {code: province.name for code, province in provinces().items()}
    return tuple(person for person, _ in generate(count, 7, date(2026, 11, 21), names))


@cache
def picture(seed: int = 1, size: tuple[int, int] = (600, 800), quality: int = 90) -> bytes:
    """A JPEG that differs by seed: blobs of colour, no face."""
    image = Image.new("RGB", size, (200, 205, 210))
    draw = ImageDraw.Draw(image)
    digest = hashlib.sha256(str(seed).encode()).digest()
    for index in range(0, 30, 3):
        x, y, tone = (digest[index] * size[0] // 255, digest[index + 1] * size[1] // 255, digest[index + 2])
        draw.ellipse((x - 110, y - 110, x + 110, y + 110), fill=(tone, 255 - tone, (tone * 7) % 255))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@dataclass
class InventedRegistry:
    """A registry that can be switched off."""

    people: dict[str, RegistryPerson] = field(
        default_factory=lambda: {person.citizen_number: person for person in citizens()}
    )
    is_up: bool = True
    units: dict[str, list[UnitView]] = field(default_factory=dict)
    others: dict[str, tuple[MatchCandidate, ...]] = field(default_factory=dict)
    is_indexed: bool = True
    read_for: list[Purpose] = field(default_factory=list)
    """For what entries were read, in the order in which they were."""

    def names(self, code: str) -> list[UnitView]:
        if not self.is_up:
            raise RegistryUnavailable("switched off")
        return self.units.get(code, [])

    def extract(self, citizen_number: str, purpose: Purpose = Purpose.CAPTURE) -> PersonExtract:
        if not self.is_up:
            raise RegistryUnavailable("switched off")
        self.read_for.append(purpose)
        if citizen_number not in self.people:
            raise RegistryPersonUnknown("nobody")
        return extract(self.people[citizen_number])

    def candidates(self, person: PersonFields, citizen_number: str) -> MatchAnswer:
        if not self.is_up:
            raise RegistryUnavailable("switched off")
        return MatchAnswer(candidates=self.others.get(citizen_number, ()), complete=self.is_indexed)


@cache
def _pki(folder: Path) -> None:
    PkiDirectory(folder).create(CeremonyPlan(), NOW - timedelta(days=1))


_WITH_OFFICERS: dict[tuple[str, Path], str] = {}


def _database_with_officers(engine: Engine, home: Path) -> str:
    """A copy of a database that has the officers."""
    known = _WITH_OFFICERS.get((engine.name, home))
    if known is None:
        # The original of a SQLite file must outlast the test that asks first.
        known = _enrol(Sqlite(home).new() if isinstance(engine, Sqlite) else engine.new())
        _WITH_OFFICERS[engine.name, home] = known
    return engine.copy(known)


def _enrol(url: str) -> str:
    database = Database(url)
    database.migrate(ISSUANCE_MIGRATIONS)
    door = OfficerDoor(database, lambda: NOW)
    # Hashing passwords is slow on purpose; a hash that says that it was made quickly is checked quickly.
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        for officer, roles in OFFICERS.items():
            door.enrol(officer, officer.title(), roles, PASSWORD)
    certify(database, *(officer for officer, roles in OFFICERS.items() if Role.CAPTURE in roles))
    let_approve(database, *(officer for officer, roles in OFFICERS.items() if Role.APPROVER in roles))
    database.close()
    return url


@dataclass
class Office:
    """The app, and clients for officers who are signed in."""

    app: Flask
    database: Database
    registry: InventedRegistry
    card_dir: Path
    pki_dir: Path
    now: list[datetime]
    settings: IssuanceSettings

    @property
    def environ(self) -> dict[str, str]:
        """The settings of the office as a program of its own is told them."""
        made = {each.name: getattr(self.settings, each.name) for each in fields(self.settings)}
        return {f"ISSUANCE_{name.upper()}": str(value) for name, value in made.items() if value}

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def sign_in(self, officer: str) -> OfficerClient:
        answer = self.client().post("/v1/officer-sessions", json={"officer": officer, "password": PASSWORD})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return OfficerClient(self.client(), answer.get_json()["token"], officer)

    def approve_all(self, dossier: str) -> dict[str, Any]:
        """Lead a validated dossier through local and central approval; the dossier as it stands then."""
        local = self.sign_in("minh.approve").approve(dossier)
        assert local.status_code == 201, local.get_data(as_text=True)
        central = self.sign_in("thu.central").post(f"/v1/dossiers/{dossier}/central-approval")
        assert central.status_code == 200, central.get_data(as_text=True)
        view: dict[str, Any] = central.get_json()
        return view

    def card_line(self) -> CardLine:
        """A worker that makes cards."""
        return create_card_line(self.settings, self.database, KEYS, clock=lambda: self.now[0])

    def receive_blanks(self, count: int = 50) -> BlankRange:
        """Put blanks into the stock that no one had before."""
        keeper = Officer("khoa.stock", "Khoa", frozenset({Role.STOCK_KEEPER}))
        stock = StockOffice(self.database, lambda: self.now[0], CardDrawer(self.card_dir).destroy)
        first = stock.books(keeper).received + 1
        delivery = BlankDelivery(first=f"VN{first:09}", last=f"VN{first + count - 1:09}")
        return stock.receive(keeper, delivery)

    def make_cards(self) -> None:
        """Make the card of every dossier that is approved: blanks, a batch, and a worker until it is idle."""
        self.receive_blanks()
        operator = Officer("hoa.production", "Hoa", frozenset({Role.PRODUCTION}))
        desk = ProductionDesk(self.database, lambda: self.now[0])
        # What spoiled its card before is in a batch already.
        with suppress(TransitionRefused):
            desk.make_batch(operator, BatchOrder(limit=500))
        run_pending(self.card_line())


@dataclass
class OfficerClient:
    """What one officer's program sends."""

    client: FlaskClient
    token: str
    officer: str = ""

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self._headers)

    def post(self, path: str, body: object = None, key: str | None = None) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, data=content, headers=headers, content_type="application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers=self._headers)

    def signed(self, *dossiers: str) -> dict[str, str]:
        """A list of dossiers as this approver would send it, prepared and signed."""
        prepared = self.post("/v1/approval-lists/preparations", {"dossiers": dossiers})
        assert prepared.status_code == 201, prepared.get_data(as_text=True)
        signed = sign_preparation(prepared.get_json()["preparation"], approver_key(self.officer))
        return dict(msgspec.to_builtins(signed))

    def approve(self, *dossiers: str, key: str | None = None) -> Any:
        """Have a list prepared, sign and send it: its answer."""
        return self.post("/v1/approval-lists", self.signed(*dossiers), key)

    def capture(self, citizen: RegistryPerson, capture_id: str = "capture-0000000001", **changes: Any) -> Any:
        """From the first field to the sealed dossier: its answer, or the first refusal on the way."""
        return self.sealed(self.post("/v1/counter-captures", capture_body(citizen, capture_id, **changes)))

    def recapture(self, dossier: str, body: object) -> Any:
        """The same for what was returned of a dossier."""
        return self.sealed(self.post(f"/v1/dossiers/{dossier}/recapture", body))

    def sealed(self, begun: Any) -> Any:
        """What was begun: printed, signed, answered for where something is missing, and sealed."""
        if begun.status_code != 201:
            return begun
        path = f"/v1/counter-captures/{begun.get_json()['id']}"
        agreement = {"language": "vi", "signature": SIGNATURE}
        steps: dict[str, Callable[[], Any]] = {
            "form": lambda: self.post(f"{path}/form"),
            "signature": lambda: self.post(f"{path}/agreement", agreement),
            "supervisor": lambda: self._supervisor().post(f"{path}/answer"),
        }
        for step in begun.get_json()["missing"]:
            taken = steps[step]()
            if taken.status_code != 200:
                return taken
        return self.post(f"{path}/seal")

    def _supervisor(self) -> OfficerClient:
        signing_in = {"officer": "son.supervisor", "password": PASSWORD}
        opened = self.client.post("/v1/officer-sessions", json=signing_in)
        return OfficerClient(self.client, opened.get_json()["token"])

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def capture_body(citizen: RegistryPerson, capture_id: str, **changes: Any) -> dict[str, Any]:
    """A capture as the registry says; ``changes`` replaces its members, ``person`` merges."""
    fields = {**msgspec.to_builtins(extract(citizen).person), **changes.pop("person", {})}
    return {
        "capture_id": capture_id,
        "citizen_number": citizen.citizen_number,
        "person": fields,
        "portrait": picture(),
        "manual_portrait_reason": REASON,
        "exceptions": ["no_scanner"],
        "terms": {"reason": "first"},
        **changes,
    }


def _approval_key(folder: Path) -> Path:
    path = folder / "approval_key.pem"
    if not path.exists():
        encoding = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        write_secret(path, LISTING_KEY.private_bytes(*encoding))
    return path


def make_office(
    folder: Path, pki_dir: Path, engine: Engine | None = None, *, with_search: bool = False
) -> Office:
    """A new office in a folder; the ceremony in ``pki_dir`` is held once."""
    _pki(pki_dir)
    tokens = folder / "tokens.json"
    digest = hashlib.sha256(STATUS_TOKEN.encode()).hexdigest()
    roles = ["status.query", "events.credential-status", "statistics.targets", "search.task"]
    roles += ["account.activate", "packet.deliver", "application.status"]
    tokens.write_text(json.dumps({"gateway": {"sha256": digest, "roles": roles}}))
    blob_keys = folder / "blob_keys.json"
    if not blob_keys.exists():
        add_key(blob_keys, "test-1")
    packet_keys = folder / "packet_keys"
    if not packet_keys.exists():
        make_keys(packet_keys, "test-1")
    settings = IssuanceSettings(
        service_tokens=tokens,
        registry_url="http://127.0.0.1:9",
        registry_token_file=tokens,
        pki_dir=pki_dir,
        card_dir=folder / "cards",
        blob_keys_file=blob_keys,
        blob_dir=folder / "blobs",
        database_url=_database_with_officers(engine or Sqlite(folder), pki_dir.parent),
        search_key_dir=folder / "search_keys" if with_search else None,
        intake_key_dir=packet_keys,
        intake_dir=folder / "packets",
        approval_key_file=_approval_key(folder),
    )
    database = Database(settings.database_url)
    listing_key(database, NOW)
    now = [NOW]
    registry = InventedRegistry()
    app = create_issuance_app(settings, clock=lambda: now[0], registry=registry, units=registry)
    return Office(app, database, registry, settings.card_dir, pki_dir, now, settings)
