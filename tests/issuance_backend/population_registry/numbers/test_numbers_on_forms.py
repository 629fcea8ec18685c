"""A number that a form DC01 says somebody has is drawn for nobody else, from the keying on (I3)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import pytest
from sqlalchemy import select

from issuance_backend.population_registry.dc01.tables import FORMS, KEYINGS
from issuance_backend.population_registry.numbers.domain import NumberRequest, serials
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.refusals import NumberReservationUnknown
from tests.support.dc01_office import WHOLE, Dc01Office, somebody
from tests.support.engines import Engine
from verification.messages.dc01 import FormKeyed

PREFIX, KEY = "001190", bytes(range(32))
ORDER = [f"{PREFIX}{serial:06d}" for serial in islice(serials(KEY, 0), 40)]


@dataclass
class Offices:
    """Clerks who key forms, and the office that draws numbers in a known order."""

    forms: Dc01Office
    numbers: NumberOffice
    requests: int = 0

    def key(self, form: str, number: str, place: int = 0) -> None:
        said = {**somebody(place), "citizen_number": number}
        self.forms.forms.key(form, FormKeyed(values=said, officer="clerk"))

    def draw(self, amount: int = 1) -> list[str]:
        asked = range(self.requests, self.requests + amount)
        self.requests += amount
        drawn = self.numbers.reserve_all("office", [NumberRequest(request(n), PREFIX) for n in asked])
        return [each.citizen_number for each in drawn]


def request(number: int) -> str:
    return f"request-{number:010d}"


@pytest.fixture
def office(database_engine: Engine) -> Iterator[Offices]:
    forms = Dc01Office(database_engine.migrated(MIGRATIONS))
    yield Offices(forms, NumberOffice(forms.database, forms.clock, lambda _: KEY))
    forms.database.close()


def test_a_number_on_a_form_is_passed_by_wherever_the_form_stands(office: Offices) -> None:
    clean, wrong = office.forms.accepted(
        2, read=lambda at: {**somebody(at), "citizen_number": ORDER[at], "sex": "FX"[at]}
    )
    office.forms.forms.match(office.forms.forms.form(clean).batch or "")
    (keyed,) = office.forms.indexed(1)[1]
    office.key(keyed, ORDER[3])
    assert office.forms.states([clean, wrong, keyed]) == ["clean", "conflict", "auto_checked"]
    assert office.draw(3) == [ORDER[2], ORDER[4], ORDER[5]]


def test_a_number_that_was_read_wrongly_is_free_once_it_is_keyed_right(office: Offices) -> None:
    (form,) = office.forms.indexed(1)[1]
    assert office.draw() == [ORDER[0]]
    office.numbers.release("office", request(0))
    office.key(form, ORDER[0])
    assert office.draw() == [ORDER[1]], "it was given back, and somebody brought it along"
    office.key(form, ORDER[2])
    assert office.draw(2) == [ORDER[0], ORDER[3]]


def test_a_reservation_that_ran_out_is_no_longer_confirmed_against_a_form(office: Offices) -> None:
    (form,) = office.forms.indexed(1)[1]
    kept, late = office.draw(2)
    office.key(form, late)
    office.forms.pass_days(8)
    assert office.numbers.confirm("office", request(0)).citizen_number == kept
    with pytest.raises(NumberReservationUnknown):
        office.numbers.confirm("office", request(1))
    assert office.draw() == [ORDER[2]]


def test_a_reservation_in_its_time_is_confirmed_and_the_form_is_in_conflict(office: Offices) -> None:
    (number,) = office.draw()
    (form,) = office.forms.accepted(1, read=lambda _: {**WHOLE, "citizen_number": number})
    assert office.numbers.confirm("office", request(0)).citizen_number == number
    office.forms.forms.match(office.forms.forms.form(form).batch or "")
    assert office.forms.forms.form(form).conflicts == ("NUMBER_OF_ANOTHER",)


def test_whoever_draws_while_forms_are_keyed_gets_no_number_of_a_form(office: Offices) -> None:
    _, ids = office.forms.indexed(12)

    def key() -> None:
        # From the far end: the two meet where the one has keyed what would be the other's next.
        for place, form in reversed(list(enumerate(ids))):
            office.key(form, ORDER[place], place)

    with ThreadPoolExecutor(2) as pool:
        keying, drawing = pool.submit(key), pool.submit(lambda: [office.draw() for _ in range(12)])
        keying.result()
        drawing.result()
    with office.forms.database.reading() as connection:
        question = select(CITIZEN_NUMBERS.c.citizen_number, CITIZEN_NUMBERS.c.changed_at)
        drawn = {row.citizen_number: row.changed_at for row in connection.execute(question)}
        rows = connection.execute(
            select(FORMS.c.citizen_number, KEYINGS.c.keyed_at).join(KEYINGS, KEYINGS.c.form == FORMS.c.id)
        ).all()
    assert len(drawn) == len(rows) == 12
    assert all(drawn[number] < keyed_at for number, keyed_at in rows if number in drawn)


def test_a_registered_form_keeps_its_number(office: Offices) -> None:
    (form,) = office.forms.accepted(1, read=lambda _: {**WHOLE, "citizen_number": ORDER[0]})
    batch = office.forms.forms.form(form).batch or ""
    office.forms.forms.match(batch)
    assert office.forms.registration.register(batch, "leader") == 1
    assert office.draw() == [ORDER[1]]
