from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from issuance_backend.outbox.domain import Ask, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.life_events.domain import MARRIED, SINGLE, newborn
from issuance_backend.population_registry.life_events.service import kind_of
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.refusals import IdempotencyConflict, LifeEventUnknown, RegistryPersonUnknown
from tests.support.issuance_office import citizens
from tests.support.registry_office import TODAY, RegistryWorld
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages import life_event
from verification.messages.life_event import (
    Birth,
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Found,
    LifeEventReport,
    Marriage,
    Move,
)
from verification.messages.person_query import LifeStatus, PersonQuery

PERSON = citizens()[0]
NUMBER = PERSON.citizen_number
DIED = date(2026, 11, 1)


def particulars(**changes: str | None) -> dict[str, str | None]:
    return {
        "full_name": "Lê Minh An",
        "date_of_birth": "2026-11-10",
        "sex": "F",
        "nationality": "Việt Nam",
        "ethnicity": "Kinh",
        "religion": "Không",
        "birth_registration_place": "Phường Tràng Tiền, Hà Nội",
        "place_of_origin": "Hà Nội",
        "permanent_residence": "Số 1 Tràng Tiền",
        "current_residence": "Số 1 Tràng Tiền",
        "father": "Lê Văn Tám",
        "mother": "Trần Thị Tư",
        "household_head": "Lê Văn Tám",
        "relation_to_head": "Con",
        **changes,
    }


def born(registry: RegistryWorld, **changes: str | None) -> Any:
    return registry.report(Birth(province="001", particulars=particulars(**changes)), date(2026, 11, 10))


def unmarried(registry: RegistryWorld) -> tuple[RegistryPerson, RegistryPerson]:
    for person in citizens()[:2]:
        registry.report(Correction(person.citizen_number, {"marital_status": SINGLE, "spouse": None}))
    return registry.person(citizens()[0].citizen_number), registry.person(citizens()[1].citizen_number)


def fault_fields(registry: RegistryWorld, event: Any, day: date = TODAY) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as refused:
        registry.report(event, day)
    return refused.value.fields


def test_a_birth_gives_a_number_an_entry_and_a_reference_identity(registry: RegistryWorld) -> None:
    event = born(registry)
    assert event.kind == "birth"
    assert event.citizen_number.startswith("001326")
    child = registry.person(event.citizen_number)
    assert (child.full_name, child.life_status, child.marital_status) == (
        "Lê Minh An",
        LifeStatus.ALIVE,
        SINGLE,
    )
    history = registry.records.history(event.citizen_number)
    assert [(i.kind, i.status, i.is_reference) for i in history.identities] == [
        ("civil_register", "valid", True)
    ]
    assert history.freshness == "live"
    assert RegistryDesk(registry.database).extract(event.citizen_number).person.sex == "F"


def test_a_birth_that_is_refused_uses_no_number_up(registry: RegistryWorld) -> None:
    faults = fault_fields(registry, Birth("001", particulars(father=" ", sex="X")), date(2026, 11, 10))
    assert faults == {"father": "FIELD_MISSING", "sex": "FIELD_CHARACTERS"}
    assert fault_fields(registry, Birth("999", particulars()), date(2026, 11, 10)).keys() == {"province"}
    assert fault_fields(registry, Birth("001", particulars()), date(2026, 11, 9)).keys() == {"date_of_birth"}
    assert "old_id" in fault_fields(registry, Birth("001", particulars(old_id="012345678")), DIED)
    with registry.database.reading() as connection:
        assert connection.exec_driver_sql("select count(*) from citizen_numbers").scalar_one() == 0


def test_the_same_report_again_is_the_same_event(registry: RegistryWorld) -> None:
    again = {"report_id": "report-again"}
    birth = Birth("001", particulars())
    first = registry.report(birth, date(2026, 11, 10), **again)
    assert registry.report(birth, date(2026, 11, 10), **again) == first
    with pytest.raises(IdempotencyConflict):
        registry.report(Birth("001", particulars(father="Ai")), date(2026, 11, 10), **again)
    assert registry.report(birth, date(2026, 11, 10)).citizen_number != first.citizen_number


def test_a_death_is_told_to_the_card_office_when_it_is_committed(registry: RegistryWorld) -> None:
    board = NoticeBoard(registry.database, registry.clock)
    ask = Ask(topics=(Topic.LIFE_EVENT,), after=0)
    assert board.after("card-office", ask).events == ()
    event = registry.report(Death(NUMBER), DIED)
    [told] = board.after("card-office", ask).events
    assert (told.topic, told.key) == ("life-event", event.id)
    assert told.data == {"kind": "death", "life_status": "deceased"}
    assert NUMBER not in msgspec.json.encode(told).decode()
    assert registry.life.view(event.id).citizen_number == NUMBER
    query = PersonQuery(NUMBER, PERSON.full_name, PERSON.date_of_birth.isoformat(), PERSON.sex)
    assert RegistryDesk(registry.database).answer(query).life_status is LifeStatus.DECEASED


