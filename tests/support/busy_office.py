"""An office in the middle of its day: every page over it has something to show."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import NOW, PASSWORD, STATUS_TOKEN, Office, citizens
from tests.support.office_pages import approved, captured, sign_in, text
from tests.support.running import run_pending
from tests.support.sealed_packets import Kit
from verification.messages.enrollment_packet import CHUNK_BYTES, SealedPacket
from verification.messages.signing_key import public_jwk, public_key_of

SERVICE = {"Authorization": f"Bearer {STATUS_TOKEN}"}
KIT = "kit-001"
OFFICE_UNIT = "001.02.00013"
_CHIEFS = {
    "vinh.chief": (Role.DISTRICT_CHIEF,),
    "an.archive": (Role.ARCHIVE_CLERK,),
    "hai.approve": (Role.APPROVER,),
}
_EXAMINERS = {"e.mot": (Role.EXAMINER,), "truong": (Role.ADJUDICATION_LEAD,)}


def centre_key(office: Office) -> ec.EllipticCurvePublicKey:
    """What kits encrypt to."""
    answer = office.client().get("/v1/packet-keys", headers=SERVICE)
    key = public_key_of(answer.get_json()["opening"])
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def bring(office: Office, packet: SealedPacket) -> None:
    """A packet arrives whole."""
    client = office.client()
    announced = client.post(
        "/v1/packets", data=packet.metadata, headers=SERVICE, content_type="application/json"
    )
    for offset in announced.get_json()["missing"]:
        part = packet.content[offset : offset + CHUNK_BYTES]
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        put = client.put(
            f"/v1/packets/{packet.packet_hash}/chunks/{offset}",
            data=part,
            headers={**SERVICE, "Content-Digest": f"sha-256=:{digest}:"},
            content_type="application/octet-stream",
        )
        assert put.status_code == 204
    path = f"/v1/packets/{packet.packet_hash}/completion"
    assert client.post(path, headers=SERVICE).status_code == 200


def registered_kit(app: Flask, office: Office) -> Kit:
    """A kit and its officer's key, registered over the pages."""
    kit = Kit(centre_key(office), name=KIT)
    supervisor, page = sign_in(app, "son.supervisor"), "/packet-signers"
    key = json.dumps(dict(public_jwk(kit.kit_key.public_key())))
    supervisor.done(
        f"{page}/kits", {"owner": KIT, "jwk": key, "unit": OFFICE_UNIT, "valid_until": ""}, page=page
    )
    key = json.dumps(dict(public_jwk(kit.officer_key.public_key())))
    supervisor.done(page, {"kind": "officer", "owner": kit.officer, "jwk": key}, page=page)
    return kit


def set_targets(office: Office, amounts: dict[str, int]) -> None:
    """How many are to be captured in each unit."""
    targets = [
        {
            "definition": "captured", "unit": unit, "starts_on": "2026-11-01", "ends_on": "2027-06-30",
            "amount": amount, "basis": "KH 1/2026",
        }
        for unit, amount in amounts.items()
    ]  # fmt: skip
    answer = office.client().post("/v1/statistics-targets", json={"targets": targets}, headers=SERVICE)
    assert answer.status_code == 201, answer.get_data(as_text=True)


@dataclass(frozen=True)
class Visit:
    """One page, and who goes there."""

    name: str
    officer: str
    path: str


def begin_day(app: Flask, office: Office) -> list[Visit]:
    """Let the day's work happen; the pages to look at then."""
    door = OfficerDoor(office.database, lambda: NOW)
    for officer, roles in _CHIEFS.items():
        door.enrol(officer, officer.title(), roles, PASSWORD)
    door.enrol("lan.capture", "Nguyễn Thị Lan", (Role.CAPTURE,), PASSWORD, OFFICE_UNIT)
    numbers = [person.citizen_number for person in citizens()]
    set_targets(office, {"01": 1_200_000, "79": 2, "001.02": 3})
    fresh, returned, asked, held, done, made = (captured(app, number=number) for number in numbers)
    _decided(app, returned, asked, held)
    box, batch = _cards(app, office, done, made)
    kit = registered_kit(app, office)
    first, _lost, third = (kit.seal(citizens()[number]) for number in (0, 1, 2))
    bring(office, first)
    bring(office, third)
    dossiers = {
        "fresh": fresh, "returned": returned, "asked": asked, "held": held, "done": done, "made": made,
    }  # fmt: skip
    return _office_visits(dossiers, box, batch) + _counter_visits(app, office)


def _counter_visits(app: Flask, office: Office) -> list[Visit]:
    """A capture that waits for its signature and for a supervisor."""
    applicant = citizens(7)[6]
    office.registry.people[applicant.citizen_number] = applicant
    lan = sign_in(app, "lan.capture")
    path = str(lan.capture(number=applicant.citizen_number).headers["Location"])
    lan.done(f"{path}/form", page=path)
    return [
        Visit("counter", "lan.capture", "/counter"),
        Visit("counter-sign", "lan.capture", path),
        Visit("counter-answer", "son.supervisor", path),
    ]


def begin_comparing(app: Flask, office: Office) -> list[Visit]:
    """Let an examiner have a pair to look at, and their lead figures; needs an office with a search room."""
    door = OfficerDoor(office.database, lambda: NOW)
    for officer, roles in _EXAMINERS.items():
        door.enrol(officer, officer.title(), roles, PASSWORD)
    first, second, third = (captured(app, number=person.citizen_number) for person in citizens()[:3])
    lead = sign_in(app, "truong")
    for one, other in ((first, second), (first, third), (second, third)):
        pair = {"probe_encounter": one, "candidate_encounter": other, "truth": "same"}
        lead.done("/examiners/baits", pair, page="/examiners")
    examiner = sign_in(app, "e.mot")
    case = re.search(r'action="(/adjudication/[^"]+)"', text(examiner.get("/adjudication")))
    assert case
    examiner.done(case.group(1), {"decision": "different_persons"}, page="/adjudication")
    return [
        Visit("adjudication", "e.mot", "/adjudication"),
        Visit("examiners", "truong", "/examiners"),
        Visit("no-pair", "truong", "/adjudication"),
    ]


