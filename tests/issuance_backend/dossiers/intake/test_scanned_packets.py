"""Nothing that a packet brings is read before a scanner has seen it; what it knows waits for a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from issuance_backend.app import create_issuance_app
from issuance_backend.content_scanning.domain import ContentScanner
from issuance_backend.content_scanning.place import scanner_at
from issuance_backend.content_scanning.refusals import ContentInfected, ContentScannerUnavailable
from issuance_backend.dossiers.intake.composition import Intake, IntakePlace, intake
from issuance_backend.settings import IssuanceSettings
from monitoring.environment import ConfigurationFault
from tests.support.issuance_office import citizens, make_office, picture
from tests.support.malware_scanner import MALWARE, running_clamd
from tests.support.packet_centre import SUPERVISOR, Centre
from tests.support.sealed_packets import SIGNED, Kit
from verification.messages.packet_intake import PacketRelease

ACCEPT, REFUSE = PacketRelease("VV/2026-9", is_accepted=True), PacketRelease("VV/2026-9", is_accepted=False)
INFECTED = {"portrait": b"\xff\xd8" + MALWARE}


@dataclass
class ScriptedScanner:
    """Knows one malware, while it is up."""

    is_up: bool = True
    knows: bytes = MALWARE
    seen: list[bytes] = field(default_factory=list)

    def require_clean(self, contents: Iterable[bytes]) -> None:
        if not self.is_up:
            raise ContentScannerUnavailable("down")
        for content in contents:
            self.seen.append(content)
            if self.knows in content:
                raise ContentInfected("known")

    def answers(self) -> bool:
        return self.is_up


def scanned_by(centre: Centre, scanner: ContentScanner) -> Intake:
    place = IntakePlace(centre.folder / "inbox", centre.folder / "keys")
    centre.intake = intake(centre.database, place, centre.dossiers, lambda: centre.now[0], scanner)
    return centre.intake


def test_every_item_is_seen_before_the_desk_sees_any(centre: Centre, kit: Kit) -> None:
    scanner = ScriptedScanner()
    scanned_by(centre, scanner)
    packet = kit.seal(blobs={"portrait": b"p", "finger_01": b"f", "old_card": b"o"})
    centre.bring(packet)
    assert set(scanner.seen) == {b"p", b"f", b"o", *SIGNED.values()}
    assert centre.status(packet).state == "opened"


def test_what_is_known_is_received_and_waits_for_a_case(centre: Centre, kit: Kit) -> None:
    scanner = ScriptedScanner()
    opening = scanned_by(centre, scanner).opening
    infected, good = kit.seal(blobs=INFECTED), kit.seal(citizens()[1])
    receipt = centre.bring(infected)
    assert centre.receipt(receipt).packet == infected.packet_hash
    assert (centre.status(infected).state, centre.status(infected).code) == ("doubtful", "CONTENT_INFECTED")
    assert centre.bring(infected) == receipt
    assert not centre.dossiers.opened
    centre.bring(good)
    assert centre.dossiers.opened == [good.packet_hash]
    assert opening.open_waiting() == 0
    assert opening.sweep() == 0
    kept = (centre.folder / "inbox" / infected.packet_hash).read_bytes()
    assert MALWARE not in kept, "what waits for a case is kept sealed, as it came"
    assert centre.intake.kits.numbers(SUPERVISOR, kit.name).doubtful[0].code == "CONTENT_INFECTED"


def test_a_case_lets_nothing_in_that_the_scanner_still_knows(centre: Centre, kit: Kit) -> None:
    scanner = ScriptedScanner()
    scanned_by(centre, scanner)
    infected = kit.seal(blobs=INFECTED)
    centre.bring(infected)
    centre.intake.kits.decide(SUPERVISOR, infected.packet_hash, ACCEPT)
    assert centre.status(infected).state == "doubtful"
    assert not centre.dossiers.opened
    scanner.knows = b"another, after its list was mended"
    centre.intake.kits.decide(SUPERVISOR, infected.packet_hash, ACCEPT)
    assert centre.status(infected).state == "opened"


def test_a_case_refuses_it_and_its_chunks_go(centre: Centre, kit: Kit) -> None:
    opening = scanned_by(centre, ScriptedScanner()).opening
    infected = kit.seal(blobs=INFECTED)
    centre.bring(infected)
    centre.intake.kits.decide(SUPERVISOR, infected.packet_hash, REFUSE)
    assert (centre.status(infected).state, opening.sweep()) == ("refused", 1)


def test_without_the_scanner_packets_are_acknowledged_and_opened_later(centre: Centre, kit: Kit) -> None:
    scanner = ScriptedScanner(is_up=False)
    opening = scanned_by(centre, scanner).opening
    packets = [kit.seal(citizens()[n]) for n in range(3)]
    receipts = [centre.bring(packet) for packet in packets]
    assert {centre.status(packet).state for packet in packets} == {"received"}
    assert opening.open_waiting() == 0
    assert not centre.dossiers.opened
    scanner.is_up = True
    assert opening.open_waiting() == 3
    assert centre.dossiers.opened == [packet.packet_hash for packet in packets]
    assert [centre.bring(packet) for packet in packets] == receipts


def test_the_real_clamd_stands_before_the_office_and_its_readiness_says_whether(
    tmp_path: Path, office_pki: Path
) -> None:
    with running_clamd() as clamd:
        office = make_office(tmp_path, office_pki)
        settings = {name: getattr(office.settings, name) for name in IssuanceSettings.__slots__}
        scanned = IssuanceSettings(**{**settings, "content_scanner": clamd.address})
        office.app = create_issuance_app(scanned, clock=lambda: office.now[0], registry=office.registry)
        lan = office.sign_in("lan.capture")
        ready = office.client().get("/readyz")
        assert (ready.status_code, ready.get_json()["parts"]["scanner"]) == (200, True)
        infected = lan.capture(citizens()[0], portrait=picture() + MALWARE)
        assert (infected.status_code, infected.get_json()["code"]) == (422, "CONTENT_INFECTED")
        assert lan.capture(citizens()[0], "capture-0000000002").status_code == 201
        clamd.stop()
        ready = office.client().get("/readyz")
        assert (ready.status_code, ready.get_json()) == (
            200,
            {"ready": True, "parts": {"database": True, "scanner": False}},
        )
        waits = lan.capture(citizens()[1], "capture-0000000003")
        assert (waits.status_code, waits.get_json()["code"]) == (503, "CONTENT_SCANNER_UNAVAILABLE")


def test_no_production_starts_without_a_scanner(tmp_path: Path) -> None:
    known = dict.fromkeys(("service_tokens", "registry_token_file", "pki_dir", "card_dir"), tmp_path)
    with pytest.raises(ConfigurationFault, match="ISSUANCE_CONTENT_SCANNER"):
        IssuanceSettings(**known, registry_url="http://127.0.0.1:9", profile="production")
    scanner = "unix:/run/clamav/clamd.ctl"
    set_up = IssuanceSettings(
        **known, registry_url="http://127.0.0.1:9", profile="production", content_scanner=scanner
    )
    assert scanner_at(set_up.content_scanner)
