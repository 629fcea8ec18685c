"""Operator, quality officer and stock keeper of a card are three people; its picture is the captured one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.blank_stock.service import StockOffice
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.portrait_pictures import chip_portrait
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens, make_office, picture
from tests.support.running import run_pending
from verification.lds.dg2 import parse_dg2
from verification.lds.files import LdsFile
from verification.messages.production import BlankDelivery

OPERATOR, KEEPER = "hoa.production", "khoa.stock"


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """Who may do what does not depend on the engine."""
    return make_office(tmp_path, office_pki, Sqlite(tmp_path))


def approved(office: Office) -> str:
    dossier = str(office.sign_in("lan.capture").capture(citizens()[4]).get_json()["id"])
    office.approve_all(dossier)
    return dossier


def card_of(office: Office, dossier: str) -> str:
    return str(office.sign_in(OPERATOR).get(f"/v1/dossiers/{dossier}").get_json()["credential"])


def with_every_role_of_production(office: Office, name: str) -> Any:
    roles = (Role.PRODUCTION, Role.QUALITY, Role.STOCK_KEEPER)
    OfficerDoor(office.database, lambda: NOW).enrol(name, name, roles, PASSWORD)
    return office.sign_in(name)


@pytest.mark.parametrize("name", [OPERATOR, KEEPER])
def test_whoever_made_a_card_or_kept_its_blank_does_not_judge_it(office: Office, name: str) -> None:
    dossier = approved(office)
    office.make_cards()
    path, fault = f"/v1/produced-cards/{card_of(office, dossier)}/refusal", {"fault": "surface_damaged"}
    refused = with_every_role_of_production(office, name).post(path, fault)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER")
    assert office.sign_in("nga.quality").post(path, fault).status_code == 204


def test_a_quality_officer_sees_the_print_of_a_card_that_can_still_be_refused(office: Office) -> None:
    dossier = approved(office)
    office.make_cards()
    card, nga = card_of(office, dossier), office.sign_in("nga.quality")
    printed, at = CardDrawer(office.card_dir).printed(card), "/v1/produced-cards"
    assert (printed.front, printed.back) == tuple(
        nga.get(f"{at}/{card}/{face}.png").get_data() for face in ("front", "back")
    )
    assert nga.get(f"{at}/{card}/front.png").headers["Cache-Control"] == "no-store"
    assert office.sign_in(OPERATOR).get(f"{at}/{card}/front.png").status_code == 403
    assert nga.get(f"{at}/{'0' * 16}/front.png").get_json()["code"] == "CREDENTIAL_UNKNOWN"
    assert nga.get(f"{at}/{card}/side.png").status_code == 404
    assert nga.post(f"{at}/{card}/refusal", {"fault": "surface_damaged"}).status_code == 204
    assert nga.get(f"{at}/{card}/front.png").get_json()["code"] == "STATE_NOT_ALLOWED"


def test_an_operators_batch_takes_its_blanks_from_anothers_delivery(office: Office) -> None:
    """Though the operator's own came first."""
    stock = StockOffice(office.database, lambda: NOW, CardDrawer(office.card_dir).destroy)
    for name, first in ((OPERATOR, 1), (KEEPER, 11)):
        keeper = Officer(name, name, frozenset({Role.STOCK_KEEPER}))
        stock.receive(keeper, BlankDelivery(first=f"VN{first:09}", last=f"VN{first + 9:09}"))
    dossier = approved(office)
    assert office.sign_in(OPERATOR).post(f"/v1/dossiers/{dossier}/production").status_code == 200
    run_pending(office.card_line())
    view = office.sign_in(OPERATOR).get(f"/v1/dossiers/{dossier}").get_json()
    begun = next(step for step in view["card_steps"] if step["event"] == "begin")
    assert (begun["detail"]["operator"], begun["detail"]["blank"]) == (OPERATOR, "VN000000011")


def test_the_picture_on_the_chip_is_made_of_the_captured_one_in_one_step(office: Office) -> None:
    dossier = approved(office)
    office.make_cards()
    written = CardDrawer(office.card_dir).written(card_of(office, dossier))
    (portrait,) = parse_dg2(written.files[LdsFile.DG2]).portraits
    assert portrait.image == chip_portrait(picture())
