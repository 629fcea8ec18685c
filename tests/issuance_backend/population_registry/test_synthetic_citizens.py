from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.credentials.domain import expiry
from issuance_backend.personalization.data_preparation import CardOrder, card_dg1, person_record
from issuance_backend.population_registry.domain import extract
from issuance_backend.population_registry.synthetic_citizens import (
    PROVEN_PORTRAIT_SEEDS,
    citizen_number,
    generate,
)
from verification.encoding.mrz import build_td1, parse_td1
from verification.identity.administrative_units import provinces
from verification.identity.citizen_number import CitizenNumber

TODAY = date(2026, 11, 21)
NAMES = {code: province.name for code, province in provinces().items()}
PEOPLE = list(generate(400, 11, TODAY, NAMES))


def test_a_number_says_province_century_sex_and_year() -> None:
    assert citizen_number("001", date(1990, 5, 1), "M", 123456) == "001090123456"
    assert citizen_number("079", date(1985, 2, 28), "F", 7) == "079185000007"
    assert citizen_number("048", date(2001, 6, 30), "M", 999999) == "048201999999"
    assert citizen_number("031", date(2010, 12, 31), "F", 42) == "031310000042"


def test_numbers_agree_with_birth_and_sex_and_stand_once() -> None:
    numbers = [person.citizen_number for person, _ in PEOPLE]
    assert len(set(numbers)) == len(numbers)
    for person, _ in PEOPLE:
        number = CitizenNumber(person.citizen_number)
        assert number.doubts(birth_year=person.date_of_birth.year, sex=person.sex) == ()


def test_people_are_varied_adults_with_diacritics() -> None:
    names = {person.full_name for person, _ in PEOPLE}
    assert len(names) > 350
    assert any(not name.isascii() for name in names)
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert len({person.citizen_number[:3] for person, _ in PEOPLE}) > 55
    assert {person.sex for person, _ in PEOPLE} == {"M", "F"}
    ages = [(TODAY - person.date_of_birth).days // 365 for person, _ in PEOPLE]
    assert min(ages) >= 18
    assert max(ages) > 70
    assert any(person.spouse is None for person, _ in PEOPLE)
    assert any(person.spouse for person, _ in PEOPLE)


def test_the_first_people_get_portraits_that_an_engine_tells_apart() -> None:
    assert tuple(citizen.portrait_seed for _, citizen in PEOPLE[:4]) == PROVEN_PORTRAIT_SEEDS
    assert len({citizen.portrait_seed for _, citizen in PEOPLE}) == len(PEOPLE)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_a_seed_gives_the_same_people_again(seed: int) -> None:
    assert list(generate(5, seed, TODAY, NAMES)) == list(generate(5, seed, TODAY, NAMES))


def test_a_number_that_is_taken_is_never_given_again() -> None:
    first = [person.citizen_number for person, _ in generate(20, 3, TODAY, NAMES)]
    again = [person.citizen_number for person, _ in generate(20, 3, TODAY, NAMES, taken=set(first))]
    assert not set(first) & set(again)


@pytest.mark.parametrize("index", range(0, 400, 7))
def test_every_citizen_fits_the_zone_of_a_card(index: int) -> None:

    person, _ = PEOPLE[index]
    order = CardOrder(
        person=person_record(person.citizen_number, extract(person).person),
        portrait=b"",
        dg3=b"",
        chip_id="0123456789ABCDEF",
        issued_on=TODAY,
        expires_on=expiry(person.date_of_birth, TODAY),
    )
    zone = card_dg1(order).zone
    assert parse_td1(card_dg1(order).mrz) == zone
    assert len(build_td1(zone)) == 90  # type: ignore[arg-type]
