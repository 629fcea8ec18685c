from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.population_registry.numbers.domain import (
    BLOCK_SIZE,
    TABLE,
    NumberEvent,
    NumberState,
    advance,
    prefix_of,
    serials,
)
from issuance_backend.population_registry.synthetic_citizens import citizen_number
from verification.errors import TransitionRefused
from verification.identity.citizen_number import CitizenNumber

KEY = bytes(range(32))


def test_a_block_gives_every_serial_exactly_once() -> None:
    seen = bytearray(BLOCK_SIZE)
    for serial in serials(KEY, 0):
        seen[serial] += 1
    assert seen.count(1) == BLOCK_SIZE


@given(key=st.binary(min_size=32, max_size=32), position=st.integers(0, BLOCK_SIZE))
@settings(max_examples=30)
def test_an_order_can_be_taken_up_anywhere(key: bytes, position: int) -> None:
    start = max(0, position - 50)
    whole = list(islice(serials(key, start), 100))
    assert list(islice(serials(key, position), 50)) == whole[position - start :][:50]


def test_the_next_number_cannot_be_told_from_the_last() -> None:
    drawn = list(islice(serials(KEY, 0), 20_000))
    steps = {(after - before) % BLOCK_SIZE for before, after in pairwise(drawn)}
    # A counter, or a counter with a stride, has few differences; 20,000 chance ones hardly repeat.
    assert len(steps) > 19_000
    # 99 degrees of freedom: one chance order in a million exceeds 178.
    assert chi_square(drawn, 100) < 178
    assert drawn != list(islice(serials(KEY[::-1], 0), 20_000))


def chi_square(drawn: Sequence[int], bins: int) -> float:
    counts = [0] * bins
    for value in drawn:
        counts[value * bins // BLOCK_SIZE] += 1
    expected = len(drawn) / bins
    return sum((count - expected) ** 2 / expected for count in counts)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        next(serials(b"short", 0))


@given(
    born=st.dates(date(1900, 1, 1), date(2399, 12, 31)),
    sex=st.sampled_from("MF"),
    serial=st.integers(0, 999_999),
)
def test_a_prefix_says_province_century_sex_and_year(born: date, sex: str, serial: int) -> None:
    number = f"{prefix_of('079', born, sex)}{serial:06d}"
    assert number == citizen_number("079", born, sex, serial)
    assert CitizenNumber(number).doubts(birth_year=born.year, sex=sex) == ()


@pytest.mark.parametrize("year", [1899, 2400])
def test_a_century_without_a_digit_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="century"):
        prefix_of("001", date(year, 1, 1), "M")


@pytest.mark.parametrize("state", [None, *NumberState])
@pytest.mark.parametrize("event", NumberEvent)
def test_every_pair_that_is_not_in_the_table_is_refused(
    state: NumberState | None, event: NumberEvent
) -> None:
    if (state, event) in TABLE.transitions:
        assert advance(state, event) in NumberState
    else:
        with pytest.raises(TransitionRefused):
            advance(state, event)


def test_an_issued_number_is_never_anything_else() -> None:
    assert not [event for state, event in TABLE.transitions if state is NumberState.ISSUED]
