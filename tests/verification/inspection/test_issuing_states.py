"""The two spellings of a country."""

from __future__ import annotations

import pytest

from verification.inspection.issuing_states import COUNTRY_OF_STATE, country_of_state


@pytest.mark.parametrize(
    ("state", "country"),
    [("VNM", "VN"), ("D<<", "DE"), ("D", "DE"), ("NLD", "NL"), ("GBD", "GB"), ("UNO", "UN"), ("EUE", "EU")],
)
def test_a_state(state: str, country: str) -> None:
    assert country_of_state(state) == country


@pytest.mark.parametrize("state", ["", "UTO", "XXA", "vnm", "<<<"])
def test_a_state_without_a_country_is_left_open(state: str) -> None:
    assert country_of_state(state) is None


def test_the_whole_table() -> None:
    """ISO 3166-1 has 249 countries; ICAO adds nine codes of its own for four that are there or above."""
    assert len(COUNTRY_OF_STATE) == 258
    assert len(set(COUNTRY_OF_STATE.values())) == 251
    for state, country in COUNTRY_OF_STATE.items():
        assert state.isalpha()
        assert state.isupper()
        assert len(state) in (1, 3)
        assert len(country) == 2
