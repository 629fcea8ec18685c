from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.dates import (
    compact,
    date_from_compact,
    date_from_slashed,
    date_from_yymmdd,
    slashed,
    yymmdd,
)
from verification.errors import MalformedDocument

DAYS = st.dates(min_value=date(1000, 1, 1))


@pytest.mark.parametrize(
    ("text", "latest", "expected"),
    [
        ("900101", date(2026, 11, 21), date(1990, 1, 1)),
        ("261121", date(2026, 11, 21), date(2026, 11, 21)),
        ("261122", date(2026, 11, 21), date(1926, 11, 22)),
        ("000229", date(2026, 11, 21), date(2000, 2, 29)),
        ("360630", date(2076, 11, 21), date(2036, 6, 30)),
        ("040229", date(2003, 1, 1), date(1904, 2, 29)),
    ],
)
def test_the_century_follows_from_the_latest_possible_day(text: str, latest: date, expected: date) -> None:
    assert date_from_yymmdd(text, latest) == expected


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31)))
def test_yymmdd_reads_back_within_a_century(day: date) -> None:
    assert date_from_yymmdd(yymmdd(day), date(2049, 12, 31)) == day


@given(DAYS)
def test_four_digit_years_read_back(day: date) -> None:
    assert date_from_slashed(slashed(day)) == day
    assert date_from_compact(compact(day)) == day


@pytest.mark.parametrize("text", ["", "9001", "90010a", "900230", "901301", "90<<<<", "٩٠٠١٠١", " 900101"])
def test_what_is_no_yymmdd_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        date_from_yymmdd(text, date(2026, 11, 21))


@pytest.mark.parametrize(
    "text", ["", "1990", "1/1/1990", "31/02/1990", "01-01-1990", "00/00/1990", "01/01/0000"]
)
def test_what_is_no_slashed_date_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        date_from_slashed(text)


@pytest.mark.parametrize("text", ["", "010190", "32011990", "00001990", "0101199O"])
def test_what_is_no_compact_date_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        date_from_compact(text)
