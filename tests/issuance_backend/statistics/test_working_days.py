from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.statistics.working_days import working_days

CALENDAR = working_days()
DAYS = st.dates(date(2019, 12, 1), date(2028, 2, 1))


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        ("2021-04-06", 2, "2021-04-08"),  # a plain week
        ("2021-04-20", 1, "2021-04-22"),  # Hùng Kings' day on Wednesday the 21st
        ("2021-04-29", 2, "2021-05-05"),  # 30 April, a weekend with 1 May, and Monday off for it
        ("2021-02-09", 1, "2021-02-17"),  # New Year of the Ox
        ("2024-04-26", 1, "2024-05-02"),  # Monday the 29th was exchanged ...
        ("2024-05-03", 1, "2024-05-04"),  # ... for this Saturday
        ("2021-09-01", 1, "2021-09-06"),  # two days off since the Labour Code of 2019
        ("2020-09-01", 1, "2020-09-03"),  # one before it
    ],
)
def test_a_limit_ends_on_the_day_that_the_year_s_holidays_make_it(day: str, count: int, due: str) -> None:
    assert CALENDAR.after(date.fromisoformat(day), count) == date.fromisoformat(due)


def is_working(day: date) -> bool:
    """Whether offices are open: counted a day at a time."""
    return CALENDAR.after(day - timedelta(days=1), 1) == day


@given(day=DAYS, count=st.integers(1, 300))
def test_the_day_after_so_many_working_days_has_so_many_behind_it(day: date, count: int) -> None:
    due = CALENDAR.after(day, count)
    assert is_working(due)
    assert CALENDAR.between(day, due) == count
    assert CALENDAR.between(day, due - timedelta(days=1)) == count - 1


@given(day=DAYS, length=st.integers(-5, 500))
def test_days_between_are_counted_one_by_one(day: date, length: int) -> None:
    days = [day + timedelta(days=number) for number in range(1, length + 1)]
    assert CALENDAR.between(day, day + timedelta(days=length)) == sum(map(is_working, days))


def test_every_listed_day_is_one_that_changes_something() -> None:
    """A closed Sunday or a worked Tuesday would be a slip of the pen."""
    for entry in CALENDAR._years.values():
        for name in entry.closed:
            assert date.fromisoformat(f"{entry.year}-{name}").weekday() < 5, (entry.year, name)
        for name in entry.worked:
            assert date.fromisoformat(f"{entry.year}-{name}").weekday() == 5, (entry.year, name)


def test_a_year_that_is_not_announced_is_said_to_be_provisional() -> None:
    assert CALENDAR.is_provisional(2027)
    assert not CALENDAR.is_provisional(2026)
    assert not is_working(date(2027, 9, 2))
