"""What the identities of a report are there for: sums that cannot be are named, by unit and figure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from issuance_backend.statistics.service import Asked, StatisticsOffice
from monitoring.database import Database
from tests.support.figure_history import START, Told, record


def broken(database: Database) -> dict[str, tuple[str, ...]]:
    report = StatisticsOffice(database, lambda: START + timedelta(days=2)).report(Asked())
    return {check.id: check.broken for check in report.identities if check.broken}


@pytest.fixture
def office(database: Database) -> Database:
    """Three dossiers of one unit, one of them further on."""
    steps = [Told(START, f"dossier/{number}", "captured", {"unit": "001"}) for number in range(3)]
    record(database, [*steps, Told(START + timedelta(hours=1), "dossier/0", "local_approved")])
    assert broken(database) == {}
    return database


def alter(database: Database, figure: str, amount: int) -> None:
    """Change a sum of the unit and of the nation alike, so that only the identity tells."""
    change = text("UPDATE figure_days SET balance = balance + :amount WHERE figure = :figure")
    with database.writing() as connection:
        assert connection.execute(change, {"amount": amount, "figure": figure}).rowcount


def test_more_that_left_a_state_than_came_is_named(office: Database) -> None:
    alter(office, "out.dossier.captured", 3)
    found = broken(office)["stock_not_negative"]
    assert set(found) == {"nation:dossier.captured", "001:dossier.captured"}


@pytest.mark.parametrize(("figure", "amount"), [("clock.total.start", -4), ("clock.local.on_time", 9)])
def test_a_time_limit_that_is_in_two_places_is_named(office: Database, figure: str, amount: int) -> None:
    alter(office, figure, amount)
    assert broken(office)["every_clock_in_one_place"] == (figure.split(".")[1],)
