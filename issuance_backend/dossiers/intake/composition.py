"""The parts of the intake put together, for the web program and for its commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.dossiers.intake.centre_keys import load_keys
from issuance_backend.dossiers.intake.dossier_door import DossierDoor
from issuance_backend.dossiers.intake.extract_desk import KitExtractDesk
from issuance_backend.dossiers.intake.extract_source import ExtractSource
from issuance_backend.dossiers.intake.inbox import Inbox
from issuance_backend.dossiers.intake.kit_office import KitOffice
from issuance_backend.dossiers.intake.opening import Dossiers, Opening
from issuance_backend.dossiers.intake.returns_desk import KitReturnsDesk
from issuance_backend.dossiers.intake.service import IntakeDesk
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.moments import Clock
from monitoring.database import Database


@dataclass(frozen=True, slots=True)
class IntakePlace:
    """Where the intake keeps chunks, and where the centre's keys for packets are."""

    inbox_dir: Path
    key_dir: Path


@dataclass(frozen=True, slots=True)
class Intake:
    """The desks of the intake."""

    desk: IntakeDesk
    opening: Opening
    kits: KitOffice
    returns: KitReturnsDesk


def dossier_door(database: Database, desk: PacketDesk) -> Dossiers:
    """The way from an opened packet to a dossier."""
    return DossierDoor(database, desk)


def intake(
    database: Database,
    place: IntakePlace,
    dossiers: Dossiers,
    clock: Clock,
    scanner: ContentScanner = UNSCANNED,
) -> Intake:
    """The intake at a place; raises IntakeKeyUnavailable."""
    keys, inbox = load_keys(place.key_dir), Inbox(place.inbox_dir)
    opening = Opening(database, inbox, keys.opening, dossiers, clock, scanner)
    return Intake(
        IntakeDesk(database, inbox, keys, opening, clock),
        opening,
        KitOffice(database, opening, clock),
        KitReturnsDesk(database, keys.receipts, clock),
    )


def extract_desk(
    database: Database, place: IntakePlace, source: ExtractSource, clock: Clock
) -> KitExtractDesk:
    """The desk that seals extracts, with the key that signs receipts; raises IntakeKeyUnavailable."""
    return KitExtractDesk(database, load_keys(place.key_dir).receipts, source, clock)
