from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_backend import app
from issuance_backend.personalization import card_printer, service
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.service import WRITING_TIME
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.tampering import flip_dg13
from monitoring.environment import ConfigurationFault
from tests.support.issuance_office import NOW, Office, citizens
from verification.pki.trust_store import TrustStore

PERSON = citizens()[4]


def approved(office: Office) -> dict[str, Any]:
    dossier = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    answer = office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/approval")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def produce(office: Office, dossier: str) -> Any:
    return office.sign_in("hoa.production").post(f"/v1/dossiers/{dossier}/production")


def test_a_card_that_fails_is_spoiled_and_made_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    write = CardDrawer.write
    monkeypatch.setattr(CardDrawer, "write", lambda self, card, image: write(self, card, flip_dg13(image)))
    view = approved(office)
    assert view["credential_state"] == "qa_failed"
    failed = {finding["code"] for finding in view["card"]["findings"] if not finding["passed"]}
    assert "CHIP_DATA_ALTERED" in failed
    refused = office.sign_in("lan.capture").post(f"/v1/credentials/{view['credential']}/handover")
    assert refused.get_json()["code"] == "STATE_NOT_ALLOWED"
    monkeypatch.undo()
    again = produce(office, view["id"]).get_json()
    assert (again["credential_state"], again["card"]["attempt"]) == ("qa_passed", 2)
    assert sorted(path.stem for path in office.card_dir.glob("*.card")) == [again["credential"]]
    assert again["credential"] != view["credential"]


def test_a_good_card_is_not_made_twice(office: Office) -> None:
    view = approved(office)
    answer = produce(office, view["id"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")


def test_an_approval_stands_when_the_writer_is_down(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: CardDrawer, _card: str, _image: CardImage) -> None:
        raise ProductionUnavailable("out of blanks")

    monkeypatch.setattr(CardDrawer, "write", broken)
    view = approved(office)
    assert (view["state"], view["credential_state"]) == ("approved", "spoiled")
    answer = produce(office, view["id"])
    assert (answer.status_code, answer.get_json()["code"]) == (503, "PRODUCTION_UNAVAILABLE")
    monkeypatch.undo()
    assert produce(office, view["id"]).get_json()["card"]["attempt"] == 3


def test_an_interrupted_card_is_left_alone_and_then_spoiled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def cut(_self: CardDrawer, _card: str, _image: CardImage) -> None:
        raise PowerCut

    monkeypatch.setattr(card_printer.CardDrawer, "write", cut)
    dossier = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    assert office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/approval").status_code == 500
    monkeypatch.undo()
    early = produce(office, dossier)
    assert early.get_json()["code"] == "STATE_NOT_ALLOWED"
    office.now[0] = NOW + WRITING_TIME + timedelta(seconds=1)
    view = produce(office, dossier).get_json()
    assert (view["credential_state"], view["card"]["attempt"]) == ("qa_passed", 2)


def test_card_images_are_for_this_user_only(office: Office) -> None:
    card = approved(office)["credential"]
    assert (office.card_dir / f"{card}.card").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("card", ["../../etc/passwd", "", "a" * 16 + "/x", "A" * 16])
def test_a_card_id_is_never_a_path(office: Office, card: str) -> None:
    drawer = CardDrawer(office.card_dir)
    with pytest.raises(ValueError, match="card id"):
        drawer.written(card)


def test_production_logs_name_nobody(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        approved(office)
    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert service.logger.name in said
    for secret in (PERSON.citizen_number, PERSON.full_name, PERSON.citizen_number[-6:]):
        assert secret not in said


def test_an_approval_stands_while_the_trust_anchors_cannot_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_trust_store", broken_folder)
    view = approved(office)
    assert (view["state"], view["credential_state"]) == ("approved", "personalised")
    refused = office.sign_in("lan.capture").post(f"/v1/credentials/{view['credential']}/handover")
    assert refused.get_json()["code"] == "STATE_NOT_ALLOWED"


def broken_folder(_pki_dir: Path) -> TrustStore:
    raise PermissionError


@pytest.mark.parametrize("profile", ["production", "prod", "Production", ""])
def test_no_stand_in_makes_cards_outside_the_demonstration(tmp_path: Path, profile: str) -> None:
    environ = {
        "ISSUANCE_SERVICE_TOKENS": str(tmp_path / "tokens.json"),
        "ISSUANCE_REGISTRY_URL": "http://127.0.0.1:9",
        "ISSUANCE_REGISTRY_TOKEN_FILE": str(tmp_path / "token"),
        "ISSUANCE_PKI_DIR": str(tmp_path),
        "ISSUANCE_CARD_DIR": str(tmp_path / "cards"),
        "ISSUANCE_PROFILE": profile,
    }
    with pytest.raises(ConfigurationFault, match="ISSUANCE_PROFILE"):
        app.issuance_from(environ)
    assert not (tmp_path / "cards").exists()
