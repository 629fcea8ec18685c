"""Examiners, leaders, stock keepers and supervisors on their pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from enrollment_admin.intake import kits_client
from enrollment_admin.reports import charts
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.cheap_prints import cheap_print
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens, make_office
from tests.support.office_pages import captured, pages_of, sign_in, text
from verification.messages.fault_catalogue import fault
from verification.messages.packet_intake import RevocationAnswer, SignerRevocation
from verification.messages.signing_key import public_jwk
from verification.messages.statistics import ClockFigure

EXAMINERS = {"e.mot": (Role.EXAMINER,), "e.hai": (Role.EXAMINER,), "truong": (Role.ADJUDICATION_LEAD,)}


@pytest.fixture
def searching(tmp_path: Path, office_pki: Path) -> Iterator[tuple[Flask, Office]]:
    made = make_office(tmp_path, office_pki, Sqlite(tmp_path), with_search=True)
    door = OfficerDoor(made.database, lambda: NOW)
    for officer, roles in EXAMINERS.items():
        door.enrol(officer, officer, roles, PASSWORD)
    with pages_of(made, tmp_path) as pages:
        yield pages, made


def test_examiners_see_two_pictures_and_no_name_and_leads_see_who_missed_what(
    searching: tuple[Flask, Office],
) -> None:
    app, made = searching
    first, second = (captured(app, number=person.citizen_number) for person in citizens()[:2])
    kept = Pictures(made.database, None).put(cheap_print(2))
    with made.database.writing() as connection:
        Pictures.keep(connection, kept)
        for each in (first, second):
            repository.set_prints(connection, each, {2: kept.name})
    lead, examiner = sign_in(app, "truong"), sign_in(app, "e.mot")
    assert "Không có cặp ảnh nào chờ" in text(examiner.get("/adjudication"))
    pair = {"probe_encounter": first, "candidate_encounter": second}
    unsaid = lead.post("/examiners/baits", pair, page="/examiners")
    assert (unsaid.status_code, 'id="truth-fault"' in text(unsaid)) == (422, True)
    nobody = lead.post(
        "/examiners/baits", {**pair, "probe_encounter": "0" * 16, "truth": "same"}, page="/examiners"
    )
    assert (nobody.status_code, 'id="probe_encounter-fault"' in text(nobody)) == (422, True)
    assert "Không có cặp ảnh nào chờ" in text(examiner.get("/adjudication")), "nobody could decide it"
    lead.done("/examiners/baits", {**pair, "truth": "same"}, page="/examiners")
    shown = text(examiner.get("/adjudication"))
    case = re.search(r'action="/adjudication/([^"]+)"', shown)
    assert case
    for person in citizens()[:2]:
        assert person.full_name not in shown
        assert person.citizen_number not in shown
    assert first not in shown
    pictures = [examiner.get(f"/adjudication/{case.group(1)}/{side}.jpg") for side in ("probe", "candidate")]
    assert all(each.data.startswith(b"\xff\xd8") for each in pictures)
    prints = re.findall(rf'src="(/adjudication/{case.group(1)}/prints/2/[a-z]+\.png)"', shown)
    assert ("Ngón trỏ phải" in shown, len(prints)) == (True, 2)
    assert all(examiner.get(each).data.startswith(b"\x89PNG") for each in prints)
    assert examiner.get(f"/adjudication/{case.group(1)}/prints/3/probe.png").status_code == 404
    silent = examiner.post(f"/adjudication/{case.group(1)}", page="/adjudication")
    assert (silent.status_code, 'id="decision-fault"' in text(silent)) == (422, True)
    examiner.done(f"/adjudication/{case.group(1)}", {"decision": "different_persons"}, page="/adjudication")
    figures = text(lead.get("/examiners"))
    assert "e.mot" in figures
    assert "100,0 %" in figures


def test_who_is_no_examiner_sees_no_case(searching: tuple[Flask, Office]) -> None:
    app, _ = searching
    answer = sign_in(app, "lan.capture").get("/adjudication")
    assert (answer.status_code, fault("OFFICER_ROLE_MISSING").vi.what in text(answer)) == (403, True)


def test_a_report_of_nothing_claims_no_proof(app: Flask) -> None:
    assert "Số liệu khớp:" not in text(sign_in(app, "lan.capture").get("/reports"))


def test_a_report_is_drawn_proven_and_leads_to_its_records(app: Flask) -> None:
    dossier = captured(app)
    lan = sign_in(app, "lan.capture")
    shown = text(lan.get("/reports"))
    assert "Số liệu khớp:" in shown
    assert re.search(r'<rect class="fill-calm" width="100.0%"', shown)
    link = re.search(r'href="(/reports/records\?figure=captured[^"]*)"', shown)
    assert link
    assert f'href="/dossiers/{dossier}"' in text(lan.get(link.group(1)))
    carried = text(sign_in(app, "dung.courier").get(link.group(1)))
    assert (dossier in carried, "/dossiers/" in carried) == (True, False), "no link to what is not theirs"
    assert lan.get("/reports/report.pdf").data.startswith(b"%PDF")
    assert "attachment" in lan.get("/reports/report.csv?period=week").headers["Content-Disposition"]


@pytest.mark.parametrize(("query", "field"), [("as_of=gestern", "as_of"), ("period=century", "period")])
def test_what_a_report_cannot_be_asked_is_said(app: Flask, query: str, field: str) -> None:
    answer = sign_in(app, "lan.capture").get(f"/reports?{query}")
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in text(answer)


def test_a_text_with_a_wrong_share_is_found_out(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    claim = "Đã thu nhận 100 hồ sơ, trong đó 50 hồ sơ đã truyền về trung tâm, đạt 70%."
    shown = text(lan.post("/reports/text", {"text": claim}, page="/reports/text"))
    assert "chỗ cần xem lại" in shown
    assert "100 hồ sơ" in shown


@pytest.mark.parametrize("amounts", [(0, 0, 0, 0, 0, 0), (5, 1, 3, 2, 4, 1), (0, 0, 9, 0, 0, 0)])
def test_the_parts_of_a_time_limit_fill_its_bar_exactly(amounts: tuple[int, ...]) -> None:
    held = dict(zip(charts.CLOCK_PARTS, amounts, strict=True))
    clock = ClockFigure(
        definition="total", version=1, started=sum(amounts), on_time_percent=None, late_percent=None, **held
    )
    drawn = charts.slices(clock)
    assert sum(each.amount for each in drawn) == clock.started
    assert sum(each.percent for each in drawn) == pytest.approx(100 if clock.started else 0, abs=0.05)
    for one, other in pairwise(drawn):
        assert one.start + one.percent == pytest.approx(other.start, abs=0.02)


def test_the_longest_bar_is_full_and_nothing_is_no_length() -> None:
    assert [bar.percent for bar in charts.bars([("a", 4), ("b", 1), ("c", 0)])] == [100.0, 25.0, 0.0]
    assert [bar.percent for bar in charts.bars([("a", 0)])] == [0.0]


def test_the_books_of_blanks_are_kept_by_two(app: Flask) -> None:
    keeper, quality = sign_in(app, "khoa.stock"), sign_in(app, "nga.quality")
    keeper.done("/stock/deliveries", {"first": "VN000000001", "last": "VN000000010"}, page="/stock")
    bad = keeper.post("/stock/counts", {"counted": "nine"}, page="/stock")
    assert (bad.status_code, 'id="counted-fault"' in text(bad)) == (422, True)
    keeper.done("/stock/counts", {"counted": "10"}, page="/stock")
    keeper.done("/stock/write-offs", {"serials": "VN000000003"}, page="/stock")
    shown = quality.done("/stock/destructions", {"serials": "VN000000003"}, page="/stock")
    confirm = re.search(r'action="(/stock/destructions/[^"]+/confirmation)"', text(keeper.get("/stock")))
    assert confirm
    assert confirm.group(1) not in shown
    shown = keeper.done(confirm.group(1), page="/stock")
    assert "Nhận = kho + đã dùng + hỏng + tiêu huỷ" in shown


def test_a_batch_of_nothing_is_refused_on_its_page(app: Flask) -> None:
    operator = sign_in(app, "hoa.production")
    bad = operator.post("/production", {"limit": "many"}, page="/production")
    assert (bad.status_code, 'id="limit-fault"' in text(bad)) == (422, True)
    none = operator.post("/production", {"limit": "5"}, page="/production")
    assert none.status_code == 303
    assert fault("STATE_NOT_ALLOWED").vi.what in text(operator.get("/production"))


def test_what_a_revocation_met_is_told_page_by_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SignerRevocation] = []

    def revoke(_backend: object, revocation: SignerRevocation) -> RevocationAnswer:
        asked.append(revocation)
        if revocation.cursor is None:
            return RevocationAnswer(1, ("a" * 16,), 7, ("c" * 16,), "further")
        return RevocationAnswer(0, ("b" * 16,), 1, ())

    monkeypatch.setattr(kits_client, "revoke", revoke)
    supervisor = sign_in(app, "son.supervisor")
    said = {
        "kind": "officer",
        "owner": "lan.capture",
        "revoked_at": "2026-11-20T08:00",
        "case_id": "VA-2026/3",
    }
    first = text(supervisor.post("/packet-signers/revocation", said, page="/packet-signers"))
    assert ("a" * 16 in first, "c" * 16 in first, "Xem tiếp" in first) == (True, True, True)
    assert re.search(r"VA-2026/3</strong>: <span[^>]*>7<", first)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', first))
    again = {name: html.unescape(hidden[name]) for name in (*said, "cursor")}
    last = text(supervisor.post("/packet-signers/revocation", again, page="/packet-signers"))
    assert ("b" * 16 in last, "Xem tiếp" in last) == (True, False)
    assert [each.cursor for each in asked] == [None, "further"]
    assert len({msgspec.structs.replace(each, cursor=None) for each in asked}) == 1


def test_a_kit_is_seen_and_revoked_only_from_a_moment_and_in_a_case(app: Flask, office: Office) -> None:
    jwk = dict(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    made = office.sign_in("son.supervisor").post("/v1/kits", {"kit": "kit-0001", "jwk": jwk})
    assert made.status_code == 204, made.get_data(as_text=True)
    supervisor = sign_in(app, "son.supervisor")
    assert 'href="/kits/kit-0001"' in text(supervisor.get("/kits"))
    page = "/kits/kit-0001"
    assert 'class="verdict-what">Đủ<' in text(supervisor.get(page))
    undated = supervisor.post(f"{page}/revoke", {"case_id": "VA-2026/3"}, page=page)
    assert (undated.status_code, 'id="revoked_at-fault"' in text(undated)) == (422, True)
    said = {"revoked_at": "2026-11-20T08:00", "case_id": "VA-2026/3"}
    revoked = supervisor.post(f"{page}/revoke", said, page=page)
    assert (revoked.status_code, 'class="notice done"' in text(revoked)) == (200, True)
    assert "Đã thu hồi" in text(supervisor.get("/kits"))
    refused = sign_in(app, "lan.capture").get("/kits")
    assert (refused.status_code, fault("OFFICER_ROLE_MISSING").vi.what in text(refused)) == (403, True)
