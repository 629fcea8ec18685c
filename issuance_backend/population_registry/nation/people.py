"""A nation that nobody belongs to: people in households, their numbers, and what happened to them.

The same plan always gives the same nation, and a larger one begins with the smaller one's people.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.nation.households import DAYS, Household, HouseholdMaker, Member
from issuance_backend.population_registry.nation.number_book import NumberBook
from issuance_backend.population_registry.nation.tables_of_names import (
    Draw,
    life_data,
    pick,
    weighted_slots,
)
from verification.identity.administrative_units import provinces
from verification.messages.person_query import LifeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NationPlan:
    """How many people, drawn from which seed, as they are on which day."""

    people: int
    seed: int
    today: date


@dataclass(frozen=True, slots=True)
class NationPerson:
    """A registry entry and what the registry's single row does not say: relations and dated facts."""

    entry: RegistryPerson
    household: int
    father_number: str | None
    mother_number: str | None
    spouse_number: str | None
    married_on: date | None
    moved_on: date | None
    former_residence: str


def make_nation(plan: NationPlan, taken: Container[str] = ()) -> Iterator[NationPerson]:
    """Draw ``plan.people`` people with numbers that are not in ``taken``, household after household."""
    # Not a secret: the same nation must come out again for the same seed.
    draw = random.Random(plan.seed).random  # noqa: S311
    names = {code: province.name for code, province in provinces().items()}
    maker = HouseholdMaker(draw, plan.today.toordinal(), names)
    registrar = _Registrar(draw, plan.today.toordinal(), NumberBook(plan.seed, taken), maker)
    made = serial = 0
    while made < plan.people:
        for person in registrar.register(maker.make(), serial)[: plan.people - made]:
            made += 1
            yield person
        serial += 1


class _Registrar:
    """Turns members of households into registry entries."""

    def __init__(self, draw: Draw, today: int, book: NumberBook, maker: HouseholdMaker) -> None:
        self._draw = draw
        self._today = today
        self._book = book
        self._maker = maker
        life = life_data()
        self._religions = weighted_slots(life["religions"])
        self._blood = weighted_slots(life["blood_groups"])
        self._marks: list[str] = life["marks"]
        self._education: list[str] = life["education"]
        self._occupations = life["occupations"][:-1]
        self._offices = {code: rank for rank, code in enumerate(sorted(provinces()), 1)}

    def register(self, household: Household, serial: int) -> list[NationPerson]:
        members = household.members
        numbers = [
            self._book.citizen_number(household.province, date.fromordinal(member.born).year, member.sex)
            for member in members
        ]
        ethnicity, religion = self._maker.ethnicity(household), pick(self._draw, self._religions)
        moved_on = date.fromordinal(household.moved_on) if household.moved_on else None
        known = [*numbers, None]  # position -1: somebody outside the household
        return [
            NationPerson(
                self._entry(household, member, number, (ethnicity, religion)),
                serial,
                known[member.father],
                known[member.mother],
                known[member.spouse],
                date.fromordinal(member.married_on) if member.married_on else None,
                moved_on if moved_on and household.moved_on > member.born else None,
                household.former_residence,
            )
            for member, number in zip(members, numbers, strict=True)
        ]

    def _entry(
        self, household: Household, member: Member, number: str, customs: tuple[str, str]
    ) -> RegistryPerson:
        draw = self._draw
        age = (self._today - member.born) / DAYS
        spouse = household.members[member.spouse].name if member.spouse >= 0 else None
        died_on = self._death(age)
        return RegistryPerson(
            citizen_number=number,
            full_name=member.name,
            date_of_birth=date.fromordinal(member.born),
            sex=member.sex,
            nationality="Việt Nam",
            ethnicity=customs[0],
            religion=customs[1],
            birth_registration_place=household.origin,
            place_of_origin=household.origin,
            permanent_residence=household.former_residence if draw() < 0.1 else household.residence,
            current_residence=household.residence,
            identification=pick(draw, self._marks),
            blood_group=pick(draw, self._blood) if draw() < 0.6 else None,
            marital_status="Đã kết hôn" if spouse else "Chưa kết hôn",
            occupation=self._occupation(age),
            education=self._schooling(age),
            # 0199... is allotted to no operator.
            phone=f"0199{int(draw() * 10**6):06d}" if age >= 14 and draw() < 0.9 else None,
            father=member.father_name,
            mother=member.mother_name,
            spouse=spouse,
            household_head=household.members[0].name,
            relation_to_head=member.relation,
            old_id=self._old_id(household, age),
            life_status=LifeStatus.DECEASED if died_on else LifeStatus.ALIVE,
            life_status_since=died_on,
        )

    def _occupation(self, age: float) -> str:
        if age < 18:
            return "Học sinh, sinh viên"
        return "Hưu trí" if age >= 62 else pick(self._draw, self._occupations)

    def _schooling(self, age: float) -> str:
        if age < 6:
            return "Chưa đi học"
        # Primary and the two secondary schools come in their years, everything else after them.
        return self._education[int(age - 6) // 5] if age < 18 else pick(self._draw, self._education)

    def _old_id(self, household: Household, age: float) -> str | None:
        # Cards with 9 digits were issued until 2021 at the latest, from the age of 14.
        if age < 20 or self._draw() >= 0.75:
            return None
        return self._book.old_id(self._offices[household.province])

    def _death(self, age: float) -> date | None:
        if age < 40 or self._draw() >= ((age - 35) / 100) ** 3:
            return None
        return date.fromordinal(self._today - int(self._draw() * min(8, age - 30) * 365))
