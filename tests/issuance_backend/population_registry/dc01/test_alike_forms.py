"""Forms without a number: none is clean while another, or somebody in the registry, may be the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import text

from issuance_backend import recorded_events
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.dc01.likeness import comparable, likeness_key, may_be_one
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.refusals import SameOfficer
from monitoring.database import Database
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, WHOLE, Dc01Office, somebody
from tests.support.engines import Engine
from tests.support.old_databases import migrate
from verification.errors import FieldsRefused
from verification.messages.dc01 import FormKeyed, FormReview
from verification.messages.registry_access import ReadingFor

NUMBER = "001190000001"
LOOKING = ReadingFor(purpose="population_form", officer="dung")


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    return Dc01Office(database_engine.migrated(MIGRATIONS))


def matched(office: Dc01Office, *read: dict[str, str], unit: str = COMMUNE) -> list[str]:
    """Forms of one batch after they were compared."""
    ids = office.accepted(len(read), unit, read.__getitem__)
    office.forms.match(office.forms.form(ids[0]).batch or "")
    return ids


def barcode(office: Dc01Office, form: str) -> str:
    return office.forms.form(form).barcode


def reviewed(
    office: Dc01Office, form: str, by: str | None = None, said: dict[str, str] | None = None
) -> tuple[str, ...]:
    """A correction that another officer finds right; where the form stands then and why."""
    office.forms.correct(form, FormKeyed(values=said or WHOLE, officer="dung"))
    found = office.forms.review(form, FormReview(is_right=True, officer="mai", told_apart_by=by))
    return (found.state, *found.conflicts)


def test_of_twenty_identical_forms_one_is_clean_and_the_others_name_it(office: Dc01Office) -> None:
    ids = matched(office, *[WHOLE] * 20)
    (clean,) = [form for form in ids if office.forms.form(form).state == "clean"]
    others = {office.forms.form(form).conflicts for form in ids if form != clean}
    assert others == {(f"LIKE_FORM:{barcode(office, clean)}",)}


@pytest.mark.parametrize(
    ("other", "is_alike"),
    [
        ({"full_name": "Nguyễn  Thị Lan", "date_of_birth": "15/03/1990"}, True),
        ({"full_name": "NGUYEN THI LAN"}, True),
        ({"date_of_birth": "1990"}, True),
        ({"date_of_birth": "3/1990"}, True),
        ({"father": "", "mother": ""}, True),
        ({"sex": ""}, True),
        ({"full_name": "NGUYỄN THỊ LÂN"}, False),
        ({"full_name": "NGUYỄN THỊ MAI"}, False),
        ({"date_of_birth": "16/3/1990"}, False),
        ({"date_of_birth": "4/1990"}, False),
        ({"date_of_birth": "15/3/1991"}, False),
        ({"father": "NGUYỄN VĂN BA"}, False),
        ({"mother": "TRẦN THỊ BÍCH"}, False),
    ],
)
def test_who_is_alike(other: dict[str, str], is_alike: bool) -> None:
    values = {name: text for name, text in {**WHOLE, **other}.items() if text}
    pair = comparable(WHOLE), comparable(values)
    found = likeness_key(WHOLE) == likeness_key(values) and may_be_one(*pair) and may_be_one(*pair[::-1])
    assert found is is_alike


def test_twins_of_two_sexes_are_two() -> None:
    assert not may_be_one(comparable({**WHOLE, "sex": "M"}), comparable(WHOLE))


def test_a_form_of_another_commune_is_found_too(office: Dc01Office) -> None:
    (first,) = matched(office, WHOLE, unit=NEIGHBOUR)
    (second,) = matched(office, {**WHOLE, "date_of_birth": "1990"})
    assert office.states([first, second]) == ["clean", "conflict"]


def test_a_form_with_a_number_is_compared_with_those_that_bear_none(office: Dc01Office) -> None:
    with_number = {**WHOLE, "citizen_number": office.register(NUMBER)}
    (first,) = matched(office, somebody(1))
    (second,) = matched(office, {**somebody(1), "old_id": "012345678"})
    assert office.forms.form(second).conflicts == (f"LIKE_FORM:{barcode(office, first)}",)
    (third,) = matched(office, with_number)
    (fourth,) = matched(office, {**WHOLE, "old_id": "087654321"})
    assert office.states([third, fourth]) == ["clean", "conflict"], "it would be a second entry"
    assert office.forms.form(fourth).conflicts == ("LIKE_PERSON",)


def test_a_form_without_number_is_held_against_the_registrys_persons(office: Dc01Office) -> None:
    office.register(NUMBER)
    ids = matched(office, WHOLE, {**WHOLE, "mother": "LÊ THỊ TƯ"})
    assert office.states(ids) == ["conflict", "clean"], "the first comparison made the index"
    assert office.forms.form(ids[0]).conflicts == ("LIKE_PERSON",), "no number is told to who lists forms"
    told = office.scans.values(ids[0], "dung", "issuance", LOOKING)
    assert told.alike_persons == (NUMBER,)
    (look,) = AccessLog(office.database, office.clock).of_person(NUMBER)
    assert look.purpose == "population_form"
    assert reviewed(office, ids[0]) == ("conflict", "LIKE_PERSON"), "nothing says that it is another person"
    assert reviewed(office, ids[0], said={**WHOLE, "citizen_number": NUMBER}) == ("clean",)


def test_who_is_registered_later_is_found_when_the_index_was_brought_up_to_date(office: Dc01Office) -> None:
    office.register("001190000002", mother="Lê Thị Tư")
    matched(office, somebody(1))
    office.register(NUMBER)
    MatchingDesk(office.database, office.clock).refresh()
    (form,) = matched(office, WHOLE)
    assert office.forms.form(form).conflicts == ("LIKE_PERSON",)


def test_a_namesake_is_clean_once_another_officer_says_what_showed_it(office: Dc01Office) -> None:
    office.register(NUMBER)
    (first,) = matched(office, {**WHOLE, "citizen_number": NUMBER})
    (form,) = matched(office, WHOLE)
    assert office.states([first, form]) == ["clean", "conflict"]
    conflicts = office.forms.form(form).conflicts
    assert conflicts == (f"LIKE_FORM:{barcode(office, first)}", "LIKE_PERSON")
    office.forms.correct(form, FormKeyed(values=WHOLE, officer="dung"))
    for officer in ("dung", "clerk"):
        with pytest.raises(SameOfficer):
            office.forms.review(form, FormReview(is_right=True, officer=officer, told_apart_by="people_met"))
    with pytest.raises(FieldsRefused) as fault:
        office.forms.review(form, FormReview(is_right=False, officer="mai", told_apart_by="people_met"))
    assert fault.value.fields == {"told_apart_by": "FIELD_NOBODY_TOLD_APART"}
    refused = office.forms.review(form, FormReview(is_right=False, officer="mai"))
    assert refused.conflicts == ("CORRECTION_NOT_RIGHT", *conflicts), "whom it is like is not forgotten"
    assert reviewed(office, form, "people_met") == ("clean",)
    with office.database.reading() as connection:
        steps = list(recorded_events.of_subject(connection, f"dc01/{form}"))
    looked = [step for step in steps if step.event == "recheck"][-1]
    assert (looked.actor, looked.detail) == (
        "mai",
        {"told_apart_by": "people_met", "told_apart": ",".join(conflicts)},
    )


def test_a_decision_speaks_only_of_whom_the_form_was_found_to_be_like(office: Dc01Office) -> None:
    first, second = matched(office, WHOLE, WHOLE)
    form = next(each for each in (first, second) if office.forms.form(each).state == "conflict")
    (later,) = matched(office, {**WHOLE, "father": "NGUYỄN VĂN BA"})
    said = {name: text for name, text in WHOLE.items() if name != "father"}
    assert reviewed(office, form, "papers_seen", said) == (
        "conflict",
        *(f"LIKE_FORM:{barcode(office, each)}" for each in sorted((first, second, later)) if each != form),
    )
    assert reviewed(office, form, "papers_seen", said) == ("clean",)


def test_where_nobody_is_alike_nothing_is_decided(office: Dc01Office) -> None:
    (form,) = matched(office, {**WHOLE, "sex": "X"})
    office.forms.correct(form, FormKeyed(values=WHOLE, officer="dung"))
    with pytest.raises(FieldsRefused):
        office.forms.review(form, FormReview(is_right=True, officer="mai", told_apart_by="papers_seen"))
    assert office.states([form]) == ["correction"]


def test_a_form_that_names_nobody_is_not_clean(office: Dc01Office) -> None:
    for name in ("full_name", "date_of_birth"):
        said = {field: text for field, text in WHOLE.items() if field != name}
        (form,) = matched(office, said)
        assert office.forms.form(form).conflicts == ("NAMES_NOBODY",)


def test_forms_of_before_are_found_by_those_of_now(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    migrate(database, command.upgrade, "0012", MIGRATIONS)
    old = {
        "whole": '{"full_name":"Nguyễn Thị Lan","date_of_birth":"1990"}',
        "nameless": "{}",
        "planned": None,
    }
    with database.writing() as connection:
        for form, read in old.items():
            connection.execute(
                text(
                    "INSERT INTO dc01_forms (id, barcode, unit, state, version, particulars, pages,"
                    " keyed_round, findings, missing, conflicts)"
                    " VALUES (:id, :id, '001.005.00157', :state, 3, :read, 0, 1, '[]', '[]', '[]')"
                ),
                {"id": form, "state": "planned" if read is None else "clean", "read": read},
            )
    migrate(database, command.upgrade, "head", MIGRATIONS)
    question = "SELECT id, likeness, particulars, state FROM dc01_forms"
    with database.reading() as connection:
        kept = {row[0]: row[1:] for row in connection.execute(text(question)).all()}
    states = {form: "planned" if read is None else "clean" for form, read in old.items()}
    assert kept == {form: (None, read, states[form]) for form, read in old.items()}
    office = Dc01Office(database.url, now=datetime(2021, 2, 1, 3, tzinfo=UTC))
    (form,) = office.accepted(1)
    with database.writing() as connection:
        connection.execute(text("UPDATE dc01_forms SET state = 'conflict' WHERE id = :id"), {"id": form})
    assert reviewed(office, form) == ("conflict", "LIKE_FORM:whole"), "a review compares as well"
    (form,) = matched(office, WHOLE)
    assert office.forms.form(form).conflicts == ("LIKE_FORM:whole",)
    with database.reading() as connection:
        keys = dict(connection.execute(text("SELECT id, likeness FROM dc01_forms")).all())  # type: ignore[arg-type]
    assert {name: keys[name] for name in old} == {"whole": likeness_key(WHOLE), "nameless": 0, "planned": 0}
    assert office.states(old) == ["clean", "conflict", "planned"]
    assert office.forms.form("nameless").conflicts == ("NAMES_NOBODY",)
    office.database.close()
    migrate(database, command.downgrade, "0012", MIGRATIONS)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM dc01_forms")).scalar_one() == 5
