from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import load
from verification.encoding.mrz import check_digit, parse_td1
from verification.errors import CitizenNumberMalformed, MalformedDocument
from verification.identity.citizen_number import CitizenNumber, NumberDoubt, citizen_number_in

CCCD = load("cccd_mrz_synthetic")["vectors"]


@pytest.mark.parametrize("case", CCCD, ids=lambda case: case["number"])
def test_the_number_gives_the_secrets_and_stands_in_the_mrz(case: dict[str, str]) -> None:
    number = CitizenNumber(case["number"])
    assert number.can == case["can_last6"]
    assert number.mrz_document_number == case["document_number"]
    zone = parse_td1("".join(case["mrz"]))
    assert zone.optional_data_1 == number.mrz_optional_data
    assert citizen_number_in(zone) == number


@pytest.mark.parametrize(
    ("digits", "province", "sex", "year"),
    [
        ("001090123456", "001", "M", 1990),
        ("079185000007", "079", "F", 1985),
        ("048201999999", "048", "M", 2001),
        ("031310000042", "031", "F", 2010),
        ("001999000000", "001", "F", 2399),
    ],
)
def test_parts(digits: str, province: str, sex: str, year: int) -> None:
    number = CitizenNumber(digits)
    assert (number.province_code, number.sex, number.birth_year) == (province, sex, year)


@pytest.mark.parametrize(
    "digits",
    ["", "00109012345", "0010901234567", "00109012345X", " 01090123456", "٠٠١٠٩٠١٢٣٤٥٦", "001090123456\n"],
)
def test_anything_but_twelve_ascii_digits_is_refused(digits: str) -> None:
    with pytest.raises(CitizenNumberMalformed) as refusal:
        CitizenNumber(digits)
    assert not digits.strip() or digits.strip() not in str(refusal.value)


def test_contradictions_are_doubts_and_no_refusal() -> None:
    number = CitizenNumber("079190123456")
    assert number.doubts() == ()
    assert number.doubts(birth_year=1990, sex="F") == ()
    assert number.doubts(birth_year=1991, sex="M") == (
        NumberDoubt.BIRTH_YEAR_DIFFERS,
        NumberDoubt.SEX_DIFFERS,
    )
    assert CitizenNumber("999190123456").doubts() == (NumberDoubt.PROVINCE_UNKNOWN,)


def test_the_number_shows_only_when_asked_for() -> None:
    number = CitizenNumber("001090123456")
    assert str(number) == "001090123456"
    assert "0901" not in repr(number)
    assert "0901" not in repr((number, [number]))


@pytest.mark.parametrize(
    "optional", ["", "001090123456", "001090123456<<4", "00109012345<<<3", "001090123456<<<3"]
)
def test_an_mrz_without_the_number_is_refused(optional: str) -> None:
    zone = replace(parse_td1("".join(CCCD[0]["mrz"])), optional_data_1=optional)
    with pytest.raises(MalformedDocument):
        citizen_number_in(zone)


def test_a_number_field_with_other_digits_is_refused() -> None:
    zone = replace(parse_td1("".join(CCCD[0]["mrz"])), document_number="090123457")
    with pytest.raises(MalformedDocument):
        citizen_number_in(zone)


@given(st.text("0123456789", min_size=12, max_size=12))
def test_every_twelve_digits_are_a_number(digits: str) -> None:
    number = CitizenNumber(digits)
    assert number.mrz_optional_data[-1] == check_digit(digits)
    assert digits == digits[:3] + number.mrz_document_number
    assert digits.endswith(number.can)
    number.doubts(birth_year=1990, sex="M")
