"""Households: who lives together, who is whose child, when they were born and married."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from issuance_backend.population_registry.nation.tables_of_names import (
    Draw,
    Names,
    life_data,
    nation_data,
    pick,
    weighted_slots,
)

DAYS = 365.2425
_CHILDREN = (0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4)
_TWINS = 0.012
_LEAVES_HOME_AT = 27


@dataclass(slots=True)
class Member:
    """One person of a household; days are ordinals. ``father`` and ``mother`` are positions in it, or -1."""

    name: str
    sex: str
    born: int
    father_name: str
    mother_name: str
    relation: str
    father: int = -1
    mother: int = -1
    spouse: int = -1
    married_on: int = 0


@dataclass(slots=True)
class Household:
    """People under one address; the first member is its head."""

    province: str
    people: Mapping[str, Any] | None
    origin: str
    residence: str
    former_residence: str
    moved_on: int
    members: list[Member] = field(default_factory=list)


class HouseholdMaker:
    """Draws households as they stand on ``today`` (an ordinal)."""

    def __init__(self, draw: Draw, today: int, provinces: Mapping[str, str]) -> None:
        self._draw = draw
        self._today = today
        self._names = Names()
        self._provinces = provinces
        self._codes = tuple(sorted(provinces))
        self._areas = {code: _areas_of(code, name) for code, name in provinces.items()}
        self._streets = life_data()["streets"]
        self._hamlets = life_data()["hamlets"]
        self._ethnicities = weighted_slots(life_data()["ethnicities"])

    def make(self) -> Household:
        """One household."""
        draw = self._draw
        province = pick(draw, self._codes)
        people = self._names.people(draw, province)
        moved = draw() < 0.2
        home = pick(draw, self._codes) if moved and draw() < 0.5 else province
        origin = pick(draw, self._areas[province])
        residence = self._address(pick(draw, self._areas[home]) if moved else origin)
        household = Household(
            province,
            people,
            origin,
            residence,
            former_residence=self._address(origin) if moved else residence,
            moved_on=self._today - int(draw() * 8000) if moved else 0,
        )
        self._fill(household)
        return household

    def name(self, surname: str, sex: str, born: int, people: Mapping[str, Any] | None) -> str:
        """A name for somebody of this surname."""
        year = int(born / DAYS) + 1
        return self._names.full_name(self._draw, surname, (sex, year), people)

    def _fill(self, household: Household) -> None:
        head = self._adult(household, "M" if self._draw() < 0.75 else "F", 21 + self._draw() ** 1.4 * 62)
        head.relation = "Chủ hộ"
        household.members.append(head)
        age = (self._today - head.born) / DAYS
        if self._draw() < min(0.95, (age - 18) / 12):
            self._marry(household, head)
        if age < 50 and self._draw() < 0.2:
            self._parents(household, head)

    def _marry(self, household: Household, head: Member) -> None:
        draw = self._draw
        years_apart = (draw() + draw() - 0.7) * 4 * (1 if head.sex == "M" else -1)
        born = min(head.born + int(years_apart * DAYS), self._today - int(18 * DAYS))
        spouse = self._adult(household, "F" if head.sex == "M" else "M", (self._today - born) / DAYS)
        spouse.relation = "Vợ" if spouse.sex == "F" else "Chồng"
        head.spouse, spouse.spouse = 1, 0
        married = max(head.born, spouse.born) + int((19 + draw() * 10) * DAYS)
        if married >= self._today:
            married = self._today - 1 - int(draw() * 300)
        head.married_on = spouse.married_on = married
        household.members.append(spouse)
        self._children(household, head, spouse)

    def _children(self, household: Household, head: Member, spouse: Member) -> None:
        draw = self._draw
        father, mother = (head, spouse) if head.sex == "M" else (spouse, head)
        surname = surname_of(father.name) if household.people is None or household.people["surnames"] else ""
        born = father.married_on
        for _ in range(pick(draw, _CHILDREN)):
            born += int((0.9 + draw() * 4) * DAYS)
            count = 2 if draw() < _TWINS else 1
            has_left = (self._today - born) / DAYS > _LEAVES_HOME_AT and draw() < 0.6
            if has_left or born >= self._today or (born - mother.born) / DAYS > 45:
                continue
            for _ in range(count):
                sex = "M" if draw() < 0.515 else "F"
                name = self.name(surname, sex, born, household.people)
                household.members.append(
                    Member(name, sex, born, father.name, mother.name, "Con",
                           father=int(head.sex == "F"), mother=int(head.sex == "M"))
                )  # fmt: skip

    def _parents(self, household: Household, head: Member) -> None:
        """The head's widowed mother or father under the same roof."""
        sex = "F" if self._draw() < 0.7 else "M"
        parent = self._adult(household, sex, (self._today - head.born) / DAYS + 20 + self._draw() * 15)
        parent.name = head.mother_name if sex == "F" else head.father_name
        parent.relation = "Mẹ" if sex == "F" else "Bố"
        if sex == "F":
            head.mother = len(household.members)
        else:
            head.father = len(household.members)
        household.members.append(parent)

    def _adult(self, household: Household, sex: str, age: float) -> Member:
        draw, people = self._draw, household.people
        born = self._today - int(age * DAYS) - int(draw() * 365)
        surname = self._names.surname(draw, people)
        older = born - int((20 + draw() * 15) * DAYS)
        return Member(
            name=self.name(surname, sex, born, people),
            sex=sex,
            born=born,
            father_name=self.name(surname, "M", older, people),
            mother_name=self.name(self._names.surname(draw, people), "F", older, people),
            relation="",
        )

    def ethnicity(self, household: Household) -> str:
        """What the household's people calls itself; the smaller ones live everywhere in small numbers."""
        return household.people["name"] if household.people else pick(self._draw, self._ethnicities)

    def _address(self, area: str) -> str:
        draw = self._draw
        if area.startswith("Phường"):
            return f"Số {1 + int(draw() * 400)} {pick(draw, self._streets)}, {area}"
        return f"{pick(draw, self._hamlets)}, {area}"


def surname_of(name: str) -> str:
    """The surname in a name: its first word, or the first two where they are one surname."""
    words = name.split()
    return " ".join(words[:2]) if " ".join(words[:2]) in nation_data()["surnames"] else words[0]


def _areas_of(code: str, province: str) -> tuple[str, ...]:
    """Every commune of a province: the same names for every seed, some of them in many provinces."""
    first, second = nation_data()["commune_first"], nation_data()["commune_second"]
    areas = []
    for position, district in enumerate(life_data()["districts"][code]):
        kind = "Phường" if district.startswith(("Quận", "Thành phố", "Thị xã")) else "Xã"
        for step in range(16):
            place = (int(code) * 37 + position * 211 + step * 53) % (len(first) * len(second))
            one, two = first[place % len(first)], second[place // len(first)]
            if one != two:
                areas.append(f"{kind} {one} {two}, {district}, {province}")
    return tuple(areas)
