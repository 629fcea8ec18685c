"""Figures of two rules are never mixed, and none is told before it was counted by the rules of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Connection, delete, select, text, update

from issuance_backend.__main__ import main
from issuance_backend.paging import PageAsked
from issuance_backend.refusals import FiguresOutdated
from issuance_backend.statistics import roll_up
from issuance_backend.statistics.definitions import Vocabulary, vocabulary
from issuance_backend.statistics.domain import Rules
from issuance_backend.statistics.recount import Recount
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.tables import FIGURE_DAYS, FIGURE_RULES
from issuance_backend.statistics.time_limits import time_limit
from issuance_backend.statistics.working_days import working_days
from monitoring.database import Database
from tests.support.figure_history import START, Told, record

NOW = START + timedelta(days=9)


def told(number: int, state: str = "captured") -> Told:
    return Told(START + number * timedelta(hours=1), f"dossier/{number}", state, {"unit": "001"})


@pytest.fixture
def office(database: Database) -> StatisticsOffice:
    record(database, [told(1), told(2)])
    return StatisticsOffice(database, lambda: NOW)


def other_rules() -> Rules:
    """As the rules of today, but a dossier counts as captured when it is validated."""
    counters = tuple(
        msgspec.structs.replace(each, reached=("validated",)) if each.id == "captured" else each
        for each in vocabulary().counters
    )
    return Rules(Vocabulary(msgspec.structs.replace(vocabulary().tables, counters=counters)), working_days())


def captured(office: StatisticsOffice) -> int:
    return office.report(Asked()).total.to_date.get("captured", 0)


def test_what_other_rules_counted_is_told_to_nobody_until_it_is_counted_again(
    database: Database, office: StatisticsOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert captured(office) == 2
    monkeypatch.setattr(roll_up, "rules", other_rules)
    asked: list[Callable[[], object]] = [
        lambda: office.report(Asked()),
        lambda: office.records(Asked(), "captured", PageAsked(9, None)),
    ]
    for ask in asked:
        with pytest.raises(FiguresOutdated):
            ask()
    with database.reading() as connection:
        assert time_limit(connection, "dossier/1") is None
    record(database, [told(1, "validated")])
    with pytest.raises(FiguresOutdated):
        office.report(Asked())
    assert Recount(database).what_is_due() == 3
    assert captured(office) == 1
    assert Recount(database).what_is_due() == 0


def test_a_program_of_other_rules_adds_nothing_and_the_next_of_ours_counts_what_it_recorded(
    database: Database, office: StatisticsOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(roll_up, "rules", other_rules)
        record(database, [told(3)])
    with pytest.raises(FiguresOutdated):
        office.report(Asked())
    record(database, [told(4)])
    assert captured(office) == 4


def test_figures_from_before_there_were_rules_are_counted_again(
    database: Database, office: StatisticsOffice
) -> None:
    with database.writing() as connection:
        connection.execute(delete(FIGURE_RULES))
        connection.execute(update(FIGURE_DAYS).values(balance=7, amount=7))
    record(database, [told(3)])
    with pytest.raises(FiguresOutdated):
        office.report(Asked())
    assert Recount(database).what_is_due() == 3
    assert captured(office) == 3


def test_what_is_recorded_while_it_is_counted_again_is_counted_too(
    database: Database, office: StatisticsOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recount is killed after its first transaction; another program goes on where it stopped."""
    monkeypatch.setattr(roll_up, "AGAIN_AT_ONCE", 1)
    go_on, turns = roll_up.go_on, []

    def killed_after_one(connection: Connection) -> bool:
        if turns:
            raise InterruptedError
        turns.append(1)
        return go_on(connection)

    with monkeypatch.context() as patch:
        patch.setattr(roll_up, "go_on", killed_after_one)
        with pytest.raises(InterruptedError):
            Recount(database).everything()
    record(database, [told(3)])
    with pytest.raises(FiguresOutdated):
        office.report(Asked())
    assert Recount(database).what_is_due() == 3
    assert captured(office) == 3
    with database.reading() as connection:
        assert connection.execute(select(FIGURE_RULES.c.is_whole)).scalar_one()


def test_figures_are_forgotten_without_a_look_at_each(database: Database, office: StatisticsOffice) -> None:
    """Nobody records meanwhile, and a nation's moves are many."""
    with database.writing() as connection:
        roll_up.begin_again(connection)
    with pytest.raises(FiguresOutdated):
        office.report(Asked())
    with database.reading() as connection:
        if connection.dialect.name == "postgresql":
            for name in ("figure_moves", "figure_days", "figure_numbers"):
                assert connection.execute(text(f"SELECT pg_relation_size('{name}')")).scalar_one() == 0
    assert Recount(database).what_is_due() == 2
    assert captured(office) == 2


def test_bringing_the_schema_up_to_date_says_that_figures_are_to_be_counted(
    database: Database,
    office: StatisticsOffice,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", database.url)
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "schema is up to date\n"
    with database.writing() as connection:
        connection.execute(delete(FIGURE_RULES))
    assert main(["migrate"]) == 0
    assert "no report is given" in capsys.readouterr().out
    assert main(["rebuild-figures"]) == 0
    assert capsys.readouterr().out == "2 recorded events counted again\n"
    assert captured(office) == 2


@dataclass(frozen=True)
class Change:
    """A change of one definition, and whether other figures follow from it."""

    values: dict[str, object]
    is_other: bool


@pytest.mark.parametrize(
    "change",
    [
        Change({"means": "Said in other words.", "vi": "khác", "version": 2}, is_other=False),
        Change({"reached": ("captured",)}, is_other=True),
        Change({"after": "returned"}, is_other=True),
        Change({"id": "taken"}, is_other=True),
    ],
    ids=["words", "states", "after", "name"],
)
def test_only_what_changes_a_figure_changes_the_fingerprint(change: Change) -> None:
    first, *others = vocabulary().counters
    counters = (msgspec.structs.replace(first, **change.values), *others)
    changed = Vocabulary(msgspec.structs.replace(vocabulary().tables, counters=counters))
    fingerprints = {Rules(words, working_days()).fingerprint for words in (vocabulary(), changed)}
    assert (len(fingerprints) == 2) is change.is_other