def _decided(app: Flask, returned: str, asked: str, held: str) -> None:
    """One dossier goes back, one into the archive, one is stopped by a case."""
    minh = sign_in(app, "minh.approve")
    path = f"/dossiers/{returned}"
    items = {"items": ["portrait", "identification"], "comment": "Ảnh mờ, ghi rõ hơn đặc điểm"}
    minh.done(f"{path}/return", items, page=path)
    path = f"/dossiers/{asked}"
    minh.done(f"{path}/archive-lookup", {"reason": "paper_prints"}, page=path)
    path = f"/dossiers/{held}"
    sign_in(app, "vinh.chief").done(f"{path}/suspend", {"case_id": "VA-2026/17"}, page=path)


def _cards(app: Flask, office: Office, done: str, made: str) -> tuple[str, str]:
    """Two cards are made, one of them is handed over; the box it came in, and the batch."""
    keeper, operator = sign_in(app, "khoa.stock"), sign_in(app, "hoa.production")
    keeper.done("/stock/deliveries", {"first": "VN000000001", "last": "VN000000050"}, page="/stock")
    keeper.done("/stock/write-offs", {"serials": "VN000000049 VN000000050"}, page="/stock")
    quality = sign_in(app, "nga.quality")
    quality.done("/stock/destructions", {"serials": "VN000000049"}, page="/stock")
    for dossier in (done, made):
        approved(app, dossier)
    operator.done("/production", {"limit": "10"}, page="/production")
    run_pending(office.card_line())
    batch = re.search(r'href="(/production/[0-9a-f-]+)"', text(operator.get("/production")))
    assert batch
    answer = sign_in(app, "minh.approve").get(f"/dossiers/{done}", Accept="application/json")
    card = str(answer.get_json()["credential"])
    keeper.done("/boxes", {"unit": OFFICE_UNIT, "cards": card}, page=f"/boxes/new?unit={OFFICE_UNIT}")
    found = re.search(r'href="(/boxes/[0-9a-f]{8,})"', text(keeper.get("/boxes")))
    assert found
    box = found.group(1)
    seal = re.search(r'class="seal">([0-9a-f]+)<', text(keeper.get(box)))
    assert seal
    sign_in(app, "dung.courier").done(f"{box}/dispatch", {"digest": seal.group(1)}, page=box)
    sign_in(app, "mai.office").done(f"{box}/receipt", {"cards": card}, page=box)
    return box, batch.group(1)


def _office_visits(dossiers: dict[str, str], box: str, batch: str) -> list[Visit]:
    number = citizens()[0].citizen_number
    return [
        Visit("list", "minh.approve", "/dossiers"),
        Visit("choose", "minh.approve", "/dossiers?state=validated"),
        Visit("approval-lists", "minh.approve", "/approval-lists"),
        Visit("capture-number", "lan.capture", "/dossiers/new"),
        Visit("open-already", "lan.capture", f"/dossiers/new?citizen_number={number}"),
        Visit("recapture", "lan.capture", f"/dossiers/{dossiers['returned']}/recapture"),
        Visit("approve", "minh.approve", f"/dossiers/{dossiers['fresh']}"),
        Visit("returned", "lan.capture", f"/dossiers/{dossiers['returned']}"),
        Visit("archive", "vinh.chief", f"/dossiers/{dossiers['asked']}"),
        Visit("held", "vinh.chief", f"/dossiers/{dossiers['held']}"),
        Visit("made", "nga.quality", f"/dossiers/{dossiers['made']}"),
        Visit("hand-over", "mai.office", f"/dossiers/{dossiers['done']}"),
        Visit("confirm-holder", "son.supervisor", f"/dossiers/{dossiers['done']}"),
        Visit("production", "hoa.production", "/production"),
        Visit("batch", "nga.quality", batch),
        Visit("stock", "khoa.stock", "/stock"),
        Visit("stock-quality", "nga.quality", "/stock"),
        Visit("boxes", "khoa.stock", "/boxes?state=received"),
        Visit("packing", "khoa.stock", f"/boxes/new?unit={OFFICE_UNIT}"),
        Visit("box", "mai.office", box),
        Visit("cards", "mai.office", "/credentials"),
        Visit("accounts", "son.supervisor", "/accounts"),
        Visit("cards-of", "mai.office", f"/credentials?citizen_number={citizens()[4].citizen_number}"),
        Visit("cards-list", "mai.office", "/credentials/work-list?state=at_office"),
        Visit("reports", "son.supervisor", "/reports?period=month"),
        Visit("leaderboard", "son.supervisor", "/reports/leaderboard"),
        Visit("returns", "son.supervisor", "/reports/returns?period=month"),
        Visit("targets", "son.supervisor", "/reports/targets"),
        Visit("records", "son.supervisor", "/reports/records?figure=captured"),
        Visit("text", "son.supervisor", "/reports/text"),
        Visit("kits", "son.supervisor", "/kits"),
        Visit("kit", "son.supervisor", f"/kits/{KIT}"),
        Visit("signers", "son.supervisor", "/packet-signers"),
        Visit("certificates", "son.supervisor", "/officer-certificates"),
        Visit("plan", "son.supervisor", "/plans"),
        Visit("forbidden", "lan.capture", "/stock"),
        Visit("missing", "lan.capture", "/nowhere"),
    ]
