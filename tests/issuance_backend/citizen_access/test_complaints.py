"""A complaint has an id, a day by which it is answered, and an officer whom it does not concern."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from issuance_backend.citizen_access import housekeeping, repository
from issuance_backend.citizen_access.domain import COMPLAINTS_A_VISIT, TEXTS_KEPT
from issuance_backend.officers import service
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.citizen_counter import PERSON, CitizenCounter
from tests.support.delivery import EXCHANGED, RECEIVER, SUPERVISOR, active
from tests.support.issuance_office import NOW, PASSWORD, STATUS_TOKEN, Office, OfficerClient, citizens
from verification.errors import TransitionRefused
from verification.messages.registry_access import ReadingFor

WRONG = {"about": "attribute", "reference": "full_name", "text": "Tên đệm của tôi sai."}


def enrol(office: Office, name: str, *roles: Role, unit: str | None = None) -> None:
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        OfficerDoor(office.database, lambda: NOW).enrol(name, name, roles, PASSWORD, unit)


class Complaining:
    """A citizen who has a card and stands at the counter."""

    def __init__(self, counter: CitizenCounter) -> None:
        self.counter, self.office = counter, counter.office
        self.mai = self.office.sign_in(RECEIVER)
        self.visit = counter.visit(self.mai, counter.give_card())

    def file(self, **said: str) -> Any:
        return self.mai.post(f"{self.visit}/complaints", WRONG | said)

    def filed(self, **said: str) -> dict[str, Any]:
        answer = self.file(**said)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        told: dict[str, Any] = answer.get_json()
        return told

    def officer(self, name: str, *roles: Role) -> OfficerClient:
        enrol(self.office, name, *roles)
        return self.office.sign_in(name)

    def status(self, code: str) -> Any:
        headers = {"Authorization": f"Bearer {STATUS_TOKEN}"}
        return self.office.client().post("/v1/complaint-status", json={"code": code}, headers=headers)


@pytest.fixture
def citizen(counter: CitizenCounter) -> Complaining:
    return Complaining(counter)


@pytest.fixture
def any_citizen(any_counter: CitizenCounter) -> Complaining:
    return Complaining(any_counter)


def answer(who: OfficerClient, complaint: str, **said: Any) -> Any:
    body = {"outcome": "upheld", "answer": "Đúng là sai; đã sửa."} | said
    return who.post(f"/v1/complaints/{complaint}/answer", body)


def code_of(answered: Any) -> tuple[int, str]:
    return answered.status_code, answered.get_json()["code"]


def test_a_complaint_is_answered_and_the_citizen_reads_it(any_citizen: Complaining) -> None:
    filed = any_citizen.filed()
    assert (filed["state"], filed["due_on"], filed["is_late"]) == ("open", "2026-12-18", False)
    waiting = any_citizen.status(filed["receipt_code"].lower()).get_json()
    assert (waiting["state"], waiting["due_on"], waiting["answer"]) == ("open", "2026-12-18", None)
    son = any_citizen.office.sign_in(SUPERVISOR)
    (listed,) = son.get("/v1/complaints").get_json()
    assert (listed["id"], listed["about"], listed["due_on"]) == (filed["id"], "attribute", "2026-12-18")
    view = son.get(f"/v1/complaints/{filed['id']}").get_json()
    assert (view["citizen_number"], view["text"]) == (PERSON.citizen_number, WRONG["text"])
    done = answer(son, filed["id"]).get_json()
    assert (done["state"], done["answered_by"], done["outcome"]) == ("answered", SUPERVISOR, "upheld")
    told = any_citizen.status(filed["receipt_code"]).get_json()
    assert (told["state"], told["outcome"], told["answer"]) == ("answered", "upheld", "Đúng là sai; đã sửa.")
    assert SUPERVISOR not in str(told)
    assert son.get("/v1/complaints").get_json() == []
    assert [each["id"] for each in son.get("/v1/complaints?state=answered").get_json()] == [filed["id"]]
    (own,) = any_citizen.mai.get(f"{any_citizen.visit}/record").get_json()["complaints"]
    assert (own["id"], own["state"], own["receipt_code"]) == (filed["id"], "answered", filed["receipt_code"])


def test_a_complaint_is_answered_once(any_citizen: Complaining) -> None:
    complaint, son = any_citizen.filed()["id"], any_citizen.office.sign_in(SUPERVISOR)
    assert answer(son, complaint).status_code == 200
    assert code_of(answer(son, complaint, outcome="dismissed")) == (409, "STATE_NOT_ALLOWED")


def test_who_took_it_does_not_answer(citizen: Complaining) -> None:
    both = citizen.officer("both", Role.OFFICE, Role.SUPERVISOR)
    key = citizen.counter.give_card(citizens()[1], "capture-0000000002")
    visit = citizen.counter.visit(both, key)
    complaint = both.post(f"{visit}/complaints", WRONG).get_json()["id"]
    assert code_of(answer(both, complaint)) == (403, "SAME_OFFICER")
    assert answer(citizen.office.sign_in(SUPERVISOR), complaint).status_code == 200


def test_who_worked_on_the_application_does_not_answer(citizen: Complaining) -> None:
    both = citizen.officer("lan.capture", Role.CAPTURE, Role.SUPERVISOR)
    captured = both.capture(PERSON, "capture-0000000002", terms=EXCHANGED)
    assert captured.status_code == 201, captured.get_data(as_text=True)
    mine = captured.get_json()["id"]
    complaint = citizen.filed(about="dossier", reference=mine, text="Chậm.")["id"]
    assert code_of(answer(both, complaint)) == (403, "SAME_OFFICER")
    answered_for = citizen.office.sign_in(SUPERVISOR)
    assert code_of(answer(answered_for, complaint)) == (403, "SAME_OFFICER"), "the word it rests on is theirs"
    assert answer(citizen.officer("hoa.chief", Role.DISTRICT_CHIEF), complaint).status_code == 200


def test_an_application_of_somebody_else_is_nobodys_to_complain_about(citizen: Complaining) -> None:
    lan = citizen.office.sign_in("lan.capture")
    other = lan.capture(citizens()[1], "capture-0000000002").get_json()["id"]
    assert code_of(citizen.file(about="dossier", reference=other)) == (422, "FIELDS_REFUSED")


def test_whose_look_it_is_about_does_not_answer(citizen: Complaining) -> None:
    both = citizen.officer("both", Role.CAPTURE, Role.SUPERVISOR)
    look = ReadingFor(purpose="capture", roles="capture", officer="both")
    citizen.counter.records.book.note(PERSON.citizen_number, "issuance", look)
    seen = citizen.mai.get(f"{citizen.visit}/accesses").get_json()
    (mine,) = [each["id"] for each in seen if each["purpose"] == "capture"]
    complaint = citizen.filed(about="access", reference=mine, text="Vì sao?")["id"]
    assert code_of(answer(both, complaint)) == (403, "SAME_OFFICER")
    assert answer(citizen.office.sign_in(SUPERVISOR), complaint).status_code == 200


def test_what_is_not_the_citizens_own_is_refused(citizen: Complaining) -> None:
    own = "FIELD_NOT_AS_RECORDED"
    for said, fields in (
        ({"reference": "shoe_size"}, {"reference": own}),
        ({"about": "access", "reference": "4711"}, {"reference": own}),
        ({"about": "dossier", "reference": "0" * 16}, {"reference": own}),
        ({"text": "  "}, {"text": "FIELD_MISSING"}),
        ({"text": "x" * 2_001}, {"text": "FIELD_TOO_LONG"}),
    ):
        refused = citizen.file(**said)
        assert code_of(refused) == (422, "FIELDS_REFUSED")
        assert refused.get_json()["fields"] == fields
    assert citizen.office.sign_in(SUPERVISOR).get("/v1/complaints").get_json() == []


def test_a_visit_complains_so_often(any_citizen: Complaining) -> None:
    for number in range(COMPLAINTS_A_VISIT):
        any_citizen.filed(text=f"Sai {number}")
    assert code_of(any_citizen.file()) == (429, "OWN_RECORD_TOO_OFTEN")
    any_citizen.office.now[0] = NOW + timedelta(minutes=15)
    assert code_of(any_citizen.file()) == (404, "CITIZEN_VISIT_ENDED")


def test_the_same_complaint_twice_is_one(citizen: Complaining) -> None:
    assert citizen.filed() == citizen.filed()
    assert len(citizen.office.sign_in(SUPERVISOR).get("/v1/complaints").get_json()) == 1


def test_who_answers_and_who_only_reads(citizen: Complaining) -> None:
    complaint = citizen.filed()["id"]
    auditor = citizen.officer("thanh.tra", Role.AUDITOR)
    assert auditor.get(f"/v1/complaints/{complaint}").status_code == 200
    assert code_of(answer(auditor, complaint)) == (403, "OFFICER_ROLE_MISSING")
    assert code_of(answer(citizen.mai, complaint)) == (403, "OFFICER_ROLE_MISSING")
    assert code_of(citizen.mai.get("/v1/complaints")) == (403, "OFFICER_ROLE_MISSING")
    son = citizen.office.sign_in(SUPERVISOR)
    assert code_of(son.get("/v1/complaints/kn-0")) == (404, "COMPLAINT_UNKNOWN")
    assert code_of(son.get("/v1/complaints?state=lost")) == (422, "FIELDS_REFUSED")
    assert code_of(answer(son, complaint, answer=" ")) == (422, "FIELDS_REFUSED")


def test_a_complaint_lies_with_the_area_where_it_was_filed(any_counter: CitizenCounter) -> None:
    office, key = any_counter.office, any_counter.give_card()
    for name, role, unit in (
        ("mai.02", Role.OFFICE, "001.02"),
        ("son.02", Role.SUPERVISOR, "001.02"),
        ("son.03", Role.SUPERVISOR, "001.03"),
    ):
        enrol(office, name, role, unit=unit)
    mai = office.sign_in("mai.02")
    complaint = mai.post(f"{any_counter.visit(mai, key)}/complaints", WRONG).get_json()["id"]
    far, near = office.sign_in("son.03"), office.sign_in("son.02")
    assert far.get("/v1/complaints").get_json() == []
    assert code_of(far.get(f"/v1/complaints/{complaint}")) == (404, "COMPLAINT_UNKNOWN")
    assert code_of(answer(far, complaint)) == (404, "COMPLAINT_UNKNOWN")
    assert [each["id"] for each in near.get("/v1/complaints").get_json()] == [complaint]
    assert answer(near, complaint).status_code == 200


def test_what_is_no_code_and_a_code_of_nobody_are_answered_alike(citizen: Complaining) -> None:
    filed = citizen.filed()["receipt_code"]
    other = citizen.counter.office.sign_in("lan.capture").capture(citizens()[1], "capture-0000000002")
    for code in ("", "x", other.get_json()["receipt_code"]):
        assert code_of(citizen.status(code)) == (404, "RECEIPT_UNKNOWN")
    assert citizen.status(filed).status_code == 200


def test_what_is_late_is_said_and_counted(any_citizen: Complaining) -> None:
    first, _ = any_citizen.filed()["id"], any_citizen.filed(text="Sai nữa.")
    any_citizen.office.now[0] = NOW + timedelta(days=40)
    son = any_citizen.office.sign_in(SUPERVISOR)
    assert [each["is_late"] for each in son.get("/v1/complaints").get_json()] == [True, True]
    assert answer(son, first).status_code == 200
    report = son.get("/v1/statistics/report").get_json()
    told = report["total"]["to_date"]
    assert (told["complaints_filed"], told["complaints_answered"]) == (2, 1)
    (clock,) = [each for each in report["clocks"] if each["definition"] == "complaint"]
    assert (clock["started"], clock["overdue"], clock["late"], clock["on_time"]) == (2, 1, 1, 0)


def test_a_complaints_id_holds_a_dossier(citizen: Complaining) -> None:
    complaint = citizen.filed()["id"]
    other = (
        citizen.office.sign_in("lan.capture").capture(citizens()[1], "capture-0000000002").get_json()["id"]
    )
    son = citizen.office.sign_in(SUPERVISOR)
    never_filed = son.post(f"/v1/dossiers/{other}/suspension", {"case_id": "kn-0123456789ab"})
    assert code_of(never_filed) == (422, "FIELDS_REFUSED")
    assert never_filed.get_json()["fields"] == {"case_id": "FIELD_NOT_AS_RECORDED"}
    assert son.get(f"/v1/dossiers/{other}").get_json()["state"] != "suspended"
    assert son.post(f"/v1/dossiers/{other}/suspension", {"case_id": complaint}).status_code == 200
    assert son.post(f"/v1/dossiers/{other}/resumption", {"case_id": complaint}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/officer-certificates/lan.capture/withdrawal", {"since": NOW.isoformat()}, "case_id"),
        (
            "/v1/packet-signers/revocation",
            {"kind": "officer", "owner": "lan.capture", "revoked_at": NOW.isoformat()},
            "case_id",
        ),
        ("/v1/credentials/CARD/suspension", {"reason": "investigation"}, "case"),
    ],
)
def test_every_desk_asks_whether_the_complaint_was_filed(
    citizen: Complaining, path: str, body: dict[str, str], field: str
) -> None:
    complaint = citizen.filed()["id"]
    if "CARD" in path:
        path = path.replace("CARD", active(citizen.office, citizens()[1], "capture-0000000002"))
    son = citizen.office.sign_in(SUPERVISOR)
    never_filed = son.post(path, {**body, field: "kn-0123456789ab"})
    assert never_filed.get_json()["fields"] == {field: "FIELD_NOT_AS_RECORDED"}
    assert son.post(path, {**body, field: complaint}).status_code == 200


def test_words_are_erased_when_their_time_is_over(any_citizen: Complaining) -> None:
    first, second = any_citizen.filed(text="Sai nữa."), any_citizen.filed()
    son, database = any_citizen.office.sign_in(SUPERVISOR), any_citizen.office.database
    answer(son, first["id"])
    assert housekeeping.erase_complaints(database, NOW + TEXTS_KEPT) == 0
    over = NOW + TEXTS_KEPT + timedelta(seconds=1)
    assert housekeeping.erase_complaints(database, over) == 1
    assert housekeeping.erase_complaints(database, over) == 0
    erased = son.get(f"/v1/complaints/{first['id']}").get_json()
    assert (erased["text"], erased["answer"], erased["outcome"]) == ("", "", "upheld")
    assert son.get(f"/v1/complaints/{second['id']}").get_json()["text"] == WRONG["text"]


def test_what_was_wrong_is_corrected_with_the_answer(citizen: Complaining) -> None:
    complaint, son = citizen.filed(reference="religion")["id"], citizen.office.sign_in(SUPERVISOR)
    registry = citizen.counter.registry
    corrected = {"correction": {"value": "Phật giáo", "document": "Đơn 17/2026"}}
    citizen.counter.records.is_cut = True
    assert code_of(answer(son, complaint, **corrected)) == (503, "REGISTRY_UNAVAILABLE")
    assert son.get(f"/v1/complaints/{complaint}").get_json()["state"] == "open"
    citizen.counter.records.is_cut = False
    assert answer(son, complaint, **corrected).status_code == 200
    assert registry.value(PERSON.citizen_number, "religion") == "Phật giáo"
    held = citizen.mai.get(f"{citizen.visit}/record").get_json()["attributes"]
    assert ("religion", "Phật giáo") in {(each["name"], each["value"]) for each in held}


def test_only_an_attribute_that_is_wrong_is_corrected(citizen: Complaining) -> None:
    (dossier,) = citizen.mai.get(f"{citizen.visit}/record").get_json()["dossiers"]
    about = citizen.filed(about="dossier", reference=dossier["id"])["id"]
    complaint, son = citizen.filed(reference="religion")["id"], citizen.office.sign_in(SUPERVISOR)
    before = citizen.counter.registry.value(PERSON.citizen_number, "religion")
    good = {"value": "Phật giáo", "document": "Đơn 17/2026"}
    for refused in (
        answer(son, about, correction=good),
        answer(son, complaint, outcome="dismissed", correction=good),
        answer(son, complaint, correction=good | {"document": "x" * 81}),
        answer(citizen.officer("mai.office", Role.OFFICE, Role.SUPERVISOR), complaint, correction=good),
    ):
        assert refused.status_code in {403, 422}, refused.get_data(as_text=True)
    assert citizen.counter.registry.value(PERSON.citizen_number, "religion") == before


def test_an_answer_that_was_cut_off_corrects_once(
    any_citizen: Complaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint, son = any_citizen.filed(reference="religion")["id"], any_citizen.office.sign_in(SUPERVISOR)
    corrected = {"correction": {"value": "Phật giáo", "document": "Đơn 17/2026"}}

    def quicker(*_: object) -> None:
        raise TransitionRefused("killed here")

    with monkeypatch.context() as cut:
        cut.setattr(repository, "save_answer", quicker)
        assert answer(son, complaint, **corrected).status_code == 409
    other_words = {"correction": {"value": "Công giáo", "document": "Đơn 17/2026"}}
    refused = answer(any_citizen.office.sign_in(SUPERVISOR), complaint, **other_words)
    assert refused.get_json()["fields"] == {"value": "FIELD_NOT_AS_RECORDED"}
    before = any_citizen.counter.registry.chain_length()
    any_citizen.office.now[0] = NOW + timedelta(days=1)
    assert answer(any_citizen.office.sign_in(SUPERVISOR), complaint, **corrected).status_code == 200
    assert any_citizen.counter.registry.chain_length() == before