def test_nobody_dies_twice_or_before_birth(registry: RegistryWorld) -> None:
    assert fault_fields(registry, Death(NUMBER), PERSON.date_of_birth - timedelta(days=1)) == {
        "occurred_on": "FIELD_DATE"
    }
    registry.report(Death(NUMBER), DIED)
    for event in (Death(NUMBER), DeclaredMissing(NUMBER), Found(NUMBER)):
        with pytest.raises(TransitionRefused):
            registry.report(event)


def test_a_death_that_did_not_happen_was_never_true(registry: RegistryWorld) -> None:
    registry.report(Death(NUMBER), DIED)
    believed = registry.clock()
    registry.pass_time(days=1)
    assert fault_fields(registry, DeathAnnulled(NUMBER), DIED - timedelta(days=1)) == {
        "occurred_on": "FIELD_DATE"
    }
    registry.report(DeathAnnulled(NUMBER))
    registry.pass_time(seconds=1)
    assert registry.person(NUMBER).life_status is LifeStatus.ALIVE
    assert registry.person(NUMBER).life_status_since is None
    assert registry.value(NUMBER, "life_status", valid_on=DIED) == "alive"
    assert registry.value(NUMBER, "life_status", valid_on=DIED, known_at=believed) == "deceased"
    with pytest.raises(TransitionRefused):
        registry.report(DeathAnnulled(NUMBER))


def test_whoever_comes_back_was_missing_until_then(registry: RegistryWorld) -> None:
    registry.report(DeclaredMissing(NUMBER), date(2026, 1, 10))
    assert registry.person(NUMBER).life_status is LifeStatus.MISSING
    registry.pass_time(hours=1)
    registry.report(Found(NUMBER), date(2026, 5, 1))
    registry.pass_time(hours=1)
    assert registry.value(NUMBER, "life_status") == "alive"
    assert registry.value(NUMBER, "life_status", valid_on=date(2026, 3, 1)) == "missing"


def test_a_late_report_of_a_move_before_death_is_taken_and_one_after_is_not(registry: RegistryWorld) -> None:
    registry.report(Death(NUMBER), DIED)
    registry.report(Move(NUMBER, "Xóm Mới"), DIED - timedelta(days=3))
    assert registry.person(NUMBER).current_residence == "Xóm Mới"
    assert fault_fields(registry, Move(NUMBER, "Xóm Đông"), DIED + timedelta(days=1)) == {
        "citizen_number": "REGISTRY_PERSON_NOT_ALIVE"
    }


def test_a_marriage_is_written_to_both(registry: RegistryWorld) -> None:
    one, other = unmarried(registry)
    event = registry.report(Marriage(one.citizen_number, other.citizen_number))
    assert event.spouse_number == other.citizen_number
    married = registry.person(one.citizen_number), registry.person(other.citizen_number)
    assert [(p.marital_status, p.spouse) for p in married] == [
        (MARRIED, other.full_name),
        (MARRIED, one.full_name),
    ]
    assert fault_fields(registry, Marriage(one.citizen_number, other.citizen_number)) == {
        "citizen_number": "LIFE_EVENT_MARRIED"
    }


def test_nobody_marries_too_young_or_alone(registry: RegistryWorld) -> None:
    one, other = unmarried(registry)
    assert fault_fields(registry, Marriage(one.citizen_number, one.citizen_number)).keys() == {
        "spouse_number"
    }
    child = born(registry)
    assert fault_fields(registry, Marriage(other.citizen_number, child.citizen_number)) == {
        "spouse_number": "LIFE_EVENT_AGE"
    }
    registry.report(Death(one.citizen_number), DIED)
    assert (
        "REGISTRY_PERSON_NOT_ALIVE"
        in fault_fields(registry, Marriage(one.citizen_number, other.citizen_number)).values()
    )


def test_a_correction_replaces_what_was_wrong_from_the_start(registry: RegistryWorld) -> None:
    registry.report(Correction(NUMBER, {"full_name": "Đỗ Thị Bưởi", "date_of_birth": "1990-02-28"}))
    person = registry.person(NUMBER)
    assert (person.full_name, person.date_of_birth) == ("Đỗ Thị Bưởi", date(1990, 2, 28))
    registry.pass_time(seconds=1)
    assert registry.value(NUMBER, "full_name", valid_on=date(1995, 1, 1)) == "Đỗ Thị Bưởi"


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({}, "attributes"),
        ({"life_status": "deceased"}, "life_status"),
        ({"citizen_number": "001090000001"}, "citizen_number"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": None}, "full_name"),
        ({"full_name": "x" * 121}, "full_name"),
        ({"full_name": "a\x00b"}, "full_name"),
        ({"date_of_birth": "31/12/1990"}, "date_of_birth"),
        ({"sex": "X"}, "sex"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"date_of_birth": "0001-01-01"}, "date_of_birth"),
        ({"full_name": "Phạm 123 <b>"}, "full_name"),
        ({"father": "Phạm Văn 2"}, "father"),
        ({"marital_status": "abc"}, "marital_status"),
        ({"blood_group": "XYZ"}, "blood_group"),
        ({"marital_status": SINGLE, "spouse": "Trần Văn Bình"}, "spouse"),
        ({"old_id": "12345678a"}, "old_id"),
    ],
)
def test_a_correction_that_no_record_can_hold_is_refused(
    registry: RegistryWorld, attributes: dict[str, str | None], field: str
) -> None:
    before = registry.person(NUMBER)
    assert fault_fields(registry, Correction(NUMBER, attributes)).keys() == {field}
    assert registry.person(NUMBER) == before


