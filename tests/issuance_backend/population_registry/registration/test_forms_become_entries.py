"""Clean forms of whom the registry does not hold become its entries: once each, and nothing is made up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select, text, update

from issuance_backend import recorded_events
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.dc01.tables import FORMS
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.numbers import repository as numbers
from issuance_backend.population_registry.numbers.domain import NumberState
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS, NUMBER_BLOCKS
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.refusals import NumberReservationUnknown, RegistryPersonUnknown
from monitoring.database import Database
from tests.support.dc01_office import COMMUNE, WHOLE, somebody
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, citizens
from tests.support.old_databases import add_person, migrate
from tests.support.recounted_indices import recounted
from tests.support.registrars import Registrars
from verification.messages.dc01 import FormDecision, FormKeyed
from verification.messages.life_event import LifeEventReport, Move
from verification.messages.registry_access import ReadingFor
from verification.messages.registry_numbers import NumberWanted

OLD_NUMBER = "001190123456"
LOOKING = ReadingFor(purpose="population_form", officer="lan")


@pytest.fixture
def office(database_engine: Engine) -> Iterator[Registrars]:
    made = Registrars(database_engine.migrated(MIGRATIONS))
    yield made
    made.database.close()


def test_an_empty_registry_is_filled_by_its_forms(office: Registrars) -> None:
    ids = office.matched(WHOLE, somebody(1), {**somebody(2), "citizen_number": OLD_NUMBER})
    assert office.states(ids) == ["clean"] * 3
    assert office.people() == 0
    before = office.indices.indices("", None)
    assert office.batches.batch(office.batch_of(ids[0])).unregistered == 3
    assert office.register_batch(ids[0]) == 3
    assert office.states(ids) == ["clean"] * 3
    assert office.batches.batch(office.batch_of(ids[0])).unregistered == 0
    assert all(office.forms.form(form).registered for form in ids)
    drawn = [office.kept(form).person for form in ids]
    assert len(set(drawn)) == office.people() == 3
    assert drawn[2] == OLD_NUMBER
    assert all((number or "").startswith("001190") for number in drawn), "Hà Nội, a woman of 1990"
    assert office.indices.indices("", None) == before == recounted(office)
    with office.database.reading() as connection:
        recorded_events.verify(connection)
        for number in drawn:
            kept = numbers.find(connection, number or "")
            assert kept is not None
            assert kept.state is NumberState.ISSUED
    person = office.entry(drawn[0])
    assert person is not None
    assert (person.full_name, person.date_of_birth, person.sex) == ("NGUYỄN THỊ LAN", date(1990, 3, 15), "F")
    assert (person.blood_group, person.old_id, person.occupation) == (None, None, "")
    assert not [line for line in office.events() if any(number and number in line for number in drawn)]


def test_each_attribute_says_that_it_came_from_the_form(office: Registrars) -> None:
    form = office.registered()
    number = form.person or ""
    record = RecordOffice(office.database, office.clock)
    held = record.history(number)
    assert {each.source for each in held.attributes} == {"dc01"}
    (identity,) = held.identities
    assert (identity.kind, identity.status, identity.is_reference) == ("dc01_form", "valid", True)
    assert (identity.source, identity.document_number) == ("dc01", form.barcode)
    with office.database.reading() as connection:
        last = recorded_events.of_subject(connection, form.subject)[-1]
    assert (last.event, last.state, last.actor) == ("registered", "clean", "leader")
    move = Move(citizen_number=number, current_residence="Số 1, Phường thử, Hà Nội")
    report = LifeEventReport("report-0001", date(2021, 2, 1), "01/GCN", "mai", move)
    LifeEventOffice(office.database, office.clock).report("commune", report)
    assert office.states([form.id]) == ["live"], "life finds the form by the number it was given"
    sources = {each.name: each.source for each in record.history(number).attributes}
    assert (sources["current_residence"], sources["mother"]) == ("commune", "dc01")
    former = {each.name: each.source for each in record.history(number, date(2021, 1, 1)).attributes}
    assert former["current_residence"] == "dc01"


def test_again_nothing_happens(office: Registrars) -> None:
    form = office.registered()
    recorded = office.events()
    assert office.register_batch(form.id) == 0
    assert office.events() == recorded
    assert office.people() == 1


def test_a_registration_that_was_broken_off_goes_on_and_draws_no_number_twice(
    office: Registrars, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = office.matched(*(somebody(at) for at in range(4)))
    whole, done = entries.add, []

    def dying(*said: Any) -> int:
        if len(done) == 2:
            raise RuntimeError("killed")
        done.append(said)
        return whole(*said)

    monkeypatch.setattr(entries, "add", dying)
    monkeypatch.setattr("issuance_backend.population_registry.registration.service._PORTION", 1)
    with pytest.raises(RuntimeError):
        office.register_batch(ids[0])
    monkeypatch.setattr(entries, "add", whole)
    assert office.people() == 2
    assert office.register_batch(ids[0]) == 2
    with office.database.reading() as connection:
        rows = connection.execute(select(CITIZEN_NUMBERS.c.state, CITIZEN_NUMBERS.c.request_id)).all()
    assert sorted(row.request_id for row in rows) == sorted(f"dc01/{form}" for form in ids)
    assert {row.state for row in rows} == {"issued"}


def test_who_said_what_a_form_says_does_not_register_it(office: Registrars) -> None:
    batch, ids = office.indexed(4, aql="6.5")
    office.key(ids, read=somebody)
    office.batches.draw(batch, "leader")
    task = office.batches.next_keying("second")
    assert task is not None
    decided, said = task.form, somebody(ids.index(task.form))
    office.batches.key_again(decided, FormKeyed(values={**said, "mother": "LÊ THỊ TƯ"}, officer="second"))
    office.batches.decide(decided, FormDecision(values={"mother": said["mother"]}, officer="third"))
    office.recheck(ids, somebody, somebody)
    office.forms.match(batch)
    assert office.register_batch(ids[0], "clerk") == 0
    for reader in ("second", "third"):
        office.register_batch(ids[0], reader)
        assert office.kept(decided).person is None, reader
    assert office.states(ids) == ["clean"] * 4
    office.register_batch(ids[0])
    assert office.people() == 4


def test_who_corrected_a_form_does_not_register_it(office: Registrars) -> None:
    (form,) = office.matched({**WHOLE, "sex": "X"})
    assert office.settle(form) == ("clean",)
    assert office.register_batch(form, "dung") == 0
    assert office.register_batch(form, "mai") == 1


@pytest.mark.parametrize(
    ("said", "why", "mended"),
    [
        ({"date_of_birth": "15/3/1899"}, "ENTRY_NUMBER_CENTURY", {}),
        ({"date_of_birth": "1899"}, "ENTRY_NUMBER_CENTURY", {}),
        ({"religion": ""}, "ENTRY_LACKS:religion", {}),
        ({"ethnicity": "K" * 41}, "ENTRY_CANNOT_HOLD:ethnicity", {}),
        (
            {"birth_registration_place": "Paris, Pháp"},
            "ENTRY_NUMBER_PLACE",
            {"birth_registration_place": "Paris, Pháp", "birth_registration_unit": COMMUNE},
        ),
    ],
)
def test_nothing_is_made_up_for_an_entry_and_a_correction_leads_out(
    office: Registrars, said: dict[str, str], why: str, mended: dict[str, str]
) -> None:
    (form,) = office.matched({name: value for name, value in {**WHOLE, **said}.items() if value})
    assert office.register_batch(form) == 0
    assert office.stands(form) == ("conflict", why)
    assert office.people() == 0
    assert office.indices.indices("", None) == recounted(office)
    with office.database.reading() as connection:
        assert recorded_events.of_subject(connection, f"dc01/{form}")[-1].actor == "system"
    assert office.settle(form, **mended) == ("clean",)
    assert office.register_batch(form) == 1


@pytest.mark.parametrize(
    ("said", "province"),
    [
        ({"birth_registration_unit": "079"}, "079"),
        ({"birth_registration_place": "Xã Hòa, Huyện Mỹ, tỉnh Nam Định"}, "036"),
        ({"birth_registration_unit": "01", "birth_registration_place": "Hà Nội"}, "001"),
    ],
)
def test_the_number_begins_with_the_province_of_birth_registration(
    office: Registrars, said: dict[str, str], province: str
) -> None:
    assert (office.registered(**said).person or "")[:6] == f"{province}190"


def test_a_number_of_before_is_kept_and_never_drawn(office: Registrars) -> None:
    assert office.registered(citizen_number=OLD_NUMBER).person == OLD_NUMBER
    with office.database.reading() as connection:
        kept = numbers.find(connection, OLD_NUMBER)
    assert kept is not None
    assert (kept.state, kept.request_id) == (NumberState.ISSUED, None)
    (other,) = office.matched({**somebody(1), "citizen_number": OLD_NUMBER})
    assert office.stands(other)[0] == "conflict", "the number is somebody's by now"


def test_who_was_registered_abroad_keeps_the_number_that_the_ministry_gave(office: Registrars) -> None:
    """No table of countries is published: such a number is not drawn here, and a form may bear it."""
    said = {"birth_registration_place": "Paris, Pháp", "citizen_number": "211190123456"}
    assert office.registered(**said).person == "211190123456"


def test_a_number_that_does_not_agree_makes_nobody(office: Registrars) -> None:
    reads = [
        {**somebody(at), "citizen_number": number}
        for at, number in enumerate(("001090123456", "001191123456"))
    ]
    ids = office.matched(*reads)
    assert [office.forms.form(form).findings for form in ids] == [
        ("CITIZEN_NUMBER_SEX@1",),
        ("CITIZEN_NUMBER_YEAR@1",),
    ]
    assert office.register_batch(ids[0]) == 0
    assert office.people() == 0


def test_a_number_that_was_drawn_for_another_is_a_conflict_while_it_is(office: Registrars) -> None:
    drawn = NumberOffice(office.database, office.clock)
    wanted = NumberWanted(
        request_id="request-0000000001", province="001", date_of_birth=date(1990, 5, 1), sex="F"
    )
    number = drawn.reserve("office", wanted).citizen_number
    (form,) = office.matched({**WHOLE, "citizen_number": number})
    assert office.stands(form) == ("conflict", "NUMBER_OF_ANOTHER")
    assert office.settle(form, citizen_number=number) == ("conflict", "NUMBER_OF_ANOTHER")
    office.pass_days(8)
    assert office.settle(form, citizen_number=number) == ("clean",), "nobody came for it"
    with pytest.raises(NumberReservationUnknown):
        drawn.confirm("office", wanted.request_id)
    assert office.register_batch(form) == 1
    assert office.kept(form).person == number


def test_a_number_that_was_issued_to_another_leaves_the_form_another_one(office: Registrars) -> None:
    drawn = NumberOffice(office.database, office.clock)
    wanted = NumberWanted(
        request_id="request-0000000001", province="001", date_of_birth=date(1990, 5, 1), sex="F"
    )
    number = drawn.reserve("office", wanted).citizen_number
    drawn.confirm("office", wanted.request_id)
    (form,) = office.matched({**WHOLE, "citizen_number": number})
    assert office.stands(form) == ("conflict", "NUMBER_OF_ANOTHER")
    assert office.settle(form) == ("clean",)
    assert office.register_batch(form) == 1
    assert office.kept(form).person != number


def test_of_two_forms_of_one_person_the_second_meets_the_entry_of_the_first(office: Registrars) -> None:
    (first,) = office.matched({**WHOLE, "old_id": "012345678"})
    (second,) = office.matched({**WHOLE, "citizen_number": OLD_NUMBER, "old_id": "012345678"})
    assert office.states([first, second]) == ["clean", "clean"], "two numbers, neither of them an entry's"
    assert office.register_batch(first) == 1
    assert office.stands(second) == ("conflict", "LIKE_PERSON")
    number = office.kept(first).person or ""
    assert office.settle(second, citizen_number=number) == ("conflict", "DUPLICATE_FORM")
    assert office.register_batch(second) == 0
    assert office.people() == 1


def test_two_forms_with_the_number_of_one_older_card_are_one_person(office: Registrars) -> None:
    other = {**somebody(1), "mother": "LÊ THỊ TƯ", "citizen_number": OLD_NUMBER, "old_id": "012345678"}
    (first,) = office.matched({**WHOLE, "old_id": "012345678"})
    (second,) = office.matched(other)
    assert office.register_batch(first) == 1
    assert office.states([second]) == ["clean"], "nobody would take the two for one"
    assert office.register_batch(second) == 0
    assert office.stands(second) == ("conflict", "REGISTRY_DIFFERS:old_id")


def test_who_got_an_entry_meanwhile_is_found_and_not_made_twice(office: Registrars) -> None:
    (form,) = office.matched({**WHOLE, "citizen_number": OLD_NUMBER})
    office.register(OLD_NUMBER)
    assert office.register_batch(form) == 0
    assert (office.people(), office.kept(form).person, office.stands(form)) == (1, OLD_NUMBER, ("clean",))


def test_forms_of_before_are_held_against_persons_when_they_are_registered(office: Registrars) -> None:
    """They were settled when a number, any number, told two apart."""
    office.register("001190000009", mother="Lê Thị Tư")
    (form,) = office.matched({**WHOLE, "old_id": "087654321"})
    office.register("001190000001")
    MatchingDesk(office.database, office.clock).refresh()
    assert office.register_batch(form) == 0
    assert office.stands(form) == ("conflict", "LIKE_PERSON")
    assert office.settle(form, "papers_seen", old_id="087654321") == ("clean",)
    assert office.register_batch(form) == 1


def test_an_older_card_with_another_number_tells_a_person_apart(office: Registrars) -> None:
    office.register("001190000001", old_id="012345678")
    assert office.registered(old_id="087654321").person


def test_who_was_told_apart_as_a_form_is_not_asked_about_again_as_a_person(office: Registrars) -> None:
    first, second = office.matched(WHOLE, WHOLE)
    clean, told = (first, second) if office.states([first]) == ["clean"] else (second, first)
    assert office.settle(told, "people_met") == ("clean",)
    assert office.register_batch(first) == 2
    assert office.states([first, second]) == ["clean", "clean"]
    assert office.kept(clean).person != office.kept(told).person
    (third,) = office.matched(WHOLE)
    assert office.stands(third)[0] == "conflict"
    assert office.stands(third)[-1] == "LIKE_PERSON"


def test_two_at_once_make_one_entry(office: Registrars) -> None:
    (first,) = office.matched({**WHOLE, "old_id": "012345678"})
    (second,) = office.matched({**WHOLE, "citizen_number": OLD_NUMBER})
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(office.register_batch, [first, second, first, second]))
    assert sum(made) == office.people() == 1
    assert sorted(office.states([first, second])) == ["clean", "conflict"]


def test_a_block_without_numbers_leaves_its_forms_and_holds_up_no_other(office: Registrars) -> None:
    office.registered(mother="LÊ THỊ NĂM")
    with office.database.writing() as connection:
        connection.execute(update(NUMBER_BLOCKS).values(position=1_000_000))
    full, other = office.matched(WHOLE, {**somebody(1), "sex": "M"})
    assert office.register_batch(full) == 1
    assert office.kept(full).person is None
    assert office.states([full, other]) == ["clean", "clean"]
    assert office.batches.batch(office.batch_of(full)).unregistered == 1


def test_a_batch_that_was_not_accepted_registers_nobody(office: Registrars) -> None:
    batch, ids = office.indexed(2)
    office.key(ids, read=somebody)
    assert office.registration.register(batch, "leader") == 0
    office.batches.draw(batch, "leader")
    office.recheck(ids, lambda _: {**WHOLE, "mother": "SAI TÊN"}, lambda _: {**WHOLE, "mother": "SAI TÊN"})
    assert office.batches.batch(batch).state == "rejected"
    assert office.registration.register(batch, "leader") == 0
    assert office.people() == 0


def test_whose_a_form_is_is_told_once_it_is_somebodys_and_the_look_is_recorded(office: Registrars) -> None:
    (form,) = office.matched(WHOLE)
    with pytest.raises(RegistryPersonUnknown):
        office.registration.person(form, "issuance", LOOKING)
    office.register_batch(form)
    number = office.registration.person(form, "issuance", LOOKING).citizen_number
    assert number == office.kept(form).person
    looks = AccessLog(office.database, office.clock).of_person(number)
    assert [look.purpose for look in looks] == ["population_form"]


def test_clean_forms_of_before_belong_to_whom_the_registry_held(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    migrate(database, command.upgrade, "0014", MIGRATIONS)
    bears = {
        **dict.fromkeys(("twelve", "doubtful"), OLD_NUMBER),
        **{"nine": "012345678", "nobody": "087654321", "none": None},
    }
    person = replace(citizens()[0], citizen_number=OLD_NUMBER, old_id="012345678")
    with database.writing() as connection:
        add_person(connection, person, NOW)
        connection.execute(
            text(
                "INSERT INTO identities (id, citizen_number, kind, document_number, source, status,"
                " claimed_at) VALUES ('i', :number, 'cmnd_9', '012345678', 'x', 'valid', '2026')"
            ),
            {"number": OLD_NUMBER},
        )
        for form, number in bears.items():
            connection.execute(
                text(
                    "INSERT INTO dc01_forms (id, barcode, unit, state, version, citizen_number, pages,"
                    " keyed_round, findings, missing, conflicts)"
                    " VALUES (:id, :id, '001.005.00157', :state, 3, :number, 0, 1, '[]', '[]', '[]')"
                ),
                {"id": form, "state": "conflict" if form == "doubtful" else "stale", "number": number},
            )
    migrate(database, command.upgrade, "head", MIGRATIONS)
    with database.writing() as connection:
        kept = dict(connection.execute(select(FORMS.c.id, FORMS.c.person)).all())  # type: ignore[arg-type]
        assert connection.execute(text("SELECT document_number FROM identities")).scalar_one() == "012345678"
        connection.execute(text("UPDATE identities SET document_number = :long"), {"long": "B" * 40})
    assert kept == {"twelve": OLD_NUMBER, "nine": OLD_NUMBER, "nobody": None, "doubtful": None, "none": None}
    with pytest.raises(RuntimeError):
        migrate(database, command.downgrade, "0014", MIGRATIONS)
    with database.writing() as connection:
        connection.execute(text("UPDATE identities SET document_number = NULL"))
    migrate(database, command.downgrade, "0014", MIGRATIONS)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM dc01_forms")).scalar_one() == len(kept)
    database.close()
