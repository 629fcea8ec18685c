"""Workers and followers as a process of its own runs them, until the point at which they are killed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
from flask import Flask

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.outbox import Outbox
from issuance_backend.app import create_issuance_app
from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.credentials.undelivered_desk import age as age_cards
from issuance_backend.dossiers.deduplication import DeduplicationDesk
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.personalization import card_printer
from issuance_backend.personalization import service as line_service
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.quality_control import QualityControl
from issuance_backend.personalization.service import CardLine
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.legacy_import import service as legacy_service
from issuance_backend.population_registry.legacy_import.service import LegacyImport
from issuance_backend.population_registry.registration import service as registering
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.production_composition import create_card_line
from issuance_backend.settings import IssuanceSettings
from issuance_backend.virtual_card.tampering import flip_dg13
from monitoring.database import Database
from tests.support.application_desk import desk_on
from tests.support.deduplication_centre import Biometry, Centre, InventedTemplates
from tests.support.issuance_office import InventedRegistry
from tests.support.killing import Point, die
from tests.support.kit_bench import KitBench, answer_at, enrol_at
from tests.support.packet_centre import Centre as PacketCentre
from tests.support.packet_centre import PlainDossiers
from tests.support.registry_news import News
from tests.support.running import run_pending
from tests.support.search_bed import bed_on
from tests.support.twin_stand import centre_on
from verification.messages.enrollment_packet import SealedPacket


class Request(msgspec.Struct, frozen=True):
    """What an officer's program sends, and when."""

    token: str
    key: str
    path: str
    body: object
    moment: datetime


def office_server(settings: IssuanceSettings) -> Callable[[Request, Point], None]:
    """An office's process that answers one request, until the point."""
    moments: list[datetime] = []
    app = create_issuance_app(settings, clock=lambda: moments[-1], registry=InventedRegistry())
    return _serving(app, moments)


def registry_server(settings: RegistrySettings) -> Callable[[Request, Point], None]:
    """A registry's process that answers one request, until the point; forms become entries one by one."""
    moments: list[datetime] = []
    _put(registering, "_PORTION", 1)
    return _serving(create_registry_app(settings, clock=lambda: moments[-1]), moments)


def archive_taker(url: str, lines: Sequence[str]) -> Callable[[datetime, Point], None]:
    """A program that imports an archive, two lines at a time, until the point."""
    _put(legacy_service, "AT_ONCE", 2)

    def take_over(now: datetime, point: Point) -> None:
        point.arrange()
        LegacyImport(Database(url), lambda: now).take_over(lines, "lan.archive")

    return take_over


def _serving(app: Flask, moments: list[datetime]) -> Callable[[Request, Point], None]:
    def serve(request: Request, point: Point) -> None:
        moments.append(request.moment)
        point.arrange()
        headers = {"Authorization": f"Bearer {request.token}", "Idempotency-Key": request.key}
        content = b"" if request.body is None else msgspec.json.encode(request.body)
        kind = "application/json"
        answer = app.test_client().post(request.path, data=content, headers=headers, content_type=kind)
        if answer.status_code >= 300:
            raise AssertionError(answer.get_data(as_text=True))

    return serve


@dataclass(frozen=True)
class SearchBench:
    """A database with dossiers and galleries, and which invented person each portrait shows."""

    url: str
    folder: Path
    biometry: Biometry

    def work(self, now: datetime) -> int:
        """Everything that dossiers' and search's programs can do; how many people are enrolled then."""
        database = Database(self.url)
        bed, desk = bed_on(database, self.folder), desk_on(database, searches=True)
        bed.now[0] = desk.now[0] = now
        work = DeduplicationDesk(database, InventedTemplates(bed, desk, self.biometry), lambda: now)
        Centre(desk, bed, work, self.biometry).run()
        enrolled = len(bed.worker.index("national"))
        database.close()
        return enrolled


