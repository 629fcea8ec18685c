"""The card line: batches, workers, blanks that are spoiled, and orders that wait or are held."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from issuance_backend import app, recorded_events
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.credentials.domain import fold as card_fold
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization import composition, service
from issuance_backend.personalization.batches.domain import BLANKS_BEFORE_HELD, MAX_BATCH
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.quality_control import QualityControl
from issuance_backend.personalization.service import WRITING_TIME
from issuance_backend.refusals import BlankStockEmpty, ProductionUnavailable
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.tampering import flip_dg13
from monitoring.environment import ConfigurationFault
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.running import run_pending
from verification.errors import MalformedDocument
from verification.pki.trust_store import TrustStore

PERSON = citizens()[4]


def approved(office: Office, number: int = 4) -> str:
    """A dossier whose card is ordered."""
    lan = office.sign_in("lan.capture")
    dossier = str(lan.capture(citizens()[number], f"capture-00000000{number}0").get_json()["id"])
    assert office.approve_all(dossier)["credential_state"] == "ordered"
    return dossier


def made_batch(office: Office, limit: int = 10, **more: Any) -> Any:
    return office.sign_in("hoa.production").post("/v1/production-batches", {"limit": limit, **more})


def view(office: Office, dossier: str) -> Any:
    return office.sign_in("hoa.production").get(f"/v1/dossiers/{dossier}").get_json()


def order_of(office: Office, batch: str) -> Any:
    (order,) = office.sign_in("hoa.production").get(f"/v1/production-batches/{batch}").get_json()
    return order


def books(office: Office) -> Any:
    return office.sign_in("khoa.stock").get("/v1/blank-stock").get_json()


def writes_bad_chips(monkeypatch: pytest.MonkeyPatch) -> None:
    write = CardDrawer.write
    monkeypatch.setattr(CardDrawer, "write", lambda self, card, image: write(self, card, flip_dg13(image)))


def test_an_approval_orders_a_card_and_a_worker_makes_it_from_a_batch(office: Office) -> None:
    dossier, line = approved(office), office.card_line()
    office.receive_blanks(3)
    assert not line.run_once(), "what is in no batch is not made"
    batch = made_batch(office).get_json()
    assert (batch["size"], batch["progress"]) == (1, {"waiting": 1, "held": 0, "made": 0, "cancelled": 0})
    assert run_pending(line) == 1
    (told,) = office.sign_in("nga.quality").get("/v1/production-batches").get_json()
    assert told["progress"] == {"waiting": 0, "held": 0, "made": 1, "cancelled": 0}
    order, card = order_of(office, batch["id"]), view(office, dossier)
    assert (order["state"], order["card_state"], order["serial"]) == ("made", "qa_passed", "VN000000001")
    assert card["credential_state"] == "qa_passed"
    assert all(finding["passed"] for finding in card["card"]["findings"])
    begun = next(step for step in card["card_steps"] if step["event"] == "begin")
    assert (begun["detail"]["blank"], begun["detail"]["batch"]) == ("VN000000001", batch["id"])
    assert books(office) == {"received": 3, "stock": 2, "issued": 1, "spoiled": 0, "destroyed": 0}
    assert made_batch(office).get_json()["code"] == "STATE_NOT_ALLOWED", "no order is batched twice"


def test_a_card_that_fails_is_spoiled_and_made_again_on_another_blank(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, line = approved(office), office.card_line()
    office.receive_blanks()
    batch = made_batch(office).get_json()["id"]
    writes_bad_chips(monkeypatch)
    line.run_once()
    failed = view(office, dossier)
    assert failed["credential_state"] == "spoiled"
    codes = {finding["code"] for finding in failed["card"]["findings"] if not finding["passed"]}
    assert "CHIP_DATA_ALTERED" in codes
    assert order_of(office, batch)["code"] in codes
    assert not list(office.card_dir.glob(f"{failed['credential']}.*")), "what failed lies nowhere"
    monkeypatch.undo()
    line.run_once()
    again = view(office, dossier)
    assert (again["credential_state"], again["card"]["attempt"]) == ("qa_passed", 2)
    assert again["credential"] != failed["credential"]
    assert books(office)["spoiled"] == books(office)["issued"] == 1


def test_an_order_that_spoils_too_many_blanks_is_held_until_an_operator_releases_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, line = approved(office), office.card_line()
    office.receive_blanks()
    batch = made_batch(office).get_json()["id"]
    writes_bad_chips(monkeypatch)
    assert run_pending(line) == BLANKS_BEFORE_HELD
    assert (order_of(office, batch)["state"], books(office)["spoiled"]) == ("held", BLANKS_BEFORE_HELD)
    monkeypatch.undo()
    assert not line.run_once(), "nobody looked yet"
    hoa, path = office.sign_in("hoa.production"), f"/v1/production-orders/{dossier}/release"
    assert office.sign_in("lan.capture").post(path).get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert hoa.post(path).status_code == 204
    assert hoa.post(path).get_json()["code"] == "STATE_NOT_ALLOWED"
    run_pending(line)
    assert view(office, dossier)["card"]["attempt"] == BLANKS_BEFORE_HELD + 1


def test_a_worker_that_finds_the_order_wrong_too_late_leaves_it_to_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(office)
    line = office.card_line()
    office.receive_blanks()
    batch = made_batch(office).get_json()["id"]

    def slow(*_: object) -> object:
        office.now[0] += WRITING_TIME
        raise MalformedDocument("no such picture")

    monkeypatch.setattr(service, "prepare", slow)
    assert line.run_once(), "its lease ran out meanwhile"
    assert (order_of(office, batch)["state"], order_of(office, batch)["code"]) == ("waiting", None)
    monkeypatch.undo()
    run_pending(line)
    assert order_of(office, batch)["card_state"] == "qa_passed"


def test_an_empty_stock_lets_the_order_wait_and_says_so(office: Office) -> None:
    dossier, line = approved(office), office.card_line()
    batch = made_batch(office).get_json()["id"]
    with pytest.raises(BlankStockEmpty):
        line.run_once()
    assert (order_of(office, batch)["state"], order_of(office, batch)["code"]) == (
        "waiting",
        "BLANK_STOCK_EMPTY",
    )
    assert view(office, dossier)["credential_state"] == "ordered"
    office.receive_blanks(1)
    run_pending(line)
    made = order_of(office, batch)
    assert (made["state"], made["code"], made["card_state"]) == ("made", None, "qa_passed")


def test_an_operator_for_whom_there_is_no_blank_keeps_nobody_else_waiting(office: Office) -> None:
    """Whoever received every blank makes no card of them; another operator does, whose order came later."""
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("an.both", "An", (Role.PRODUCTION, Role.STOCK_KEEPER), PASSWORD)
    an, line = office.sign_in("an.both"), office.card_line()
    delivery = {"first": "VN000000001", "last": "VN000000003"}
    assert an.post("/v1/blank-stock/ranges", delivery).status_code == 201
    first = approved(office, 4)
    assert an.post("/v1/production-batches", {"limit": 10}).status_code == 201
    office.now[0] += timedelta(minutes=1)
    second = approved(office, 3)
    made_batch(office)
    with pytest.raises(BlankStockEmpty):
        line.run_once()
    assert run_pending(line) == 1
    states = [view(office, dossier)["credential_state"] for dossier in (first, second)]
    assert states == ["ordered", "qa_passed"]
    office.receive_blanks(1)
    assert run_pending(line) == 1
    assert view(office, first)["credential_state"] == "qa_passed"


def test_a_printer_that_is_down_spoils_its_blank_and_stops_the_worker(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: CardDrawer, _card: str, _image: CardImage) -> None:
        raise ProductionUnavailable("no power")

    dossier, line = approved(office), office.card_line()
    office.receive_blanks()
    batch = made_batch(office).get_json()["id"]
    monkeypatch.setattr(CardDrawer, "write", broken)
    with pytest.raises(ProductionUnavailable):
        run_pending(line)
    assert books(office)["spoiled"] == 1, "one blank, however many orders wait"
    assert order_of(office, batch)["code"] == "PRODUCTION_UNAVAILABLE"
    monkeypatch.undo()
    run_pending(line)
    assert view(office, dossier)["card"]["attempt"] == 2


def test_no_blank_is_used_up_while_the_trust_anchors_cannot_be_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_folder(_pki_dir: Path) -> TrustStore:
        raise PermissionError

    dossier, line = approved(office), office.card_line()
    office.receive_blanks()
    made_batch(office)
    monkeypatch.setattr(composition, "trust_anchors", broken_folder)
    with pytest.raises(ProductionUnavailable):
        line.run_once()
    assert books(office)["issued"] == books(office)["spoiled"] == 0
    assert view(office, dossier)["credential_state"] == "ordered"


def test_what_the_machine_wrote_and_cannot_be_read_is_spoiled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_self: CardDrawer, _card: str) -> CardImage:
        raise MalformedDocument("noise")

    dossier, line = approved(office), office.card_line()
    office.receive_blanks()
    made_batch(office)
    monkeypatch.setattr(CardDrawer, "written", unreadable)
    assert line.run_once()
    assert (view(office, dossier)["credential_state"], books(office)["spoiled"]) == ("spoiled", 1)


def test_a_worker_that_slept_too_long_finds_its_card_spoiled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, slow, quick = approved(office), office.card_line(), office.card_line()
    office.receive_blanks()
    made_batch(office)
    write = CardDrawer.write

    def asleep(self: CardDrawer, card: str, image: CardImage) -> None:
        monkeypatch.undo()
        office.now[0] = NOW + WRITING_TIME + timedelta(seconds=1)
        run_pending(quick)
        write(self, card, image)

    monkeypatch.setattr(CardDrawer, "write", asleep)
    slow.run_once()
    card = view(office, dossier)["card"]
    assert (card["state"], card["attempt"]) == ("qa_passed", 2)
    assert {path.name.partition(".")[0] for path in office.card_dir.iterdir()} == {card["id"]}
    assert (books(office)["issued"], books(office)["spoiled"]) == (1, 1)


def at_once(works: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_several_workers_make_each_card_once(office: Office) -> None:
    dossiers = [approved(office, number) for number in range(4)]
    office.receive_blanks(10)
    made_batch(office)
    at_once([partial(run_pending, office.card_line()) for _ in range(3)])
    run_pending(office.card_line())
    views = [view(office, dossier) for dossier in dossiers]
    assert Counter(each["credential_state"] for each in views) == {"qa_passed": 4}
    assert (books(office)["issued"], books(office)["stock"]) == (4, 6)
    with office.database.reading() as connection:
        recorded_events.verify(connection)
    for each in views:
        events = [CardEvent(step["event"]) for step in each["card_steps"]]
        assert card_fold(events) is CardState.QA_PASSED
        assert each["card"]["attempt"] == 1


def test_a_batch_is_of_one_unit_and_of_what_was_asked(office: Office) -> None:
    for number in range(2):
        approved(office, number)
    for body in ({"limit": 0}, {"limit": MAX_BATCH + 1}, {"limit": 1, "unit": "hanoi"}):
        refused = office.sign_in("hoa.production").post("/v1/production-batches", body)
        assert (refused.status_code, refused.get_json()["code"]) == (422, "FIELDS_REFUSED")
    assert made_batch(office, unit="999").get_json()["code"] == "STATE_NOT_ALLOWED"
    assert made_batch(office, limit=1).get_json()["size"] == 1
    assert made_batch(office, limit=5).get_json()["size"] == 1
    assert office.sign_in("lan.capture").get("/v1/production-batches").status_code == 403
    unknown = office.sign_in("hoa.production").get("/v1/production-batches/x")
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "PRODUCTION_BATCH_UNKNOWN")


def test_a_quality_officer_refuses_what_no_program_saw(office: Office) -> None:
    dossier = approved(office)
    office.make_cards()
    card, nga = view(office, dossier)["credential"], office.sign_in("nga.quality")
    path = f"/v1/produced-cards/{card}/refusal"
    assert nga.post(path, {"fault": "ugly"}).get_json()["code"] == "FIELDS_REFUSED"
    refused = office.sign_in("khoa.stock").post(path, {"fault": "chip_loose"})
    assert refused.get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert nga.post(path, {"fault": "surface_damaged"}).status_code == 204
    assert nga.post(path, {"fault": "surface_damaged"}).get_json()["code"] == "STATE_NOT_ALLOWED"
    assert view(office, dossier)["credential_state"] == "spoiled"
    run_pending(office.card_line())
    again = view(office, dossier)["card"]
    assert (again["state"], again["attempt"]) == ("qa_passed", 2)


def test_card_files_are_for_this_user_only(office: Office) -> None:
    approved(office)
    office.make_cards()
    files = list(office.card_dir.iterdir())
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("card", ["../../etc/passwd", "", "a" * 16 + "/x", "A" * 16, "*" * 16])
def test_a_card_id_is_never_a_path(office: Office, card: str) -> None:
    drawer = CardDrawer(office.card_dir)
    for act in (drawer.written, drawer.destroy):
        with pytest.raises(ValueError, match="card id"):
            act(card)


def test_production_logs_name_nobody(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    approved(office)
    with caplog.at_level("INFO"):
        office.make_cards()
    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert service.logger.name in said
    for secret in (PERSON.citizen_number, PERSON.full_name, PERSON.citizen_number[-6:]):
        assert secret not in said


def test_every_card_is_read_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    inspect = QualityControl.inspect
    monkeypatch.setattr(
        QualityControl, "inspect", lambda self, *rest: looked.append(rest) or inspect(self, *rest)
    )
    approved(office)
    office.make_cards()
    assert len(looked) == 1


@pytest.mark.parametrize("profile", ["production", "prod", "Production", ""])
def test_no_stand_in_makes_cards_outside_the_demonstration(tmp_path: Path, profile: str) -> None:
    environ = {
        "ISSUANCE_SERVICE_TOKENS": str(tmp_path / "tokens.json"),
        "ISSUANCE_REGISTRY_URL": "http://127.0.0.1:9",
        "ISSUANCE_REGISTRY_TOKEN_FILE": str(tmp_path / "token"),
        "ISSUANCE_PKI_DIR": str(tmp_path),
        "ISSUANCE_CARD_DIR": str(tmp_path / "cards"),
        "ISSUANCE_PROFILE": profile,
        "ISSUANCE_CONTENT_SCANNER": "unix:/run/clamav/clamd.ctl",
    }
    with pytest.raises(ConfigurationFault, match="ISSUANCE_PROFILE"):
        app.issuance_from(environ)
    assert not (tmp_path / "cards").exists()
