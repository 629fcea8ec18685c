"""A counter where citizens ask for their own record: an office, a registry of its own, a gateway's key."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from issuance_backend.app import create_issuance_app
from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.units.service import UnitOffice
from tests.support.communes import ADDRESSES, NEW, TABLES
from tests.support.delivery import active, card_of
from tests.support.issuance_office import Office, OfficerClient, citizens
from tests.support.registry_office import RegistryWorld
from verification.errors import RegistryUnavailable
from verification.messages import merkle
from verification.messages.life_event import Correction, CorrectionReport, LifeEventReport
from verification.messages.publication import PublicationProposal, Receiver, SignOff
from verification.messages.receipt import Checkpoint, LogEntry, Receipt, sign_receipt, signed_checkpoint
from verification.messages.registry_access import PersonRead, ReadingFor
from verification.messages.registry_records import PersonHistory
from verification.messages.signing_key import public_jwk

GATEWAY = Ed25519PrivateKey.generate()
ORIGIN = "gateway.test/log"
PERSON = citizens()[0]


@dataclass
class Records:
    """The registry's desks with no network between; each reading is recorded as over HTTP."""

    registry: RegistryWorld
    is_cut: bool = False

    @property
    def book(self) -> ReadBook:
        return ReadBook(self.registry.database, self.registry.clock)

    @property
    def log(self) -> AccessLog:
        return AccessLog(self.registry.database, self.registry.clock)

    def history(self, citizen_number: str, reading: ReadingFor) -> PersonHistory:
        found = self.registry.records.history(citizen_number)
        self.book.note(found.citizen_number, "issuance", reading)
        return found

    def reads(self, citizen_number: str) -> list[PersonRead]:
        return list(self.log.of_person(citizen_number))

    def numbers(self, citizen_number: str) -> list[str]:
        return list(self.log.numbers(citizen_number))

    def correct(self, report: CorrectionReport) -> None:
        if self.is_cut:
            raise RegistryUnavailable("cut")
        said = msgspec.structs.asdict(report)
        event = Correction(said.pop("citizen_number"), said.pop("attributes"))
        self.registry.life.report("issuance", LifeEventReport(**said, event=event))


def receipt(status_key: str | None, moment: datetime, session: str, **changes: Any) -> str:
    """What the gateway signs for a citizen whose card and face it verified."""
    said: dict[str, Any] = {
        "sequence": 0, "previous": "", "recorded_at": rfc3339(moment), "action": "decide", "actor": "mai",
        "partner": "issuing-office", "purpose": "citizen.own_record", "session": session, "subject": "s",
        "evidence": "e", "outcome": "verified", "code": None,
        "assurance": {"chip": "chip-live-gateway", "face": "agent", "status": "online"},
        "checks": (("face_comparison", "successful", None),), "policy": "2026-11-01", "card": status_key,
    }  # fmt: skip
    logged = LogEntry(**said | changes)
    head = Checkpoint(ORIGIN, 1, merkle.leaf_hash(logged.encoded()))
    signed = signed_checkpoint(head, GATEWAY)
    return sign_receipt(Receipt(iss=ORIGIN, iat=0, entry=logged, inclusion=(), checkpoint=signed), GATEWAY)


@dataclass
class CitizenCounter:
    """An office whose citizens have cards."""

    office: Office
    records: Records
    sessions: int = 0

    @property
    def registry(self) -> RegistryWorld:
        return self.records.registry

    def give_card(self, person: RegistryPerson = PERSON, capture: str = "capture-0000000001") -> str:
        """The status key of an active card."""
        key = card_of(self.office, active(self.office, person, capture)).status_key
        assert key is not None
        return key

    def receipt(self, status_key: str, **changes: Any) -> str:
        self.sessions += 1
        return receipt(status_key, self.office.now[0], f"session-{self.sessions}", **changes)

    def open(self, client: OfficerClient, status_key: str, **changes: Any) -> Any:
        return client.post("/v1/citizen-visits", {"receipt": self.receipt(status_key, **changes)})

    def visit(self, client: OfficerClient, status_key: str) -> str:
        """The address of a visit that was opened."""
        answer = self.open(client, status_key)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return f"/v1/citizen-visits/{answer.get_json()['id']}"


def tell_of_extract_and_receiver(registry: RegistryWorld) -> str:
    """A kit took the person's commune along, good until then, and a receiver was handed two attributes."""
    UnitOffice(registry.database, registry.clock).load(TABLES, "bộ nội vụ")
    with registry.database.writing() as connection:
        home = {"current_residence": ADDRESSES[0]}
        entries.update_fields(connection, PERSON.citizen_number, home)
    until = rfc3339(registry.clock() + timedelta(days=14))
    reading = ReadingFor(purpose="commune_extract", kit="kit-7", until=until)
    ReadBook(registry.database, registry.clock).note_commune(NEW, "issuance", reading)
    office, attributes = registry.publications, ("full_name", "date_of_birth")
    office.subscribe("quản trị", Receiver("tax", attributes))
    made = office.propose(PublicationProposal(PERSON.citizen_number, attributes, "lan"))
    for officer in ("minh", "son"):
        office.sign(made.id, SignOff(officer, made.values_digest))
    return until


def citizen_counter(office: Office, registry: RegistryWorld, folder: Path) -> CitizenCounter:
    """The office with the gateway's key, over this registry."""
    keys = folder / "receipt_keys.json"
    keys.write_text(json.dumps(public_jwk(GATEWAY.public_key())))
    records = Records(registry)
    registry.now = office.now
    app = create_issuance_app(
        replace(office.settings, receipt_keys_file=keys),
        clock=lambda: office.now[0],
        registry=office.registry,
        units=office.registry,
        records=records,
    )
    return CitizenCounter(replace(office, app=app), records)
