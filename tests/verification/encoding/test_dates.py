from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.dates import (
    compact,
    date_from_compact,
    date_from_slashed,
    slashed,
)
from verification.errors import MalformedDocument

DAYS = st.dates(min_value=date(1000, 1, 1))


@given(DAYS)
def test_four_digit_years_read_back(day: date) -> None:
    assert date_from_slashed(slashed(day)) == day
    assert date_from_compact(compact(day)) == day


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