def test_what_is_registered_is_kept_in_one_spelling_whatever_keyboard_wrote_it(
    registry: RegistryWorld,
) -> None:
    typed = unicodedata.normalize("NFD", " Đỗ  Thị Bưởi ")
    registry.report(Correction(NUMBER, {"full_name": typed}))
    assert registry.person(NUMBER).full_name == "Đỗ Thị Bưởi"
    registry.report(Move(NUMBER, unicodedata.normalize("NFD", "Số 3,  Huế")))
    assert registry.value(NUMBER, "current_residence") == "Số 3, Huế"
    child = born(registry, full_name=typed)
    assert registry.person(child.citizen_number).full_name == "Đỗ Thị Bưởi"


def test_a_birth_says_nothing_that_no_form_could_say(registry: RegistryWorld) -> None:
    said = Birth("001", particulars(full_name="Bé 2", blood_group="Z"))
    assert fault_fields(registry, said, date(2026, 11, 10)) == {
        "full_name": "FIELD_CHARACTERS",
        "blood_group": "FIELD_CHARACTERS",
    }


def test_an_older_number_is_one_persons(registry: RegistryWorld) -> None:
    held = next(person for person in citizens() if person.old_id)
    other = next(person for person in citizens() if person is not held)
    assert fault_fields(registry, Correction(other.citizen_number, {"old_id": held.old_id})) == {
        "old_id": "FIELD_NOT_AS_REGISTERED"
    }
    registry.report(Correction(held.citizen_number, {"old_id": held.old_id}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"report_id": "x"}, "report_id"),
        ({"document": " "}, "document"),
        ({"document": "x" * 81}, "document"),
        ({"officer": ""}, "officer"),
        ({"occurred_on": TODAY + timedelta(days=1)}, "occurred_on"),
    ],
)
def test_a_report_without_its_form_is_refused(
    registry: RegistryWorld, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        registry.report(Death(NUMBER), **{"occurred_on": DIED, **changes})
    assert set(refused.value.fields) == {field}


def test_unknown_people_and_events_are_said_to_be_unknown(registry: RegistryWorld) -> None:
    with pytest.raises(RegistryPersonUnknown):
        registry.report(Death("001099000000"))
    with pytest.raises(LifeEventUnknown):
        registry.life.view("0" * 16)


def test_events_keep_a_record_living(registry: RegistryWorld) -> None:
    assert registry.records.history(NUMBER).freshness == "stale"
    registry.report(Move(NUMBER, "Xóm Mới"), date(2025, 1, 1))
    registry.pass_time(seconds=1)
    assert registry.records.history(NUMBER).freshness == "live"
    registry.report(Correction(NUMBER, {"father": "Lê Văn Tám"}))
    registry.pass_time(days=500)
    # A correction at a desk shows nothing of the person's life.
    assert registry.records.history(NUMBER).freshness == "stale"


def test_no_recorded_event_names_a_person(registry: RegistryWorld) -> None:
    registry.report(Death(NUMBER), DIED)
    registry.report(Correction(NUMBER, {"full_name": "Đỗ Thị Bưởi"}))
    born(registry)
    with registry.database.reading() as connection:
        lines = connection.exec_driver_sql("select subject, detail, actor from events").all()
        told = connection.exec_driver_sql("select key, data from notices").all()
    text = repr(lines) + repr(told)
    assert "Bưởi" not in text
    assert "Minh An" not in text
    assert not [
        digits for digits in text.replace("/", " ").split("'") if len(digits) == 12 and digits.isdigit()
    ]


@pytest.mark.parametrize(
    "event",
    [
        Birth("001", {}),
        Death("1"),
        DeathAnnulled("1"),
        DeclaredMissing("1"),
        Found("1"),
        Move("1", "x"),
        Marriage("1", "2"),
        Correction("1", {}),
    ],
)
def test_every_kind_of_event_comes_back_from_its_bytes(event: life_event.LifeEvent) -> None:
    report = LifeEventReport("report-0001", TODAY, "d", "o", event)
    content = msgspec.json.encode(report)
    assert msgspec.json.decode(content, type=LifeEventReport) == report
    assert f'"kind":"{kind_of(report)}"' in content.decode()


def test_an_entry_of_a_newborn_has_every_field() -> None:
    child = newborn("001326000001", Birth("001", particulars(blood_group="O")))
    assert (child.blood_group, child.spouse, child.date_of_birth) == ("O", None, date(2026, 11, 10))
