"""A divorce ends a marriage for both from its day on; one that was set aside never ended it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest

from issuance_backend.population_registry.identities.recording import Statement, record
from issuance_backend.population_registry.life_events.domain import DIVORCED, MARRIED, SINGLE, WIDOWED
from issuance_backend.population_registry.people import repository as people
from tests.support.bonds import bond, happens, name
from tests.support.issuance_office import citizens
from tests.support.registry_office import TODAY, RegistryWorld, decided_by_two
from verification.errors import FieldsRefused
from verification.messages.life_event import (
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Divorce,
    DivorceAnnulled,
    LifeEvent,
    Marriage,
)

MARRIED_ON = date(2026, 3, 1)
DIVORCED_ON = date(2026, 6, 1)
LATER = date(2026, 9, 1)
DAY = timedelta(days=1)

ADULTS = [each.citizen_number for each in citizens() if each.date_of_birth.year < 2005]
ONE, OTHER, THIRD, FOURTH = ADULTS[:4]


@pytest.fixture
def couple(registry: RegistryWorld) -> RegistryWorld:
    """Four who were single, of whom the first two married."""
    for number in (ONE, OTHER, THIRD, FOURTH):
        registry.report(Correction(number, {"marital_status": SINGLE, "spouse": None}))
    happens(registry, Marriage(ONE, OTHER), MARRIED_ON)
    return registry


def confirmed_on(registry: RegistryWorld, number: str) -> date | None:
    with registry.database.reading() as connection:
        found = people.person(connection, number)
    assert found is not None
    return found.confirmed_on


def refused(registry: RegistryWorld, event: LifeEvent, day: date) -> dict[str, str]:
    before = [bond(registry, number) for number in ADULTS[:4]]
    with pytest.raises(FieldsRefused) as fault:
        registry.report(event, day)
    assert [bond(registry, number) for number in ADULTS[:4]] == before
    return fault.value.fields


@pytest.mark.parametrize("pair", [(ONE, OTHER), (OTHER, ONE)], ids=["one", "other"])
def test_both_are_divorced_from_that_day_on_and_may_marry_again(
    couple: RegistryWorld, pair: tuple[str, str]
) -> None:
    believed = couple.clock()
    happens(couple, Divorce(*pair), DIVORCED_ON)
    for number, spouse in ((ONE, OTHER), (OTHER, ONE)):
        assert bond(couple, number) == (DIVORCED, None)
        assert couple.value(number, "marital_status", valid_on=DIVORCED_ON - DAY) == MARRIED
        assert couple.value(number, "spouse", valid_on=DIVORCED_ON - DAY) == name(couple, spouse)
        assert couple.value(number, "marital_status", valid_on=DIVORCED_ON) == DIVORCED
        assert couple.value(number, "marital_status", valid_on=LATER, known_at=believed) == MARRIED
    happens(couple, Marriage(ONE, THIRD), LATER)
    happens(couple, Marriage(OTHER, FOURTH), LATER)
    assert bond(couple, THIRD) == (MARRIED, name(couple, ONE))
    happens(couple, Death(ONE), TODAY)
    assert bond(couple, OTHER) == (MARRIED, name(couple, FOURTH)), "nobody's widow any more"
    assert bond(couple, THIRD) == (WIDOWED, None)


def test_the_divorced_may_marry_each_other_again(couple: RegistryWorld) -> None:
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    happens(couple, Marriage(OTHER, ONE), LATER)
    happens(couple, Death(ONE), TODAY)
    assert bond(couple, OTHER) == (WIDOWED, None)


def test_a_death_after_the_divorce_widows_nobody(couple: RegistryWorld) -> None:
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    happens(couple, Death(ONE), LATER)
    assert bond(couple, OTHER) == (DIVORCED, None)
    happens(couple, DeathAnnulled(ONE), TODAY)
    assert {bond(couple, ONE), bond(couple, OTHER)} == {(DIVORCED, None)}


def test_a_divorce_reported_after_the_death_leaves_nobody_widowed(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), LATER)
    assert bond(couple, OTHER) == (WIDOWED, None)
    assert refused(couple, Divorce(ONE, OTHER), LATER + DAY) == {
        "citizen_number": "REGISTRY_PERSON_NOT_ALIVE"
    }
    happens(couple, Divorce(OTHER, ONE), DIVORCED_ON)
    for number in (ONE, OTHER):
        assert bond(couple, number) == (DIVORCED, None)
        for day in (DIVORCED_ON, LATER, TODAY):
            assert couple.value(number, "marital_status", valid_on=day) == DIVORCED
        assert couple.value(number, "marital_status", valid_on=DIVORCED_ON - DAY) == MARRIED


def test_a_divorce_reported_after_a_death_that_named_the_spouse(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE, spouse_number=OTHER), LATER)
    assert bond(couple, OTHER) == (WIDOWED, None)
    happens(couple, Divorce(OTHER, ONE), DIVORCED_ON)
    assert {bond(couple, ONE), bond(couple, OTHER)} == {(DIVORCED, None)}


def test_a_death_that_named_the_spouse_lets_no_divorce_come_before_the_marriage(
    couple: RegistryWorld,
) -> None:
    happens(couple, Death(ONE, spouse_number=OTHER), LATER)
    for pair in ((OTHER, ONE), (ONE, OTHER)):
        assert refused(couple, Divorce(*pair), MARRIED_ON - DAY) == {"occurred_on": "FIELD_DATE"}
    happens(couple, Divorce(OTHER, ONE), MARRIED_ON)
    assert {bond(couple, ONE), bond(couple, OTHER)} == {(DIVORCED, None)}


@pytest.mark.parametrize("is_dead", [False, True])
def test_of_those_who_came_married_the_records_say_since_when(couple: RegistryWorld, is_dead: bool) -> None:
    """No marriage of theirs was registered here: both records held them single before a day."""
    for number, spouse in ((THIRD, FOURTH), (FOURTH, THIRD)):
        with couple.database.writing() as connection:
            values = {"marital_status": MARRIED, "spouse": name(couple, spouse)}
            said = Statement(
                citizen_number=number, values=values, valid_from=MARRIED_ON, source="dc01", evidence="phiếu"
            )
            record(connection, said, "lan", couple.pass_time(seconds=1))
    if is_dead:
        happens(couple, Death(THIRD, spouse_number=FOURTH), LATER)
    assert refused(couple, Divorce(FOURTH, THIRD), MARRIED_ON - DAY) == {"occurred_on": "FIELD_DATE"}
    happens(couple, Divorce(FOURTH, THIRD), MARRIED_ON + DAY)
    assert bond(couple, FOURTH) == (DIVORCED, None)


def test_who_was_widowed_by_somebody_else_is_not_divorced_twice(couple: RegistryWorld) -> None:
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    couple.report(Correction(ONE, {"marital_status": WIDOWED, "spouse": None}))
    assert refused(couple, Divorce(ONE, OTHER), LATER) == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}


def test_only_those_married_to_each_other_are_divorced_and_not_before_they_married(
    couple: RegistryWorld,
) -> None:
    not_registered = {"spouse_number": "FIELD_NOT_AS_REGISTERED"}
    assert refused(couple, Divorce(ONE, THIRD), LATER) == not_registered
    assert refused(couple, Divorce(THIRD, FOURTH), LATER) == not_registered
    assert refused(couple, Divorce(ONE, ONE), LATER) == not_registered
    assert refused(couple, Divorce(ONE, OTHER), MARRIED_ON - DAY) == {"occurred_on": "FIELD_DATE"}
    happens(couple, Divorce(ONE, OTHER), MARRIED_ON)
    assert refused(couple, Divorce(ONE, OTHER), LATER) == not_registered


def test_a_name_alone_is_not_the_spouse_that_the_registry_knows(couple: RegistryWorld) -> None:
    couple.report(Correction(THIRD, {"full_name": name(couple, OTHER)}))
    couple.report(Correction(THIRD, {"marital_status": MARRIED, "spouse": name(couple, ONE)}))
    assert refused(couple, Divorce(ONE, THIRD), LATER) == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}
    assert refused(couple, Divorce(THIRD, ONE), LATER) == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}
    assert refused(couple, Death(THIRD, spouse_number=ONE), LATER) == {
        "spouse_number": "FIELD_NOT_AS_REGISTERED"
    }


def test_who_came_here_married_is_divorced_when_both_records_say_so(registry: RegistryWorld) -> None:
    for number, other in ((ONE, OTHER), (OTHER, ONE)):
        registry.report(Correction(number, {"marital_status": MARRIED, "spouse": name(registry, other)}))
    happens(registry, Divorce(ONE, OTHER), LATER)
    assert {bond(registry, ONE), bond(registry, OTHER)} == {(DIVORCED, None)}
    happens(registry, DivorceAnnulled(OTHER, ONE), TODAY)
    assert bond(registry, ONE) == (MARRIED, name(registry, OTHER))


def test_somebody_missing_can_be_divorced_and_that_is_no_sign_of_life(couple: RegistryWorld) -> None:
    happens(couple, DeclaredMissing(ONE), DIVORCED_ON)
    confirmed = confirmed_on(couple, ONE)
    happens(couple, Divorce(ONE, OTHER), LATER)
    assert bond(couple, ONE) == (DIVORCED, None)
    assert confirmed_on(couple, ONE) == confirmed
    assert couple.value(ONE, "life_status") == "missing"


def test_a_divorce_that_was_set_aside_never_ended_the_marriage(couple: RegistryWorld) -> None:
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    believed = couple.clock()
    happens(couple, DivorceAnnulled(OTHER, ONE), LATER)
    for number, spouse in ((ONE, OTHER), (OTHER, ONE)):
        assert bond(couple, number) == (MARRIED, name(couple, spouse))
        assert couple.value(number, "marital_status", valid_on=DIVORCED_ON) == MARRIED
        assert couple.value(number, "spouse", valid_on=DIVORCED_ON) == name(couple, spouse)
        assert couple.value(number, "marital_status", valid_on=DIVORCED_ON, known_at=believed) == DIVORCED
    fields = {"spouse_number": "LIFE_EVENT_MARRIED"}
    assert refused(couple, Marriage(THIRD, OTHER), TODAY) == fields
    happens(couple, Death(ONE), TODAY)
    assert bond(couple, OTHER) == (WIDOWED, None)


def test_who_died_between_divorce_and_its_annulment_left_somebody_widowed(couple: RegistryWorld) -> None:
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    happens(couple, Death(ONE), LATER)
    happens(couple, DivorceAnnulled(ONE, OTHER), TODAY)
    assert bond(couple, OTHER) == (WIDOWED, None)
    assert couple.value(OTHER, "marital_status", valid_on=LATER - DAY) == MARRIED
    assert bond(couple, ONE) == (MARRIED, name(couple, OTHER))


def test_no_divorce_no_annulment_and_a_marriage_since_stands(couple: RegistryWorld) -> None:
    assert refused(couple, DivorceAnnulled(ONE, OTHER), LATER) == {"citizen_number": "LIFE_EVENT_MARRIED"}
    assert refused(couple, DivorceAnnulled(THIRD, FOURTH), LATER) == {
        "citizen_number": "FIELD_NOT_AS_REGISTERED"
    }
    happens(couple, Divorce(ONE, OTHER), DIVORCED_ON)
    assert refused(couple, DivorceAnnulled(ONE, OTHER), DIVORCED_ON - DAY) == {"occurred_on": "FIELD_DATE"}
    happens(couple, Marriage(OTHER, THIRD), LATER)
    assert refused(couple, DivorceAnnulled(ONE, OTHER), TODAY) == {"spouse_number": "LIFE_EVENT_MARRIED"}
    happens(couple, Divorce(OTHER, THIRD), TODAY)
    # Of the two, one has been married to somebody else since: the first marriage cannot simply go on.
    assert refused(couple, DivorceAnnulled(ONE, OTHER), TODAY) == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}


def test_what_an_officer_corrected_to_divorced_is_no_divorce_that_could_be_set_aside(
    couple: RegistryWorld,
) -> None:
    for number in (ONE, OTHER):
        couple.report(Correction(number, {"marital_status": DIVORCED, "spouse": None}))
    assert refused(couple, DivorceAnnulled(ONE, OTHER), TODAY) == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}


def test_a_merged_number_is_the_same_spouse(couple: RegistryWorld) -> None:
    decided_by_two(couple.merges, FOURTH, OTHER)
    couple.report(Correction(FOURTH, {"marital_status": MARRIED, "spouse": name(couple, ONE)}))
    couple.report(Correction(ONE, {"spouse": name(couple, FOURTH)}))
    happens(couple, Divorce(ONE, OTHER), LATER)
    assert {bond(couple, ONE), bond(couple, FOURTH)} == {(DIVORCED, None)}


def test_the_event_names_both_and_is_told_by_its_kind(couple: RegistryWorld) -> None:
    view = couple.report(Divorce(ONE, OTHER), DIVORCED_ON)
    assert (view.kind, view.citizen_number, view.spouse_number) == ("divorce", ONE, OTHER)
    again = couple.report(DivorceAnnulled(ONE, OTHER), LATER)
    assert (again.kind, couple.life.view(again.id).spouse_number) == ("divorce_annulled", OTHER)


def test_two_deaths_of_one_couple_reported_at_once_are_registered_one_after_the_other(
    couple: RegistryWorld,
) -> None:
    """Each death writes the other's record too: whoever holds the head of the chain writes both."""
    begun = Barrier(2)

    def at_once(number: str) -> Callable[[], None]:
        def report() -> None:
            begun.wait()
            couple.report(Death(number), LATER, report_id=f"death-of-{number}")

        return report

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(at_once(number)) for number in (ONE, OTHER)]:
            done.result(timeout=60)
    assert {couple.person(number).life_status for number in (ONE, OTHER)} == {"deceased"}
    # Whose death came second was widowed by the first.
    assert {bond(couple, number)[0] for number in (ONE, OTHER)} == {MARRIED, WIDOWED}
