"""Forms that know of a birth the year, or month and year, alone: entries that say so, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from alembic import command
from sqlalchemy import select

from issuance_backend.population_registry.domain import answer, extract, value_of
from issuance_backend.population_registry.extracts import repository as extracts
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.legacy_import.domain import COLUMNS, Outcome
from issuance_backend.population_registry.legacy_import.service import LegacyImport
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.population_registry.tables import PERSONS
from monitoring.database import Database
from tests.support.dc01_office import WHOLE, somebody
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from tests.support.old_databases import add_person, migrate
from tests.support.registrars import Registrars
from tests.support.registry_office import NOW, values
from verification.messages.life_event import Correction, LifeEventReport
from verification.messages.person_match import MatchQuery
from verification.messages.person_query import PersonQuery


@pytest.fixture
def office(database_engine: Engine) -> Iterator[Registrars]:
    made = Registrars(database_engine.migrated(MIGRATIONS))
    yield made
    made.database.close()


@pytest.mark.parametrize(
    ("on_paper", "kept", "known"),
    [("1950", "1950", "year"), ("3/1950", "1950-03", "month"), ("00/12/1950", "1950-12", "month")],
)
def test_what_is_known_of_a_birth_is_kept_as_it_is_on_paper(
    office: Registrars, on_paper: str, kept: str, known: str
) -> None:
    form = office.registered(date_of_birth=on_paper)
    assert office.stands(form.id) == ("clean",)
    number = form.person or ""
    assert number[:6] == "001150", "Hà Nội, a woman of 1950"
    person = office.entry(number)
    assert person is not None
    assert (person.birth.text, person.birth_known) == (kept, known)
    assert value_of(person, "date_of_birth") == kept
    assert extract(person).person.date_of_birth == kept
    history = RecordOffice(office.database, office.clock).history(number)
    assert values(history)["date_of_birth"] == kept
    assert "birth_known" not in values(history)
    with office.database.reading() as connection:
        (told,) = extracts.everybody(connection)
    assert told.date_of_birth == kept


def test_a_question_agrees_with_what_is_known_and_with_no_day_of_it(office: Registrars) -> None:
    number = office.registered(date_of_birth="1950").person or ""
    person = office.entry(number)
    agrees = {
        born: answer(PersonQuery(number, "Nguyễn Thị Lan", born, "F"), person).matched["date_of_birth"]
        for born in ("1950", "1950-01-01", "1950-01", "1951")
    }
    assert agrees == {"1950": True, "1950-01-01": False, "1950-01": False, "1951": False}


def test_somebody_of_whom_the_year_is_known_is_found_by_any_day_of_it(office: Registrars) -> None:
    number = office.registered(date_of_birth="1950").person or ""
    desk = MatchingDesk(office.database, office.clock)
    desk.refresh()
    asked = {
        "father": WHOLE["father"],
        "mother": WHOLE["mother"],
        "place_of_origin": WHOLE["place_of_origin"],
    }
    found = desk.find(MatchQuery("Nguyễn Thị Lan", date_of_birth="1950-07-09", **asked)).candidates
    assert [each.citizen_number for each in found] == [number]
    levels = {each.field: each.level for each in found[0].evidence}
    assert levels["date_of_birth"] == "same-year"


def test_a_second_form_that_knows_the_day_is_the_same_person(office: Registrars) -> None:
    number = office.registered(date_of_birth="1950").person or ""
    (nameless, numbered, other) = office.matched(
        {**WHOLE, "date_of_birth": "15/3/1950"},
        {**WHOLE, "date_of_birth": "15/3/1950", "citizen_number": number},
        {**WHOLE, "date_of_birth": "15/3/1951"},
    )
    assert office.stands(nameless) == ("conflict", "LIKE_FORM:DC00000000", "LIKE_PERSON")
    assert "REGISTRY_DIFFERS:date_of_birth" not in office.stands(numbered)
    assert office.stands(other) == ("clean",)


def test_a_correction_completes_the_date_and_leaves_what_was_known_before(office: Registrars) -> None:
    number = office.registered(date_of_birth="1950").person or ""
    fixed = Correction(citizen_number=number, attributes={"date_of_birth": "1950-03-15"})
    report = LifeEventReport("report-0001", date(2021, 2, 2), "01/KS", "mai", fixed)
    office.pass_days(2)
    LifeEventOffice(office.database, office.clock).report("civil-register", report)
    person = office.entry(number)
    assert person is not None
    assert (person.date_of_birth, person.birth_known) == (date(1950, 3, 15), "day")
    record = RecordOffice(office.database, office.clock)
    assert values(record.history(number))["date_of_birth"] == "1950-03-15"
    known_at = office.clock().replace(day=2)
    assert values(record.history(number, known_at=known_at))["date_of_birth"] == "1950"


@pytest.mark.parametrize(
    ("number", "outcome"), [("012345678", Outcome.LINKED), ("876543210", Outcome.CONFLICT)]
)
def test_an_older_card_with_the_day_is_the_persons_by_its_number_and_doubtful_by_the_name(
    office: Registrars, number: str, outcome: Outcome
) -> None:
    said = {"date_of_birth": "1950", "full_name": "Nguyễn Thị Lan"}
    office.registered(**said, **({"old_id": number} if outcome is Outcome.LINKED else {}))
    card = {
        **{"kind": "cmnd_9", "number": number, "full_name": "Nguyễn Thị Lan", "sex": "F"},
        **{"date_of_birth": "1950-03-15", "issued_on": "", "barcode": "", "scan_quality": "80"},
    }
    lines = [",".join(row) + "\n" for row in (COLUMNS, [card[name] for name in COLUMNS])]
    tally = LegacyImport(office.database, office.clock).take_over(lines, "lan.archive")
    assert tally.outcomes == {outcome: 1}


def test_forms_that_waited_for_a_day_are_corrected_as_they_are_and_become_entries(office: Registrars) -> None:
    (form,) = office.matched({**somebody(1), "date_of_birth": "1950", "sex": "X"})
    assert office.settle(form, date_of_birth="1950") == ("clean",)
    assert office.register_batch(form) == 1


def test_entries_of_before_know_their_day(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    migrate(database, command.upgrade, "0015", MIGRATIONS)
    with database.writing() as connection:
        add_person(connection, citizens()[0], NOW)
    migrate(database, command.upgrade, "head", MIGRATIONS)
    with database.writing() as connection:
        row = connection.execute(select(PERSONS.c.date_of_birth, PERSONS.c.birth_known)).one()
        assert tuple(row) == (citizens()[0].date_of_birth, "day")
        connection.execute(PERSONS.update().values(birth_known="year"))
    with pytest.raises(RuntimeError, match="known in part"):
        migrate(database, command.downgrade, "0015", MIGRATIONS)
    with database.writing() as connection:
        connection.execute(PERSONS.update().values(birth_known="day"))
    migrate(database, command.downgrade, "0015", MIGRATIONS)
    migrate(database, command.upgrade, "head", MIGRATIONS)
    with database.reading() as connection:
        row = connection.execute(select(PERSONS.c.date_of_birth, PERSONS.c.birth_known)).one()
    assert tuple(row) == (citizens()[0].date_of_birth, "day")
    database.close()
