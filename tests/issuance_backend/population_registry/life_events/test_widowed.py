"""A death leaves somebody widowed, from that day on; a death that did not happen leaves them married."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from issuance_backend.population_registry.life_events.domain import DIVORCED, MARRIED, SINGLE, WIDOWED
from tests.support.bonds import bond, happens, name
from tests.support.issuance_office import citizens
from tests.support.query_plans import plans_of, whole_tables_read
from tests.support.registry_office import TODAY, RegistryWorld, decided_by_two
from verification.errors import FieldsRefused
from verification.messages.life_event import (
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Marriage,
)

MARRIED_ON = date(2026, 3, 1)
DIED = date(2026, 6, 1)
LATER = date(2026, 9, 1)

ADULTS = [each.citizen_number for each in citizens() if each.date_of_birth.year < 2005]
ONE, OTHER, THIRD = ADULTS[:3]


@pytest.fixture
def couple(registry: RegistryWorld) -> RegistryWorld:
    """Three who were single, of whom the first two married."""
    for number in (ONE, OTHER, THIRD):
        registry.report(Correction(number, {"marital_status": SINGLE, "spouse": None}))
    happens(registry, Marriage(ONE, OTHER), MARRIED_ON)
    return registry


@pytest.mark.parametrize(("dead", "left"), [(ONE, OTHER), (OTHER, ONE)], ids=["reporter", "spouse"])
def test_whoever_is_left_is_widowed_from_that_day_on_and_may_marry_again(
    couple: RegistryWorld, dead: str, left: str
) -> None:
    believed = couple.clock()
    happens(couple, Death(dead), DIED)
    assert bond(couple, left) == (WIDOWED, None)
    assert couple.value(left, "marital_status", valid_on=DIED - timedelta(days=1)) == MARRIED
    assert couple.value(left, "marital_status", valid_on=DIED) == WIDOWED
    assert couple.value(left, "spouse", valid_on=DIED - timedelta(days=1)) == name(couple, dead)
    assert couple.value(left, "marital_status", valid_on=DIED, known_at=believed) == MARRIED
    assert bond(couple, dead) == (MARRIED, name(couple, left)), "whoever died was married to the end"
    happens(couple, Marriage(left, THIRD), LATER)
    assert bond(couple, left) == (MARRIED, name(couple, THIRD))


def test_a_death_that_did_not_happen_ended_no_marriage(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), DIED)
    believed = couple.clock()
    happens(couple, DeathAnnulled(ONE), LATER)
    assert bond(couple, OTHER) == (MARRIED, name(couple, ONE))
    assert bond(couple, ONE) == (MARRIED, name(couple, OTHER))
    assert couple.value(OTHER, "marital_status", valid_on=DIED) == MARRIED
    assert couple.value(OTHER, "marital_status", valid_on=DIED, known_at=believed) == WIDOWED
    with pytest.raises(FieldsRefused):
        couple.report(Marriage(OTHER, THIRD))
    happens(couple, Death(ONE), TODAY)
    assert bond(couple, OTHER) == (WIDOWED, None)


def test_who_comes_back_after_the_other_has_married_is_free_to_marry(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), DIED)
    happens(couple, Marriage(OTHER, THIRD), LATER)
    happens(couple, DeathAnnulled(ONE), TODAY)
    assert bond(couple, OTHER) == (MARRIED, name(couple, THIRD)), "the later marriage stands"
    assert bond(couple, ONE) == (DIVORCED, None)
    assert couple.value(ONE, "marital_status", valid_on=LATER - timedelta(days=1)) == MARRIED
    happens(couple, Death(THIRD), TODAY)
    happens(couple, Marriage(ONE, OTHER), TODAY)
    assert bond(couple, ONE) == (MARRIED, name(couple, OTHER))


def test_who_comes_back_to_somebody_who_died_meanwhile_is_widowed(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), DIED)
    happens(couple, Death(OTHER), LATER)
    happens(couple, DeathAnnulled(ONE), TODAY)
    assert bond(couple, ONE) == (WIDOWED, None)
    assert couple.value(ONE, "marital_status", valid_on=LATER - timedelta(days=1)) == MARRIED
    assert couple.value(OTHER, "marital_status", valid_on=DIED) == MARRIED


def test_of_two_deaths_the_second_leaves_nobody(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), DIED)
    happens(couple, Death(OTHER), DIED - timedelta(days=9))
    # Reported late, it came first: but nobody who lives is touched by it.
    assert bond(couple, ONE)[0] == MARRIED


def test_a_marriage_that_is_reported_after_the_death_leaves_somebody_widowed(couple: RegistryWorld) -> None:
    happens(couple, Death(ONE), DIED)
    happens(couple, Death(THIRD), LATER)
    with pytest.raises(FieldsRefused):
        couple.report(Marriage(OTHER, THIRD), LATER + timedelta(days=1))
    happens(couple, Marriage(OTHER, THIRD), LATER - timedelta(days=1))
    assert bond(couple, OTHER) == (WIDOWED, None)
    told = [couple.value(OTHER, "spouse", valid_on=LATER - timedelta(days=days)) for days in (2, 1, 0)]
    assert told == [None, name(couple, THIRD), None]


def test_somebody_missing_is_still_married_and_a_divorce_is_no_widowhood(couple: RegistryWorld) -> None:
    happens(couple, DeclaredMissing(ONE), DIED)
    assert bond(couple, OTHER)[0] == MARRIED
    happens(couple, Correction(OTHER, {"marital_status": DIVORCED, "spouse": None}), LATER)
    happens(couple, Death(ONE), LATER)
    assert bond(couple, OTHER) == (DIVORCED, None)


def came_married(registry: RegistryWorld) -> None:
    """Their records name each other, and no marriage that was registered says who is meant."""
    for number, other in ((ONE, OTHER), (OTHER, ONE)):
        registry.report(Correction(number, {"marital_status": MARRIED, "spouse": name(registry, other)}))


def test_a_name_alone_is_nobody_and_whoever_reports_the_death_says_who_is_left(
    registry: RegistryWorld,
) -> None:
    came_married(registry)
    happens(registry, Death(ONE), DIED)
    assert bond(registry, OTHER)[0] == MARRIED
    happens(registry, DeathAnnulled(ONE), LATER)
    with pytest.raises(FieldsRefused) as refused:
        registry.report(Death(ONE, spouse_number=THIRD), TODAY)
    assert refused.value.fields == {"spouse_number": "FIELD_NOT_AS_REGISTERED"}
    assert registry.person(ONE).life_status_since is None, "nothing of it was recorded"
    happens(registry, Death(ONE, spouse_number=OTHER), LATER)
    assert bond(registry, OTHER) == (WIDOWED, None)
    happens(registry, DeathAnnulled(ONE), TODAY)
    assert bond(registry, OTHER) == (MARRIED, name(registry, ONE))
    happens(registry, Death(ONE), TODAY)
    assert bond(registry, OTHER) == (WIDOWED, None), "by now it is known who is meant"


def test_who_is_named_must_be_whom_the_registry_saw_them_marry(couple: RegistryWorld) -> None:
    namesake = {"full_name": name(couple, OTHER), "marital_status": MARRIED, "spouse": name(couple, ONE)}
    happens(couple, Correction(THIRD, {**namesake}), TODAY)
    with pytest.raises(FieldsRefused):
        couple.report(Death(ONE, spouse_number=THIRD), TODAY)
    happens(couple, Death(ONE, spouse_number=OTHER), TODAY)
    assert (bond(couple, OTHER)[0], bond(couple, THIRD)[0]) == (WIDOWED, MARRIED)


@pytest.mark.parametrize("merged", [ONE, OTHER], ids=["who died", "who is left"])
def test_a_number_that_was_merged_since_is_the_same_spouse(couple: RegistryWorld, merged: str) -> None:
    decided_by_two(couple.merges, THIRD, merged)
    entries = {ONE: ONE, OTHER: OTHER, merged: THIRD}
    married = {"marital_status": MARRIED, "spouse": name(couple, OTHER if merged == ONE else ONE)}
    happens(couple, Correction(THIRD, {**married}), TODAY)
    happens(couple, Death(entries[ONE]), DIED)
    assert bond(couple, entries[OTHER]) == (WIDOWED, None)


def test_nobody_is_looked_for_in_a_whole_table(couple: RegistryWorld) -> None:
    with plans_of("issuance_backend") as plans:
        happens(couple, Death(ONE), DIED)
    assert whole_tables_read(plans, {"life_events", "persons"}) == {}
