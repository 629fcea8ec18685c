"""Clean forms without a number meet whom the registry gets later, and whoever it got just now is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from itertools import count

import pytest
from sqlalchemy import update

from issuance_backend import recorded_events
from issuance_backend.population_registry.dc01.tables import FORMS
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.storage import MIGRATIONS
from tests.support.dc01_office import COMMUNE, WHOLE, Dc01Office, somebody
from tests.support.engines import Engine
from tests.support.recounted_indices import recounted
from tests.support.registry_office import life_report
from verification.messages.dc01 import FormKeyed, FormReview, FormsWaiting
from verification.messages.life_event import Birth, Correction, LifeEvent

BORN, NUMBER, OTHER = date(1990, 3, 15), "001190000001", "001190000002"
REPORTS = count()
LATE_BIRTH = {
    **{name: WHOLE[name] for name in ("sex", "nationality", "ethnicity", "religion", "relation_to_head")},
    **{name: WHOLE[name] for name in ("birth_registration_place", "place_of_origin", "household_head")},
    **{name: WHOLE[name] for name in ("permanent_residence", "current_residence")},
    "full_name": "Nguyễn Thị Lan",
    "date_of_birth": BORN.isoformat(),
    "father": "Nguyễn Văn An",
    "mother": "Trần Thị Bình",
}


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    made = Dc01Office(database_engine.migrated(MIGRATIONS))
    # A registry that knows somebody, and has its index.
    made.register("001190000009", mother="Lê Thị Tư")
    MatchingDesk(made.database, made.clock).refresh()
    return made


def happens(office: Dc01Office, event: LifeEvent, day: date) -> str:
    report = life_report(next(REPORTS), event, day)
    return LifeEventOffice(office.database, office.clock).report("civil-register", report).citizen_number


def born(office: Dc01Office, **changes: str) -> str:
    return happens(office, Birth("001", {**LATE_BIRTH, **changes}), BORN)


def corrected(office: Dc01Office, number: str, said: Mapping[str, str | None]) -> None:
    happens(office, Correction(number, dict(said)), office.now.date())


def matched(office: Dc01Office, *read: dict[str, str]) -> tuple[str, list[str]]:
    ids = office.accepted(len(read), COMMUNE, read.__getitem__)
    batch = office.forms.form(ids[0]).batch or ""
    office.forms.match(batch)
    return batch, ids


def stands(office: Dc01Office, form: str) -> tuple[str, ...]:
    found = office.forms.form(form)
    return (found.state, *found.conflicts)


def settled(office: Dc01Office, form: str, said: dict[str, str], by: str | None = None) -> tuple[str, ...]:
    office.forms.correct(form, FormKeyed(values=said, officer="dung"))
    office.forms.review(form, FormReview(is_right=True, officer="mai", told_apart_by=by))
    return stands(office, form)


def test_a_person_registered_later_makes_a_clean_form_doubtful(office: Dc01Office) -> None:
    batch, (form, other) = matched(office, WHOLE, somebody(1))
    assert office.states([form, other]) == ["clean", "clean"]
    number = born(office)
    assert stands(office, form) == ("conflict", "LIKE_PERSON")
    assert stands(office, other) == ("clean",)
    assert office.batches.batch(batch).state == "accepted"
    assert office.forms.waiting(COMMUNE) == FormsWaiting({"clean": 1, "conflict": 1})
    assert office.indices.indices("", office.now.date()) == recounted(office)
    with office.database.reading() as connection:
        last = list(recorded_events.of_subject(connection, f"dc01/{form}"))[-1]
        recorded_events.verify(connection)
    assert (last.event, last.state, last.actor, last.detail) == ("doubt", "conflict", "system", {})
    assert settled(office, form, {**WHOLE, "citizen_number": number}) == ("clean",)


def test_a_doubt_is_settled_by_telling_namesakes_apart(office: Dc01Office) -> None:
    _, (form,) = matched(office, WHOLE)
    number = born(office)
    assert settled(office, form, WHOLE, "people_met") == ("clean",)
    corrected(office, number, {"religion": "Phật giáo", "place_of_origin": "Nam Định"})
    assert stands(office, form) == ("clean",), "it was like this person before"
    born(office)
    assert stands(office, form) == ("conflict", "LIKE_PERSON"), "this is another person"


def test_whom_a_form_was_told_apart_from_is_told_again_with_a_new_doubt(office: Dc01Office) -> None:
    _, (first, second) = matched(office, WHOLE, WHOLE)
    clean, told = (first, second) if office.states([first]) == ["clean"] else (second, first)
    assert settled(office, told, WHOLE, "papers_seen") == ("clean",)
    born(office)
    like = f"LIKE_FORM:{office.forms.form(clean).barcode}"
    # The first to be doubted names the other, which is clean until then.
    assert sorted(len(stands(office, form)) for form in (clean, told)) == [2, 3]
    assert stands(office, told) in {("conflict", "LIKE_PERSON"), ("conflict", like, "LIKE_PERSON")}


@pytest.mark.parametrize(
    "changes",
    [{"mother": "Lê Thị Hoa"}, {"full_name": "Nguyễn Thị Mai"}, {"sex": "M", "full_name": "Nguyễn Thị Lan"}],
)
def test_who_is_somebody_else_makes_nothing_doubtful(office: Dc01Office, changes: dict[str, str]) -> None:
    _, (form,) = matched(office, WHOLE)
    born(office, **changes)
    assert stands(office, form) == ("clean",)


def test_a_correction_that_makes_somebody_alike_doubts(office: Dc01Office) -> None:
    _, (form, bears_one) = matched(office, WHOLE, {**WHOLE, "father": "LÊ VĂN BA", "old_id": "012345678"})
    number = born(office, full_name="Nguyễn Thị Mai")
    assert office.states([form, bears_one]) == ["clean", "clean"]
    corrected(office, number, {"full_name": "Nguyễn Thị Lan"})
    assert stands(office, form) == ("conflict", "LIKE_PERSON")
    assert stands(office, bears_one) == ("clean",), "its number tells it apart"


def test_a_stale_form_is_doubted_as_well(office: Dc01Office) -> None:
    _, (form,) = matched(office, WHOLE)
    office.pass_days(800)
    assert office.forms.age() == 1
    born(office)
    assert stands(office, form) == ("conflict", "LIKE_PERSON")
    assert office.indices.indices("", office.now.date()) == recounted(office)


def test_who_was_registered_a_moment_ago_is_compared(office: Dc01Office) -> None:
    number = born(office)
    _, (form,) = matched(office, WHOLE)
    assert stands(office, form) == ("conflict", "LIKE_PERSON")
    corrected(office, number, {"mother": "Lê Thị Hoa"})
    assert settled(office, form, WHOLE) == ("clean",), "the index follows a correction too"
    assert MatchingDesk(office.database, office.clock).refresh() == 1, (
        "its words are counted by the next round"
    )
    assert MatchingDesk(office.database, office.clock).refresh() == 0


def test_an_index_that_was_never_made_is_not_begun_with_one_entry(database_engine: Engine) -> None:
    office = Dc01Office(database_engine.migrated(MIGRATIONS))
    office.register(NUMBER)
    born(office, full_name="Nguyễn Thị Mai")
    with office.database.reading() as connection:
        assert not matching.was_indexed(connection)
    _, (form,) = matched(office, WHOLE)
    assert stands(office, form) == ("conflict", "LIKE_PERSON"), "the first comparison makes the whole index"


def test_clean_forms_of_before_are_compared_once(office: Dc01Office) -> None:
    twin, nobodys = {**WHOLE, "date_of_birth": "1990"}, {**somebody(3), "mother": "LÊ THỊ TƯ"}
    numbered = {**somebody(2), "old_id": "012345678"}
    reads = [WHOLE, twin, somebody(1), numbered, somebody(2), nobodys]
    batch, ids = matched(
        office, *[{**read, "full_name": f"NGUYỄN {chr(65 + n)}"} for n, read in enumerate(reads)]
    )
    with office.database.writing() as connection:
        # What a program left that did not compare forms without a number, whatever they say.
        for form, read in zip(ids, reads, strict=True):
            said = json.dumps(read, ensure_ascii=False)
            connection.execute(
                update(FORMS).where(FORMS.c.id == form).values(particulars=said, likeness=None)
            )
    office.register(NUMBER, mother="Trần Thị Bình")
    MatchingDesk(office.database, office.clock).refresh()
    assert office.forms.judge_older() == 3
    assert office.states(ids[:2]) == ["conflict", "conflict"], "both are like the person"
    assert stands(office, ids[2]) == stands(office, ids[5]) == ("clean",)
    pair = {form: stands(office, form) for form in ids[3:5]}
    (clean,) = [form for form, stood in pair.items() if stood == ("clean",)]
    (doubtful,) = pair.keys() - {clean}
    assert pair[doubtful] == ("conflict", f"LIKE_FORM:{office.forms.form(clean).barcode}")
    assert office.forms.judge_older() == 0
    assert office.batches.batch(batch).state == "accepted"
    assert office.indices.indices("", office.now.date()) == recounted(office)
    assert settled(office, doubtful, somebody(2), "papers_seen") == ("clean",)