def search(bench: SearchBench, now: datetime, point: Point) -> None:
    """Dossiers through the search."""
    point.arrange()
    bench.work(now)


def follow_registry(url: str, news: News, now: datetime, point: Point) -> None:
    """What the registry tells of deaths."""
    follower = RegistryFollower(Database(url), news, lambda: now)
    point.arrange()
    run_pending(follower)


def age(url: str, now: datetime, point: Point) -> None:
    """Cards that nobody fetched."""
    database = Database(url)
    point.arrange()
    age_cards(database, lambda: now)


def confirm(url: str, consumer: str, reached: int, now: datetime, point: Point) -> None:
    """How far a subscriber has dealt with events."""
    board = NoticeBoard(Database(url), lambda: now)
    point.arrange()
    board.confirm(consumer, reached)


def bring(url: str, folder: Path, packet: SealedPacket, now: datetime, point: Point) -> None:
    """A sealed packet: announced, every chunk that is missing, completed and opened."""
    centre = PacketCentre(Database(url), folder, PlainDossiers(), now=[now])
    point.arrange()
    centre.bring(packet)


def bring_twin(url: str, folder: Path, packet: SealedPacket, point: Point) -> None:
    """The same, where the real desks open dossiers."""
    stand = centre_on(Database(url), folder)
    point.arrange()
    stand.centre.bring(packet)


def enrol(bench: KitBench, centre: str, said: Path, point: Point) -> None:
    """A citizen at a kit, from the first question to the centre's receipt."""
    point.around(CentreClient, "announce", "put_chunk", "complete")
    point.arrange()
    enrol_at(bench, centre, said)


def answer(bench: KitBench, centre: str, stick: Path, point: Point) -> None:
    """A return that a stick brings, captured again, to the centre's receipt."""
    point.around(CentreClient, "announce", "put_chunk", "complete")
    point.arrange()
    answer_at(bench, centre, stick)


def carry(bench: KitBench, stick: Path, point: Point) -> None:
    """What waits in a kit onto a stick, and what the stick brings back into the kit."""
    outbox = Outbox(bench.open())
    point.arrange()
    outbox.take_receipts(stick)
    outbox.export(stick)


def produce(settings: IssuanceSettings, now: datetime, step: str) -> None:
    """A worker that makes cards and dies at one step of its first order."""
    if step in {"card spoiled", "card destroyed"}:
        write = CardDrawer.write
        _put(CardDrawer, "write", lambda drawer, card, image: write(drawer, card, flip_dg13(image)))
    _PRODUCTION_DEATHS[step]()
    line = create_card_line(settings, Database(settings.database_url), ChipKeyPool(), clock=lambda: now)
    line.run_once()


def _dying_after(owner: type, name: str) -> None:
    whole = getattr(owner, name)
    _put(owner, name, lambda *given, **named: die(whole(*given, **named)))


def _put(owner: object, name: str, instead: object) -> None:
    setattr(owner, name, instead)


# The drawer's own fsync: that of the signers' records comes before.
_DRAWERS_OS = SimpleNamespace(**{**vars(os), "fsync": die})

_PRODUCTION_DEATHS: Mapping[str, Callable[[], None]] = {
    "order taken": lambda: _put(line_service, "prepare", die),
    "blank used up": lambda: _put(CardDrawer, "write", die),
    "chip half written": lambda: setattr(card_printer, "os", _DRAWERS_OS),
    "chip written": lambda: _dying_after(CardDrawer, "write"),
    "faces printed": lambda: _dying_after(CardDrawer, "print_faces"),
    "writing recorded": lambda: _put(CardDrawer, "written", die),
    "card read back": lambda: _dying_after(QualityControl, "inspect"),
    "card good": lambda: _dying_after(CardLine, "_judge"),
    "card destroyed": lambda: _dying_after(CardDrawer, "destroy"),
    "card spoiled": lambda: _dying_after(CardLine, "_judge"),
}
