"""The page of electronic accounts: ordered by one officer, approved by another, held by a third."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import NOW, PASSWORD, STATUS_TOKEN, Office, citizens
from tests.support.office_pages import Browser, captured, sign_in, text
from verification.messages.fault_catalogue import fault

PAGE = "/accounts"
NUMBER, OTHER = (person.citizen_number for person in citizens()[:2])


def ordered(app: Flask, officer: str = "lan.capture", **fields: str) -> str:
    """An account that this officer ordered; its id."""
    form = {"citizen_number": NUMBER, **fields}
    answer = sign_in(app, officer).post(PAGE, form, page=PAGE, Accept="application/json")
    assert answer.status_code == 201, text(answer)
    return str(answer.get_json()["id"])


def listed(browser: Browser, state: str) -> list[str]:
    return re.findall(r'<th scope="row" class="number">(\d{12})', text(browser.get(f"{PAGE}?state={state}")))


def test_an_account_is_ordered_approved_held_resumed_and_closed_on_the_page(
    app: Flask, office: Office
) -> None:
    lan, thu, son = (sign_in(app, each) for each in ("lan.capture", "thu.central", "son.supervisor"))
    assert "chờ duyệt" in lan.done(PAGE, {"citizen_number": f" {NUMBER} "}, page=PAGE)
    assert listed(thu, "captured") == [NUMBER]
    (act,) = re.findall(r'action="(/accounts/[0-9a-f]{16})/approve"', text(thu.get(PAGE)))
    where = {"list": "captured", "number": ""}
    assert "Đã duyệt tài khoản" in thu.done(f"{act}/approve", where, page=PAGE)
    assert (listed(thu, "captured"), listed(thu, "approved")) == ([], [NUMBER])
    token = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    told = office.client().post(f"/v1/account-activations/{act.rsplit('/', 1)[1]}", headers=token)
    assert told.get_json()["state"] == "active"
    for step, state in (("suspend", "suspended"), ("resume", "active"), ("close", "closed")):
        son.done(f"{act}/{step}", {"reason": "loss"} | where, page=PAGE)
        assert listed(son, state) == [NUMBER], step
    shown = text(son.get(f"{PAGE}?citizen_number={NUMBER}"))
    assert "Báo mất" in shown
    assert f'action="{act}' not in shown, "a closed account stays closed"


def test_nobody_is_offered_what_is_not_theirs_and_who_ordered_approves_nothing(app: Flask) -> None:
    account = ordered(app, "binh.both")
    for officer, acts in (
        ("lan.capture", {PAGE}),
        ("binh.both", {PAGE}),
        ("thu.central", {f"{PAGE}/{account}/approve"}),
        ("son.supervisor", {f"{PAGE}/{account}/close"}),
        ("mai.office", set()),
    ):
        shown = text(sign_in(app, officer).get(PAGE))
        assert NUMBER in shown, officer
        assert set(re.findall(rf'action="({PAGE}[^"]*)"', shown)) - {f"{PAGE}/{account}/suspend"} == acts
    assert sign_in(app, "hoa.production").get(PAGE).status_code == 403
    binh = sign_in(app, "binh.both")
    binh.post(f"{PAGE}/{account}/approve", {"list": "captured"}, page=PAGE)
    assert fault("SAME_OFFICER").vi.what in text(binh.get(PAGE))
    assert listed(binh, "captured") == [NUMBER]


def test_one_with_a_card_waits_for_that_card_and_leads_to_its_dossier(app: Flask) -> None:
    dossier = captured(app, number=NUMBER)
    lan = sign_in(app, "lan.capture")
    link = f"{PAGE}?citizen_number={NUMBER}&amp;dossier={dossier}"
    assert link in text(lan.get(f"/dossiers/{dossier}"))
    assert link not in text(sign_in(app, "minh.approve").get(f"/dossiers/{dossier}"))
    shown = text(lan.get(link.replace("&amp;", "&")))
    (form,) = re.findall(rf'<form method="post" action="{PAGE}"(.*?)</form>', shown, re.DOTALL)
    assert re.findall(r'name="(\w+)" class="number" value="(\w+)"', form) == [
        ("citizen_number", NUMBER), ("dossier", dossier)
    ]  # fmt: skip
    ordered(app, dossier=dossier)
    thu = sign_in(app, "thu.central", "en")
    assert listed(thu, "captured") == []
    shown = text(thu.get(f"{PAGE}?state=sent_with_card"))
    assert f'href="/dossiers/{dossier}"' in shown
    assert "Waits for its card" in shown


@pytest.mark.parametrize(
    ("form", "field", "code"),
    [
        ({"citizen_number": "1"}, "citizen_number", "CITIZEN_NUMBER_MALFORMED"),
        ({"citizen_number": NUMBER}, "citizen_number", "STATE_NOT_ALLOWED"),
        ({"citizen_number": OTHER, "dossier": "f" * 16}, "dossier", "DOSSIER_UNKNOWN"),
    ],
)
def test_an_order_that_cannot_be_is_said_beside_its_field(
    app: Flask, form: dict[str, str], field: str, code: str
) -> None:
    ordered(app)
    lan = sign_in(app, "lan.capture")
    answer = lan.post(PAGE, form, page=PAGE)
    shown = text(answer)
    assert answer.status_code == 422
    assert re.search(rf'id="order-{field}-fault">.{{0,60}}{re.escape(fault(code).vi.what)}', shown)
    assert f'value="{form["citizen_number"]}"' in shown, "what was typed stays"
    assert listed(lan, "captured") == [NUMBER]


def test_a_reason_that_is_none_holds_nothing(app: Flask) -> None:
    act, son = f"{PAGE}/{ordered(app)}/suspend", sign_in(app, "son.supervisor")
    son.post(act, {"reason": "mood", "list": "captured"}, page=PAGE)
    assert fault("FIELDS_REFUSED").vi.what in text(son.get(PAGE))
    assert listed(son, "suspended") == []
    assert son.get(f"{PAGE}?state=used").status_code == 422
    assert son.get(f"{PAGE}?citizen_number=12").status_code == 422


def test_an_officer_of_a_unit_finds_its_accounts_page_by_page(app: Flask, office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    for officer, unit in (("tu.unit", "001.02"), ("vy.unit", "001.03")):
        door.enrol(officer, officer, (Role.CAPTURE,), PASSWORD, unit)
    ordered(app, "tu.unit")
    ordered(app, "vy.unit", citizen_number=OTHER)
    assert listed(sign_in(app, "tu.unit"), "captured") == [NUMBER]
    assert sorted(listed(sign_in(app, "thu.central"), "captured")) == sorted((NUMBER, OTHER))
    thu = office.sign_in("thu.central")
    first = thu.get("/v1/accounts/work-list?state=captured&limit=1")
    second = thu.get(re.search(r"<([^>]+)>", first.headers["Link"])[1])  # type: ignore[index]
    found = [each["citizen_number"] for answer in (first, second) for each in answer.get_json()]
    assert sorted(found) == sorted((NUMBER, OTHER))
    assert "Link" not in second.headers
