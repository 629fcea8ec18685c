"""Exactly those are listed whose number no longer agrees with their year of birth, century or sex."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.publication.number_check import NumberCheck
from tests.support.issuance_office import citizens
from tests.support.registry_office import NOW, RegistryWorld, decided_by_two
from verification.identity.citizen_number import CitizenNumber
from verification.messages.life_event import Correction

YEAR, SEX = "CITIZEN_NUMBER_BIRTH_YEAR_DIFFERS", "CITIZEN_NUMBER_SEX_DIFFERS"
PEOPLE = sorted(citizens(), key=lambda person: person.citizen_number)


def listed(registry: RegistryWorld) -> list[tuple[str, tuple[str, ...]]]:
    return list(NumberCheck(registry.database).disagreeing())


def corrected(registry: RegistryWorld, number: str, **attributes: str) -> None:
    registry.report(Correction(number, dict(attributes)))


@pytest.mark.parametrize("at_once", [1, 3, 500])
def test_who_was_corrected_away_from_the_number_is_listed_until_corrected_back(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("issuance_backend.population_registry.publication.number_check.AT_ONCE", at_once)
    assert listed(registry) == []
    first, second, third = PEOPLE[0], PEOPLE[1], PEOPLE[-1]
    other_year = first.date_of_birth.replace(year=first.date_of_birth.year + 1, day=1)
    corrected(registry, first.citizen_number, date_of_birth=other_year.isoformat())
    corrected(registry, second.citizen_number, sex="F" if second.sex == "M" else "M")
    # Another day of the same year, and a name, are none of the number's business.
    corrected(
        registry, PEOPLE[2].citizen_number, date_of_birth=PEOPLE[2].date_of_birth.replace(day=2).isoformat()
    )
    found = [(first.citizen_number, (YEAR,)), (second.citizen_number, (SEX,))]
    assert listed(registry) == found
    corrected(registry, third.citizen_number, sex="F" if third.sex == "M" else "M")
    assert listed(registry) == [*found, (third.citizen_number, (SEX,))]
    registry.pass_time(seconds=1)
    corrected(registry, first.citizen_number, date_of_birth=first.date_of_birth.isoformat())
    assert [number for number, _ in listed(registry)] == [second.citizen_number, third.citizen_number]


def test_the_century_counts_and_a_country_does_not(registry: RegistryWorld) -> None:
    born = date(1926, 1, 2)
    wrong = replace(PEOPLE[0], citizen_number="001226000001", sex="M", date_of_birth=born, old_id=None)
    abroad = replace(wrong, citizen_number="999026000001")
    assert CitizenNumber(abroad.citizen_number).birth_year == born.year
    with registry.database.writing() as connection:
        entries.add(connection, [wrong, abroad], NOW)
    assert listed(registry) == [("001226000001", (YEAR,))]


def test_a_merged_number_is_its_persons_no_more(registry: RegistryWorld) -> None:
    kept, merged = PEOPLE[0], PEOPLE[1]
    corrected(registry, merged.citizen_number, sex="F" if merged.sex == "M" else "M")
    assert [number for number, _ in listed(registry)] == [merged.citizen_number]
    decided_by_two(registry.merges, kept.citizen_number, merged.citizen_number)
    assert listed(registry) == []


def test_the_command_lists_numbers_and_codes(
    registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", registry.database.url)
    both = PEOPLE[0].date_of_birth.replace(year=PEOPLE[0].date_of_birth.year + 1, day=1).isoformat()
    corrected(
        registry, PEOPLE[0].citizen_number, date_of_birth=both, sex="F" if PEOPLE[0].sex == "M" else "M"
    )
    assert command.main(["number-check"]) == 0
    assert capsys.readouterr().out == f"{PEOPLE[0].citizen_number},{YEAR} {SEX}\n"
