"""Whoever the gateway verified sees what is theirs: once a receipt, a quarter of an hour, and it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from issuance_backend import recorded_events
from issuance_backend.citizen_access import housekeeping
from issuance_backend.citizen_access.domain import VISITS_A_DAY, VISITS_KEPT
from issuance_backend.moments import rfc3339
from issuance_backend.schema import DOSSIERS
from tests.issuance_backend.test_openapi import Contract
from tests.support.citizen_counter import PERSON, CitizenCounter, tell_of_extract_and_receiver
from tests.support.communes import NEW
from tests.support.delivery import RECEIVER, SUPERVISOR
from tests.support.issuance_office import NOW, STATUS_TOKEN, citizens
from tests.support.query_plans import plans_of, whole_tables_read
from tests.support.registry_office import decided_by_two
from verification.messages.registry_access import ReadingFor


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_a_citizen_sees_record_cards_and_applications(any_counter: CitizenCounter) -> None:
    mai = any_counter.office.sign_in(RECEIVER)
    visit = any_counter.visit(mai, any_counter.give_card())
    record = mai.get(f"{visit}/record").get_json()
    held = {each["name"]: each for each in record["attributes"]}
    assert (record["citizen_number"], held["full_name"]["value"]) == (PERSON.citizen_number, PERSON.full_name)
    assert held["full_name"]["source"] == "bulk-load"
    assert [card["state"] for card in record["cards"]] == ["active"]
    assert [each["status"]["stage"] for each in record["dossiers"]] == ["handed_over"]


def test_nothing_of_a_case_is_told(counter: CitizenCounter) -> None:
    """A dossier that a warrant holds reads as where it stood; its case and its officers are nowhere."""
    office, mai = counter.office, counter.office.sign_in(RECEIVER)
    key = counter.give_card()
    other = office.sign_in("lan.capture").capture(citizens()[1], "capture-0000000002").get_json()["id"]
    held = office.sign_in(SUPERVISOR).post(f"/v1/dossiers/{other}/suspension", {"case_id": "LK-99/2026"})
    assert held.status_code == 200, held.get_data(as_text=True)
    with office.database.writing() as connection:
        whose = {"citizen_number": PERSON.citizen_number}
        connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == other).values(**whose))
    visit = counter.visit(mai, key)
    told = mai.get(f"{visit}/record")
    assert {each["status"]["stage"] for each in told.get_json()["dossiers"]} == {"handed_over", "checking"}
    said = told.get_data(as_text=True) + mai.get(f"{visit}/accesses").get_data(as_text=True)
    for word in ("LK-99/2026", "suspended", "lan.capture", "minh.approve", SUPERVISOR, "candidates"):
        assert word not in said


def test_a_citizen_is_told_who_looked_and_officers_are_not_named(counter: CitizenCounter) -> None:
    registry, mai = counter.records, counter.office.sign_in(RECEIVER)
    key = counter.give_card()
    bank = ReadingFor(purpose="bank.counter.identify", agency="bank-demo")
    officer = ReadingFor(purpose="capture", unit="001.002", roles="capture", officer="lan.capture")
    registry.book.note(PERSON.citizen_number, "gateway", bank)
    registry.book.note(PERSON.citizen_number, "issuance", officer)
    registry.book.note(citizens()[1].citizen_number, "gateway", bank)
    visit = counter.visit(mai, key)
    told = mai.get(f"{visit}/accesses").get_json()
    assert [(each["agency"], each["purpose"], each["unit"], each["roles"]) for each in told] == [
        ("issuance", "capture", "001.002", "capture"),
        ("bank-demo", "bank.counter.identify", None, None),
    ]
    assert "officer" not in told[0]
    assert "lan.capture" not in str(told)
    assert mai.get(f"{visit}/record").status_code == 200
    newest = mai.get(f"{visit}/accesses").get_json()[0]
    assert (newest["purpose"], newest["roles"]) == ("own_record", "office")


def test_what_approvers_looked_at_is_told(counter: CitizenCounter) -> None:
    office, mai = counter.office, counter.office.sign_in(RECEIVER)
    key = counter.give_card()
    other = office.sign_in("lan.capture").capture(citizens()[1], "capture-0000000002").get_json()["id"]
    assert office.sign_in("minh.approve").get(f"/v1/dossiers/{other}/candidates").status_code == 200
    with office.database.writing() as connection:
        whose = {"citizen_number": PERSON.citizen_number}
        connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == other).values(**whose))
    told = mai.get(f"{counter.visit(mai, key)}/accesses").get_json()
    assert [(each["agency"], each["purpose"]) for each in told] == [("issuance", "comparison")]


def test_what_concerned_a_merged_number_is_told(counter: CitizenCounter) -> None:
    """Looks at the candidates of an application under another number of the same person."""
    office, mai, other = counter.office, counter.office.sign_in(RECEIVER), citizens()[1]
    key = counter.give_card()
    made = office.sign_in("lan.capture").capture(other, "capture-0000000002").get_json()["id"]
    assert office.sign_in("minh.approve").get(f"/v1/dossiers/{made}/candidates").status_code == 200
    assert mai.get(f"{counter.visit(mai, key)}/accesses").get_json() == []
    decided_by_two(counter.registry.merges, PERSON.citizen_number, other.citizen_number)
    (told,) = mai.get(f"{counter.visit(mai, key)}/accesses").get_json()
    assert (told["agency"], told["purpose"]) == ("issuance", "comparison")


def test_a_kit_s_extract_and_a_receiver_are_told(counter: CitizenCounter) -> None:
    mai, until = counter.office.sign_in(RECEIVER), tell_of_extract_and_receiver(counter.registry)
    visit = counter.visit(mai, counter.give_card())
    told = {each["purpose"]: each for each in mai.get(f"{visit}/accesses").get_json()}
    extract, handed = told["commune_extract"], told["publication"]
    assert (extract["agency"], extract["unit"], extract["kit"]) == ("issuance", NEW, "kit-7")
    assert (extract["at"], extract["until"], extract["attributes"]) == (rfc3339(NOW), until, [])
    assert (handed["agency"], handed["attributes"], handed["kit"]) == (
        "tax",
        ["date_of_birth", "full_name"],
        None,
    )
    for each in (extract, handed):
        filing = {"about": "access", "reference": each["id"], "text": "Tôi không rõ vì sao."}
        assert mai.post(f"{visit}/complaints", filing).status_code == 201
    Contract("citizen_visits").judge(mai.get(f"{visit}/accesses"))


def test_every_look_of_the_citizen_is_recorded(counter: CitizenCounter) -> None:
    mai = counter.office.sign_in(RECEIVER)
    visit = counter.visit(mai, counter.give_card())
    mai.get(f"{visit}/record")
    mai.get(f"{visit}/accesses")
    with counter.office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"own-record/{visit.rpartition('/')[2]}")
        recorded_events.verify(connection)
    assert [(step.event, step.actor) for step in steps] == [("open", RECEIVER)] + [("look", RECEIVER)] * 2


def test_a_receipt_opens_one_visit(any_counter: CitizenCounter) -> None:
    mai, key = any_counter.office.sign_in(RECEIVER), any_counter.give_card()
    shown = {"receipt": any_counter.receipt(key)}
    assert mai.post("/v1/citizen-visits", shown).status_code == 201
    assert code_of(mai.post("/v1/citizen-visits", shown)) == (409, "OWN_RECORD_PROOF_USED")


LESS: tuple[dict[str, Any], ...] = (
    {"purpose": "card.handover"},
    {"purpose": "bank.counter.identify"},
    {"outcome": "refused"},
    {"assurance": {"chip": "signed-data", "face": "agent", "status": "online"}},
    {"checks": ()},
    {"card": "0123456789abcdef"},
    {"card": None},
    {"recorded_at": rfc3339(NOW - timedelta(minutes=10, seconds=1))},
)


def test_a_receipt_that_proves_less_opens_none(counter: CitizenCounter) -> None:
    mai, key = counter.office.sign_in(RECEIVER), counter.give_card()
    for changes in LESS:
        assert code_of(counter.open(mai, key, **changes)) == (403, "OWN_RECORD_PROOF_REFUSED"), changes
    assert counter.open(mai, key).status_code == 201


def test_a_card_that_was_reported_lost_opens_none(counter: CitizenCounter) -> None:
    mai, key = counter.office.sign_in(RECEIVER), counter.give_card()
    number = PERSON.citizen_number
    (card,) = mai.get(f"/v1/credentials?citizen_number={number}").get_json()
    assert mai.post(f"/v1/credentials/{card['id']}/loss-report").status_code == 200
    assert code_of(counter.open(mai, key)) == (403, "OWN_RECORD_PROOF_REFUSED")


def test_a_visit_is_of_one_counter_and_ends(counter: CitizenCounter) -> None:
    office, key = counter.office, counter.give_card()
    mai, lan = office.sign_in(RECEIVER), office.sign_in("lan.capture")
    visit = counter.visit(mai, key)
    for path in (f"{visit}/record", f"{visit}/accesses"):
        assert code_of(lan.get(path)) == (404, "CITIZEN_VISIT_ENDED")
        assert code_of(office.sign_in(SUPERVISOR).get(path)) == (403, "OFFICER_ROLE_MISSING")
    office.now[0] = NOW + timedelta(minutes=14, seconds=59)
    assert mai.get(f"{visit}/record").status_code == 200
    office.now[0] = NOW + timedelta(minutes=15)
    for path in (f"{visit}/record", f"{visit}/accesses", "/v1/citizen-visits/0000000000000000/record"):
        assert code_of(mai.get(path)) == (404, "CITIZEN_VISIT_ENDED")


def test_a_citizen_comes_so_many_times_a_day(any_counter: CitizenCounter) -> None:
    mai, key = any_counter.office.sign_in(RECEIVER), any_counter.give_card()
    for _ in range(VISITS_A_DAY):
        any_counter.visit(mai, key)
    assert code_of(any_counter.open(mai, key)) == (429, "OWN_RECORD_TOO_OFTEN")
    any_counter.office.now[0] = NOW + timedelta(days=1)
    any_counter.visit(any_counter.office.sign_in(RECEIVER), key)


def test_visits_are_forgotten(any_counter: CitizenCounter) -> None:
    mai, key = any_counter.office.sign_in(RECEIVER), any_counter.give_card()
    any_counter.visit(mai, key)
    database = any_counter.office.database
    assert housekeeping.forget_visits(database, NOW + VISITS_KEPT) == 0
    assert housekeeping.forget_visits(database, NOW + VISITS_KEPT + timedelta(seconds=1)) == 1


def test_a_visit_keeps_the_contracts(counter: CitizenCounter) -> None:
    visits, status = Contract("citizen_visits"), Contract("complaint_status")
    office, key = counter.office, counter.give_card()
    mai, son = office.sign_in(RECEIVER), office.sign_in(SUPERVISOR)
    visit = f"/v1/citizen-visits/{visits.judge(counter.open(mai, key)).get_json()['id']}"
    visits.judge(mai.post("/v1/citizen-visits", {"receipt": "x"}))
    filing = {"about": "attribute", "reference": "religion", "text": "Sai."}
    filed = visits.judge(mai.post(f"{visit}/complaints", filing)).get_json()
    for path in (f"{visit}/record", f"{visit}/accesses", "/v1/citizen-visits/x/record"):
        visits.judge(mai.get(path))
    headers = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    asked = {"code": filed["receipt_code"]}

    def ask() -> None:
        status.judge(office.client().post("/v1/complaint-status", json=asked, headers=headers))

    ask()
    visits.judge(son.get("/v1/complaints"))
    visits.judge(son.get(f"/v1/complaints/{filed['id']}"))
    said = {"outcome": "partly_upheld", "answer": "Đã sửa một phần."}
    visits.judge(son.post(f"/v1/complaints/{filed['id']}/answer", said))
    visits.judge(son.post(f"/v1/complaints/{filed['id']}/answer", said))
    ask()
    assert visits.statuses == {200, 201, 403, 404, 409}
    assert status.statuses == {200}


def test_no_question_reads_a_whole_table(counter: CitizenCounter) -> None:
    mai, key = counter.office.sign_in(RECEIVER), counter.give_card()
    son = counter.office.sign_in(SUPERVISOR)
    growing = {"citizen_visits", "complaints", "credentials", "dossiers", "events", "people", "person_reads"}
    growing |= {"commune_reads", "deliveries", "facts", "merges"}
    with plans_of("issuance_backend") as plans:
        visit = counter.visit(mai, key)
        said = {"about": "attribute", "reference": "religion", "text": "Sai."}
        filed = mai.post(f"{visit}/complaints", said).get_json()
        mai.get(f"{visit}/record")
        mai.get(f"{visit}/accesses")
        son.get("/v1/complaints")
        son.post(f"/v1/complaints/{filed['id']}/answer", {"outcome": "upheld", "answer": "Đúng."})
        housekeeping.forget_visits(counter.office.database, NOW)
        housekeeping.erase_complaints(counter.office.database, NOW)
        counter.records.book.forget()
    assert whole_tables_read(plans, growing) == {}
