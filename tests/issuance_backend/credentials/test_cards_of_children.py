"""A child's card is exchanged at 14 (Law 26/2023/QH15, article 21): by then it shows another face."""

from __future__ import annotations

from datetime import date

import pytest

from issuance_backend.credentials.domain import expiry


@pytest.mark.parametrize(
    ("born", "until"),
    [
        (date(2020, 5, 1), date(2034, 5, 1)),  # six years old
        (date(2014, 11, 22), date(2028, 11, 22)),  # a day before twelve
        (date(2014, 11, 21), date(2039, 11, 21)),  # within two years of it: to the next age
        (date(2012, 11, 21), date(2037, 11, 21)),  # fourteen today
    ],
)
def test_a_card_of_a_child_is_good_until_fourteen(born: date, until: date) -> None:
    assert expiry(born, date(2026, 11, 21)) == until
