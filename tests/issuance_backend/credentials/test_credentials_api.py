from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials import repository
from issuance_backend.credentials.domain import CardState
from issuance_backend.schema import CREDENTIALS
from issuance_backend.virtual_card.card_image import CardImage
from tests.support.issuance_office import NOW, STATUS_TOKEN, Office, citizens
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key

PERSON = citizens()[1]


def made(office: Office, capture_id: str = "capture-0000000001") -> str:
    """A card that passed quality control."""
    dossier = office.sign_in("lan.capture").capture(PERSON, capture_id).get_json()["id"]
    view = office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/approval").get_json()
    assert view["credential_state"] == "qa_passed"
    return str(view["credential"])


def key_of(office: Office, card: str) -> str:
    image = CardImage.from_bytes((office.card_dir / f"{card}.card").read_bytes())
    return status_key(parse_security_object(image.files[LdsFile.SOD]).signature)


def status(office: Office, key: str, token: str = STATUS_TOKEN) -> Any:
    return office.client().post(
        "/v1/credential-status-queries",
        json={"status_key": key},
        headers={"Authorization": f"Bearer {token}"},
    )


def test_the_status_follows_the_card(office: Office) -> None:
    card = made(office)
    key, lan = key_of(office, card), office.sign_in("lan.capture")
    assert status(office, key).get_json()["state"] == "issued"
    lan.post(f"/v1/credentials/{card}/handover")
    assert status(office, key).get_json()["state"] == "active"
    lan.post(f"/v1/credentials/{card}/loss-report")
    assert status(office, key).get_json()["state"] == "lost"
    assert status(office, "0" * 16).get_json()["state"] == "unknown"
    assert status(office, key, "wrong").status_code == 401


def test_a_card_expires_after_its_last_day_and_not_on_it(office: Office) -> None:
    card = made(office)
    office.sign_in("lan.capture").post(f"/v1/credentials/{card}/handover")
    key = key_of(office, card)
    with office.database.writing() as connection:
        known = repository.find(connection, card)
        assert known is not None
        repository.save(connection, replace(known, expires_on=date(2027, 1, 1)))
    office.now[0] = NOW.replace(year=2027, month=1, day=1, hour=16, minute=59)  # 23:59 in Viet Nam
    assert status(office, key).get_json()["state"] == "active"
    office.now[0] += timedelta(minutes=1)
    assert status(office, key).get_json() == {"state": "expired", "since": "2027-01-01"}


@pytest.mark.parametrize("step", ["handover", "loss-report"])
def test_a_step_that_the_state_does_not_allow_is_refused(office: Office, step: str) -> None:
    card, lan = made(office), office.sign_in("lan.capture")
    if step == "handover":
        lan.post(f"/v1/credentials/{card}/handover")
    answer = lan.post(f"/v1/credentials/{card}/{step}")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")


def test_an_approver_hands_nothing_over(office: Office) -> None:
    card = made(office)
    for step in ("handover", "loss-report"):
        answer = office.sign_in("minh.approve").post(f"/v1/credentials/{card}/{step}")
        assert answer.get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert office.sign_in("lan.capture").post("/v1/credentials/x/handover").status_code == 404


@pytest.mark.parametrize("lost_first", [True, False])
def test_the_old_card_dies_when_the_new_one_is_handed_over(office: Office, lost_first: bool) -> None:
    lan, old = office.sign_in("lan.capture"), made(office)
    lan.post(f"/v1/credentials/{old}/handover")
    if lost_first:
        lan.post(f"/v1/credentials/{old}/loss-report")
    new = made(office, "capture-0000000002")
    before = "lost" if lost_first else "active"
    assert status(office, key_of(office, old)).get_json()["state"] == before
    lan.post(f"/v1/credentials/{new}/handover")
    cards = lan.get(f"/v1/credentials?citizen_number={PERSON.citizen_number}").get_json()
    assert {card["id"]: card["state"] for card in cards} == {old: "replaced", new: "active"}
    assert status(office, key_of(office, old)).get_json()["state"] == "replaced"


def _second_ready_card(office: Office, card: str) -> str:
    """A second card of the same person, ready to hand over: as two offices could have made it."""
    other = made_for(office)
    with office.database.writing() as connection:
        known = repository.find(connection, other)
        assert known is not None
        repository.save(connection, replace(known, citizen_number=PERSON.citizen_number))
    return other


def made_for(office: Office) -> str:
    person = citizens()[2]
    dossier = office.sign_in("lan.capture").capture(person, "capture-0000000077").get_json()["id"]
    answer = office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/approval")
    return str(answer.get_json()["credential"])


def test_two_hand_overs_at_once_leave_exactly_one_active_card(office: Office) -> None:
    first = made(office)
    both = [first, _second_ready_card(office, first)]
    officers = [office.sign_in("lan.capture") for _ in both]
    start = threading.Barrier(2)
    answers: list[int] = []

    def hand_over(index: int) -> None:
        start.wait()
        answers.append(officers[index].post(f"/v1/credentials/{both[index]}/handover").status_code)

    threads = [threading.Thread(target=hand_over, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    with office.database.reading() as connection:
        states = sorted(card.state for card in repository.of_number(connection, PERSON.citizen_number))
    assert states == [CardState.ACTIVE, CardState.REPLACED]


def test_the_same_card_handed_over_twice_at_once_is_handed_over_once(office: Office) -> None:
    card = made(office)
    officers = [office.sign_in("lan.capture"), office.sign_in("hoa.production")]
    start, answers = threading.Barrier(2), []

    def hand_over(index: int) -> None:
        start.wait()
        answers.append(officers[index].post(f"/v1/credentials/{card}/handover").status_code)

    threads = [threading.Thread(target=hand_over, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]


def test_a_hand_over_that_did_not_see_the_other_active_card_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan, first = office.sign_in("lan.capture"), made(office)
    second = _second_ready_card(office, first)
    assert lan.post(f"/v1/credentials/{first}/handover").status_code == 200
    monkeypatch.setattr(repository, "of_number", lambda _connection, _number: [])
    answer = lan.post(f"/v1/credentials/{second}/handover")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")
    assert status(office, key_of(office, first)).get_json()["state"] == "active"


def test_the_database_itself_refuses_a_second_active_card(office: Office) -> None:
    card = made(office)
    office.sign_in("lan.capture").post(f"/v1/credentials/{card}/handover")
    with office.database.reading() as connection:
        row = connection.execute(select(CREDENTIALS).where(CREDENTIALS.c.id == card)).mappings().one()
    forged = {**row, "id": "f" * 16, "chip_id": "F" * 16, "status_key": None, "attempt": 2}
    with pytest.raises(IntegrityError), office.database.writing() as connection:
        connection.execute(CREDENTIALS.insert().values(**forged))
