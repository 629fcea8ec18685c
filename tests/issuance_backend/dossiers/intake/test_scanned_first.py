"""A scanner has seen what was captured before any code of ours reads it, at the intake and at a counter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from issuance_backend.content_scanning.refusals import ContentInfected
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import CaptureDesk
from issuance_backend.dossiers.intake.composition import IntakePlace, intake
from tests.support.application_desk import LAN, MINH, OfficerJudges, capture_of, everybody_is, make_desk
from tests.support.engines import Engine
from tests.support.issuance_office import picture
from tests.support.packet_centre import Centre
from tests.support.sealed_packets import Kit
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import OpenedPacket

KNOWN = b"known malware"


@dataclass
class Order:
    """What happened, in its order."""

    seen: list[str] = field(default_factory=list)


@dataclass
class NotingScanner:
    """Notes what it is asked, and knows one malware."""

    order: Order

    def require_clean(self, contents: Iterable[bytes]) -> None:
        self.order.seen.append("scanned")
        if any(KNOWN in content for content in contents):
            raise ContentInfected("known")

    def answers(self) -> bool:
        return True


@dataclass
class NotingDossiers:
    """Notes when a packet is read; the rest is the desk's that it stands for."""

    order: Order
    desk: Any

    def prepare(self, packet: OpenedPacket) -> Any:
        self.order.seen.append("read")
        return self.desk.prepare(packet)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk, name)


def test_nothing_of_a_packet_is_read_before_it_was_scanned(centre: Centre, kit: Kit) -> None:
    order = Order()
    place = IntakePlace(centre.folder / "inbox", centre.folder / "keys")
    dossiers, scanner = NotingDossiers(order, centre.dossiers), NotingScanner(order)
    centre.intake = intake(centre.database, place, dossiers, lambda: centre.now[0], scanner)
    centre.bring(kit.seal(blobs={"portrait": KNOWN}))
    assert set(order.seen) == {"scanned"}, "what a scanner knows is read by nobody"
    order.seen.clear()
    good = kit.seal(blobs={"portrait": b"p"})
    centre.bring(good)
    assert (order.seen[0], set(order.seen)) == ("scanned", {"scanned", "read"})
    assert centre.status(good).state == "opened"


def test_a_counter_that_captures_again_is_scanned_as_well(database_engine: Engine) -> None:
    desk = make_desk(database_engine)
    checks = CaptureChecks(desk.registry, OfficerJudges(), NotingScanner(Order()))
    counter = CaptureDesk(desk.database, checks, desk.pictures, lambda: desk.now[0], everybody_is)
    with pytest.raises(ContentInfected):
        counter.capture(LAN, capture_of(portrait=picture() + KNOWN))
    dossier = counter.capture(LAN, capture_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    with pytest.raises(ContentInfected):
        counter.recapture(LAN, dossier, capture_of(number=2, portrait=picture(2) + KNOWN))
    assert desk.state(dossier) == "returned"
    counter.recapture(LAN, dossier, capture_of(number=2, portrait=picture(2)))
    assert desk.state(dossier) == "validated"
