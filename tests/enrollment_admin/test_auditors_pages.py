"""An auditor's pages: whatever there is to read, nothing to do."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.schema import DOSSIERS
from tests.support.busy_office import KIT, OFFICE_UNIT, begin_day
from tests.support.delivery import deliver, finished, hand_over
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.office_pages import sign_in, text

AUDITOR = "thanh.tra"
NOT_FOR_AUDITORS = {
    *("capture-number", "open-already", "recapture", "packing", "signers", "plan"),
    *("forbidden", "missing"),  # a page of the stock that another may not see, and one that is not there
}
PLAIN_FORMS = {"/language", "/logout", "/reports/text"}
"""The language, the way out, and figures of a text compared with what is known: nothing is kept of it."""


@pytest.fixture
def auditor(office: Office) -> str:
    OfficerDoor(office.database, lambda: NOW).enrol(AUDITOR, "Thanh", (Role.AUDITOR,), PASSWORD)
    return AUDITOR


def test_every_page_of_a_busy_day_is_read_and_offers_no_act(app: Flask, office: Office, auditor: str) -> None:
    visits = [each for each in begin_day(app, office) if each.name not in NOT_FOR_AUDITORS]
    browser = sign_in(app, auditor)
    for visit in visits:
        answer = browser.get(visit.path)
        shown = text(answer)
        assert answer.status_code == 200, visit
        forms = set(re.findall(r'<form method="post" action="([^"]+)"', shown))
        assert forms <= PLAIN_FORMS, (visit, forms - PLAIN_FORMS)
        assert len(re.findall(r'method="post"', shown)) == len(
            re.findall(r'<form method="post" action="', shown)
        )
    assert len(visits) > 20


def test_the_top_line_leads_to_what_an_auditor_reads(app: Flask, office: Office, auditor: str) -> None:
    begin_day(app, office)
    browser = sign_in(app, auditor)
    shown = text(browser.get("/dossiers"))
    line = re.search(r"<nav[^>]*>(.*?)</nav>", shown, re.DOTALL)
    assert line
    found = re.findall(r'href="([^"]+)"', line.group(1))
    assert found == [
        *("/dossiers", "/counter", "/investigations/requests/", "/kits", "/production"),
        *("/stock", "/boxes", "/credentials", "/accounts", "/complaints", "/dc01"),
        *("/registry/indices", "/registry/publications", "/registry/merges", "/reports"),
    ]
    for path in found:
        # These are the registry's, and this office has none: ``test_dc01_pages``, ``test_registry_pages``.
        is_registrys = path == "/dc01" or path.startswith("/registry/")
        assert browser.get(path).status_code == (503 if is_registrys else 200), path
    assert "Thanh tra" in shown
    assert "Auditor" in text(sign_in(app, auditor, "en").get("/dossiers"))


def test_nobody_is_told_to_do_what_is_not_theirs(app: Flask, office: Office, auditor: str) -> None:
    card = finished(office, citizens()[0])
    deliver(office, card, unit=OFFICE_UNIT)
    for step, (others, theirs) in (
        (lambda: None, ("Cán bộ trả thẻ sẽ trao", "Đối chiếu khuôn mặt với chip")),
        (lambda: hand_over(office, card), ("Người giữ thẻ dùng được", "ghi nhận ngay tại đây")),
    ):
        step()
        with office.database.reading() as connection:
            dossier = connection.execute(select(DOSSIERS.c.id)).scalar_one()
        for officer, said, unsaid in ((AUDITOR, others, theirs), ("lan.capture", theirs, others)):
            shown = text(sign_in(app, officer).get(f"/dossiers/{dossier}"))
            assert (said in shown, unsaid in shown) == (True, False), officer


def test_what_an_auditor_sends_all_the_same_is_refused(app: Flask, office: Office, auditor: str) -> None:
    begin_day(app, office)
    browser = sign_in(app, auditor)
    for path, said in (
        (f"/kits/{KIT}/gaps", {"sequence": "2", "case_id": "VA-2026/3"}),
        ("/stock/counts", {"counted": "3"}),
        ("/stock/write-offs", {"serials": "VN000000003"}),
        ("/production", {"limit": "1"}),
    ):
        refused = browser.post(path, said, page="/dossiers", Accept="application/json")
        assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING"), path
