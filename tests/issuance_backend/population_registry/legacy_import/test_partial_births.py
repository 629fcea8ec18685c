"""Archives that know no more than the year or the month of birth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from alembic import command
from sqlalchemy import text

from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.legacy_import.domain import (
    COLUMNS,
    LineMalformed,
    Outcome,
    Tally,
    parse,
)
from issuance_backend.population_registry.legacy_import.service import LegacyImport
from issuance_backend.population_registry.storage import MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from tests.support.old_databases import migrate
from tests.support.registry_office import NOW, TODAY, RegistryWorld

HELD = next(person for person in citizens() if person.old_id)
YEAR = f"{HELD.date_of_birth.year}"
MONTH = f"{HELD.date_of_birth:%Y-%m}"
OTHER_MONTH = f"{YEAR}-{HELD.date_of_birth.month % 12 + 1:02d}"
DIGEST_OF_BEFORE = "e80600392bbe03f89d19f9afca93c09fbb7fd1f123ab9ce819c6c776765aee08"
"""The digest that the program gave PAPER, born 1950-03-15, while it knew whole dates only."""

PAPER = {
    "kind": "cmnd_9",
    "number": "012345678",
    "full_name": "Nguyễn Văn An",
    "sex": "M",
    "issued_on": "2015-06-01",
    "barcode": "",
    "scan_quality": "80",
}


def lines(*papers: dict[str, str]) -> list[str]:
    return [
        ",".join(row) + "\n" for row in (COLUMNS, *([paper[name] for name in COLUMNS] for paper in papers))
    ]


def paper(born: str, **changes: str) -> dict[str, str]:
    own = {"number": HELD.old_id or "", "full_name": HELD.full_name, "sex": HELD.sex}
    return {**PAPER, **own, "date_of_birth": born, **changes}


def imported(registry: RegistryWorld, *papers: dict[str, str]) -> dict[str, int]:
    tally = registry.legacy.take_over(lines(*papers), "lan.archive")
    return {outcome.value: amount for outcome, amount in sorted(tally.outcomes.items())}


def stored(database: Database) -> list[str]:
    question = text("SELECT date_of_birth FROM legacy_records ORDER BY date_of_birth")
    with database.reading() as connection:
        return [str(born) for born in connection.execute(question).scalars()]


def claims(registry: RegistryWorld) -> list[tuple[str, str | None]]:
    registry.pass_time(seconds=1)
    found = registry.records.history(HELD.citizen_number).identities
    return [(each.status, each.document_number) for each in found]


@pytest.mark.parametrize("born", [YEAR, MONTH, f"{HELD.date_of_birth.month}/{YEAR}", f"00/00/{YEAR}"])
def test_with_the_persons_number_a_part_of_the_date_agrees(registry: RegistryWorld, born: str) -> None:
    assert imported(registry, paper(born)) == {"linked": 1}
    assert claims(registry) == [("valid", HELD.old_id)]
    assert imported(registry, paper(born)) == {"repeated": 1}
    assert registry.person(HELD.citizen_number) == HELD, "the registry's own date stays"


@pytest.mark.parametrize("born", [OTHER_MONTH, str(int(YEAR) + 1)])
def test_another_month_or_year_is_left_to_an_officer(registry: RegistryWorld, born: str) -> None:
    assert imported(registry, paper(born)) == {"conflict": 1}
    assert claims(registry) == [("claimed", HELD.old_id)]


def without_old_id(registry: RegistryWorld) -> None:
    with registry.database.writing() as connection:
        entries.update_fields(connection, HELD.citizen_number, {"old_id": None})


@pytest.mark.parametrize(
    ("born", "outcome", "status"),
    [
        (HELD.date_of_birth.isoformat(), "linked", "valid"),
        (YEAR, "conflict", "claimed"),
        (MONTH, "conflict", "claimed"),
    ],
)
def test_by_its_name_alone_only_a_whole_date_links(
    registry: RegistryWorld, born: str, outcome: str, status: str
) -> None:
    without_old_id(registry)
    assert imported(registry, paper(born, number="876543210")) == {outcome: 1}
    assert claims(registry) == [(status, "876543210")]


def test_of_several_of_one_name_and_year_nobody_is_meant(registry: RegistryWorld) -> None:
    without_old_id(registry)
    first, last = HELD.date_of_birth.replace(month=1, day=1), HELD.date_of_birth.replace(month=12, day=31)
    others = {"001090777777": first, "001090777778": last}
    with registry.database.writing() as connection:
        people = [
            replace(HELD, citizen_number=number, date_of_birth=day, old_id=None)
            for number, day in others.items()
        ]
        entries.add(connection, people, NOW)
    assert imported(registry, paper(YEAR, number="876543210")) == {"ambiguous": 1}
    assert claims(registry) == []


@pytest.mark.parametrize("day", [(1, 1), (12, 31)])
def test_a_year_reaches_from_its_first_day_to_its_last(registry: RegistryWorld, day: tuple[int, int]) -> None:
    without_old_id(registry)
    born = HELD.date_of_birth.replace(month=day[0], day=day[1])
    with registry.database.writing() as connection:
        entries.update_fields(connection, HELD.citizen_number, {"date_of_birth": born})
    assert imported(registry, paper(YEAR, number="876543210")) == {"conflict": 1}
    assert imported(registry, paper(str(int(YEAR) - 1), number="876543211")) == {"unknown": 1}


def test_what_is_not_known_is_not_made_up(registry: RegistryWorld) -> None:
    same = [paper(f"15/3/{YEAR}"), paper(f"1503{YEAR}"), paper(f"{YEAR}-03-15")]
    found = registry.legacy.take_over(
        lines(*same, paper(YEAR), paper(f"03/{YEAR}"), paper(f"{YEAR}-01-01")), "lan"
    )
    assert found.outcomes[Outcome.REPEATED] == 2, "three ways to write one day"
    assert stored(registry.database) == [YEAR, f"{YEAR}-01-01", f"{YEAR}-03", f"{YEAR}-03-15"]


def test_somebody_nobody_knew_is_looked_for_again(registry: RegistryWorld) -> None:
    late = replace(HELD, citizen_number="001090777777", old_id="876543210", full_name="Người Xa Lạ")
    card = paper(YEAR, number="876543210", full_name=late.full_name)
    assert imported(registry, card) == {"unknown": 1}
    with registry.database.writing() as connection:
        entries.add(connection, [late], NOW)
    assert registry.legacy.rehearse(lines(card)) == Tally(lines=1, outcomes={Outcome.LINKED: 1})  # type: ignore[arg-type]
    assert imported(registry, card) == {"linked": 1}
    assert imported(registry, card) == {"repeated": 1}


@pytest.mark.parametrize(
    "born", ["1849", "0000", "0001", "9999", "2027", "2026-12", "1950-13", "13/1950", "50", "195O"]
)
def test_no_year_in_which_anybody_was_born_is_malformed(registry: RegistryWorld, born: str) -> None:
    tally = registry.legacy.take_over(
        lines(paper(born), paper("1850"), paper("2026"), paper("2026-11")), "lan"
    )
    assert tally.faults == {"date_of_birth": 1}
    assert tally.outcomes == {Outcome.MALFORMED: 1, Outcome.CONFLICT: 3}


def test_a_whole_date_is_the_record_that_it_was(registry: RegistryWorld) -> None:
    assert parse({**PAPER, "date_of_birth": "1950-03-15"}, TODAY).digest == DIGEST_OF_BEFORE
    assert parse({**PAPER, "date_of_birth": "19500315"}, TODAY).digest == DIGEST_OF_BEFORE
    assert parse({**PAPER, "date_of_birth": "1950-03"}, TODAY).digest != DIGEST_OF_BEFORE
    with pytest.raises(LineMalformed):
        parse({**PAPER, "date_of_birth": "1950-03-15"}, date(1950, 3, 14))


def test_records_of_before_keep_their_day(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    migrate(database, command.upgrade, "0013", MIGRATIONS)
    with database.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO legacy_records (digest, kind, number, full_name, date_of_birth, sex, issued_on,"
                " scan_quality, needs_recapture, outcome, imported_at)"
                " VALUES (:digest, 'cmnd_9', '012345678', 'Nguyễn Văn An', '1950-03-15', 'M', '2015-06-01',"
                " 80, :no, 'unknown', '2026-01-01T00:00:00Z')"
            ),
            {"digest": DIGEST_OF_BEFORE, "no": False},
        )
    migrate(database, command.upgrade, "head", MIGRATIONS)
    assert stored(database) == ["1950-03-15"]
    office = LegacyImport(database, lambda: NOW)
    whole = {**PAPER, "date_of_birth": "1950-03-15"}
    assert office.take_over(lines(whole), "lan").outcomes == {Outcome.REPEATED: 1}
    migrate(database, command.downgrade, "0013", MIGRATIONS)
    assert stored(database) == ["1950-03-15"]
    migrate(database, command.upgrade, "head", MIGRATIONS)
    assert office.take_over(lines({**whole, "date_of_birth": "1950"}), "lan").outcomes == {Outcome.UNKNOWN: 1}
    with pytest.raises(RuntimeError, match="known in part"):
        migrate(database, command.downgrade, "0013", MIGRATIONS)
    assert stored(database) == ["1950", "1950-03-15"]
    database.close()
