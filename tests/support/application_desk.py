"""The desks of an application office over a database of their own, with an invented registry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.dossiers.approval_desk import ApprovalTerms
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.domain import DossierEvent, fold
from issuance_backend.dossiers.packet_desk import CapturedPrint, OpenedPacket
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.service import ApplicationOffice, Neighbours
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.batches.service import order_ended
from issuance_backend.population_registry.domain import RegistryPerson, extract
from issuance_backend.schema import CREDENTIALS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.approval_key import listing_key
from tests.support.approver_keys import approver_key, register
from tests.support.cheap_prints import PRINT_TYPE, cheap_print
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, REASON, InventedRegistry, capture_body, citizens, picture
from verification.messages.approval_list import sign_preparation
from verification.messages.asked_prints import FINGER_ITEMS, QUALITY_EXCEPTION, SINGLE_FINGERS, finger_item
from verification.messages.enrollment import DossierCapture, DossierView
from verification.messages.enrollment_packet import CaptureException, PrintedFormMark

UNIT = "001.02.00013"
PERSON = citizens()[0]
PRINTS = tuple(CapturedPrint(each, cheap_print(each), PRINT_TYPE) for each in SINGLE_FINGERS)
"""All ten."""


def officer(name: str, *roles: Role, unit: str | None = None) -> Officer:
    return Officer(name, name.title(), frozenset(roles), unit)


LAN = officer("lan", Role.CAPTURE, unit=UNIT)
MINH = officer("minh", Role.APPROVER, unit="001.02")
THU = officer("thu", Role.CENTRAL_APPROVER)
SON = officer("son", Role.CENTRAL_APPROVER)
LEADER = officer("leader", Role.TEAM_LEADER, unit="001.02")
CHIEF = officer("chief", Role.DISTRICT_CHIEF, unit="001.02")
CLERK = officer("clerk", Role.ARCHIVE_CLERK)
EVERYTHING = officer("everything", *Role)


class OfficerJudges:
    """No face engine: the officer says why the portrait is good."""

    engine: str | None = None
    model_digests: tuple[str, ...] = ()

    def faults(self, portrait: bytes) -> tuple[str, ...]:
        return ()


def everybody_is(*_asked: object, **_how: object) -> None:
    """In a desk's test nobody asks for a certificate: its officers are no accounts."""


def capture_of(citizen: RegistryPerson = PERSON, number: int = 1, **changes: Any) -> DossierCapture:
    """A capture as the registry says."""
    portrait = changes.pop("portrait", picture())
    body = capture_body(citizen, f"capture-{number:010d}", portrait=b"", **changes)
    return msgspec.structs.replace(msgspec.convert(body, DossierCapture), portrait=portrait)


def packet_of(citizen: RegistryPerson = PERSON, number: int = 1, **changes: Any) -> OpenedPacket:
    """An opened packet as the registry says; ``person`` replaces fields of the person.

    A new application has all prints; what answers a returned dossier has those that are given.
    """
    fields = {**msgspec.to_builtins(extract(citizen).person), **changes.pop("person", {})}
    values: dict[str, Any] = {
        "packet_sha256": f"{number:064x}",
        "kit": "kit-7",
        "officer": "kit.officer",
        "unit": UNIT,
        "happened_at": "2026-11-20T02:00:00Z",
        "citizen_number": citizen.citizen_number,
        "person": msgspec.convert(fields, type(extract(citizen).person)),
        "portrait": picture(),
        "manual_portrait_reason": REASON,
        "consent_language": "vi",
        "printed_form": PrintedFormMark("CC01", "ab" * 32),
        "prints": () if "answers" in changes else PRINTS,
    }
    return OpenedPacket(**values | changes)


def only(*prints: CapturedPrint) -> dict[str, Any]:
    """What a packet has of fingers: these prints, and for every other finger that it is worn."""
    taken = {finger_item(each.position) for each in prints}
    worn = (CaptureException(item, "FINGER_WORN") for item in FINGER_ITEMS if item not in taken)
    return {"prints": prints, "exceptions": tuple(worn)}


def best_available(*positions: int) -> tuple[CaptureException, ...]:
    """That no better prints of these fingers were to be had."""
    return tuple(CaptureException(finger_item(each), QUALITY_EXCEPTION) for each in positions)


@dataclass
class Desk:
    """An office, and short ways to a dossier in some state."""

    database: Database
    registry: InventedRegistry
    office: ApplicationOffice
    pictures: Pictures
    now: list[datetime]

    def captured(self, citizen: RegistryPerson = PERSON, by: Officer = LAN, number: int = 1) -> str:
        return self.office.captures.capture(by, capture_of(citizen, number))

    def locally_approved(self, citizen: RegistryPerson = PERSON, number: int = 1) -> str:
        dossier = self.captured(citizen, number=number)
        self.approve_locally(MINH, dossier)
        return dossier

    def approve_locally(self, approver: Officer, dossier: str) -> None:
        """Stand for one dossier in a list of its own."""
        self.approve_list(approver, [dossier])

    def approve_list(self, approver: Officer, dossiers: Collection[str]) -> str:
        """Have a list prepared, sign it with the approver's own key, and approve it; its id."""
        prepared = self.office.approvals.prepare(approver, dossiers)
        register(self.database, approver.id)
        signed = sign_preparation(prepared.preparation, approver_key(approver.id))
        return self.office.approvals.approve(approver, signed)

    def received(self, packet: OpenedPacket) -> str:
        examined = self.office.packets.examine(self.database, packet)
        with self.database.writing() as connection:
            return self.office.packets.receive(connection, examined, self.now[0])

    def view(self, dossier: str) -> DossierView:
        return self.office.view(THU, dossier)

    def state(self, dossier: str) -> str:
        """The state, which is the fold of what was recorded (invariant I5)."""
        view = self.view(dossier)
        assert fold(DossierEvent(step.event) for step in view.steps) == view.state
        return view.state

    def events(self, dossier: str) -> list[str]:
        return [step.event for step in self.view(dossier).steps]

    def orders(self) -> list[str]:
        """The dossiers of every card that is ordered."""
        with self.database.reading() as connection:
            return list(connection.execute(select(CREDENTIALS.c.dossier)).scalars())

    def recorded(self) -> int:
        with self.database.reading() as connection:
            return recorded_events.verify(connection)


def make_desk(engine: Engine, *, searches: bool = False) -> Desk:
    """A new office; with ``searches`` dossiers wait for a search after their local approval."""
    database = Database(engine.migrated(ISSUANCE_MIGRATIONS))
    return desk_on(database, searches=searches)


def desk_on(database: Database, *, searches: bool = False, store: BlobStore | None = None) -> Desk:
    """An office over a database that has its tables; without a store pictures lie in a table."""
    now = [NOW]
    registry, pictures = InventedRegistry(), Pictures(database, store)
    office = ApplicationOffice(
        database,
        CaptureChecks(registry, OfficerJudges()),
        pictures,
        lambda: now[0],
        neighbours=Neighbours(order_ended, everybody_is),
        terms=ApprovalTerms(listing_key(database, NOW), are_searched=searches),
    )
    return Desk(database, registry, office, pictures, now)
