"""Invented citizens with the structure of real ones: numbers, names, places, families.

The same seed always gives the same people. Nobody of them exists: every attribute is drawn
independently, by frequencies that only have to look plausible.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from issuance_backend.population_registry.domain import RegistryPerson

PROVEN_PORTRAIT_SEEDS = (117, 68, 25, 166)
"""Procedural portraits that a face engine tells apart at its ordinary threshold; first people get them."""

_ADULT_YEARS = (18, 85)
_OTHER_PORTRAITS_FROM = 1000


class SyntheticCitizen(msgspec.Struct, frozen=True):
    """A generated person for a test stand: which procedural portrait belongs to which number."""

    citizen_number: str
    full_name: str
    portrait_seed: int


@dataclass(frozen=True, slots=True)
class _Birth:
    province: str
    on: date
    sex: str


def generate(
    count: int,
    seed: int,
    today: date,
    provinces: Mapping[str, str],
    *,
    taken: set[str] | None = None,
    commune: str | None = None,
) -> Iterator[tuple[RegistryPerson, SyntheticCitizen]]:
    """Draw ``count`` people whose numbers are not in ``taken``; ``provinces`` maps codes to names.

    Those whose portraits a face engine tells apart live in ``commune``, if one is named.
    """
    # Not a secret: the same people must come out again for the same seed.
    draw = random.Random(seed)  # noqa: S311
    numbers = set(taken or ())
    for position in range(count):
        person = _person(draw, today, provinces, numbers)
        numbers.add(person.citizen_number)
        is_proven = position < len(PROVEN_PORTRAIT_SEEDS)
        portrait = PROVEN_PORTRAIT_SEEDS[position] if is_proven else _OTHER_PORTRAITS_FROM + position
        if commune and is_proven:
            home = f"Số {position + 1}, {commune}"
            person = replace(person, permanent_residence=home, current_residence=home)
        yield person, SyntheticCitizen(person.citizen_number, person.full_name, portrait)


def citizen_number(birth_province: str, born: date, sex: str, serial: int) -> str:
    """Province of birth registration, century with sex, year, six digits (circular 07/2016/TT-BCA, 7)."""
    century = 2 * ((born.year - 1900) // 100) + (1 if sex == "F" else 0)
    return f"{birth_province}{century}{born.year % 100:02d}{serial:06d}"


def _person(
    draw: random.Random, today: date, provinces: Mapping[str, str], numbers: set[str]
) -> RegistryPerson:
    birth = _birth(draw, today, provinces)
    age = (today - birth.on).days // 365
    surname = _weighted(draw, "surnames")
    married = age >= 22 and draw.random() < 0.7
    father, mother = _name(draw, surname, "M"), _name(draw, _weighted(draw, "surnames"), "F")
    spouse = _name(draw, _weighted(draw, "surnames"), "F" if birth.sex == "M" else "M") if married else None
    name = _name(draw, surname, birth.sex)
    home = birth.province if draw.random() < 0.7 else draw.choice(sorted(provinces))
    permanent = _address(draw, home, provinces)
    heads = married and birth.sex == "M"
    return RegistryPerson(
        citizen_number=_free_number(draw, birth, numbers),
        full_name=name,
        date_of_birth=birth.on,
        sex=birth.sex,
        nationality="Việt Nam",
        ethnicity=_weighted(draw, "ethnicities"),
        religion=_weighted(draw, "religions"),
        birth_registration_place=_area(draw, birth.province, provinces),
        place_of_origin=_area(draw, birth.province, provinces),
        permanent_residence=permanent,
        current_residence=permanent if draw.random() < 0.8 else _address(draw, home, provinces),
        identification=draw.choice(_data()["marks"]),
        blood_group=_weighted(draw, "blood_groups") if draw.random() < 0.6 else None,
        marital_status="Đã kết hôn" if married else "Chưa kết hôn",
        occupation="Hưu trí" if age >= 62 else draw.choice(_data()["occupations"][:-1]),
        education=draw.choice(_data()["education"]),
        # 0199... is allotted to no operator.
        phone=f"0199{draw.randrange(10**6):06d}" if draw.random() < 0.9 else None,
        father=father,
        mother=mother,
        spouse=spouse,
        household_head=name if heads else father,
        relation_to_head="Chủ hộ" if heads else "Con",
        old_id=f"{draw.randrange(10**8, 10**9)}" if age >= 25 and draw.random() < 0.8 else None,
    )


def _birth(draw: random.Random, today: date, provinces: Mapping[str, str]) -> _Birth:
    youngest, oldest = _ADULT_YEARS
    days = draw.randrange(youngest * 366, oldest * 365)
    return _Birth(draw.choice(sorted(provinces)), today - timedelta(days=days), draw.choice("MF"))


def _free_number(draw: random.Random, birth: _Birth, numbers: set[str]) -> str:
    while True:
        number = citizen_number(birth.province, birth.on, birth.sex, draw.randrange(10**6))
        if number not in numbers:
            return number


def _name(draw: random.Random, surname: str, sex: str) -> str:
    middle = draw.choice(_data()["middle"][sex])
    return f"{surname} {middle} {draw.choice(_data()['given'][sex])}"


def _area(draw: random.Random, province: str, provinces: Mapping[str, str]) -> str:
    district = draw.choice(_data()["districts"][province])
    town = district.startswith(("Quận", "Thành phố", "Thị xã"))
    return (
        f"{'Phường' if town else 'Xã'} {draw.choice(_data()['communes'])}, {district}, {provinces[province]}"
    )


def _address(draw: random.Random, province: str, provinces: Mapping[str, str]) -> str:
    area = _area(draw, province, provinces)
    if area.startswith("Phường"):
        return f"Số {draw.randrange(1, 400)} {draw.choice(_data()['streets'])}, {area}"
    return f"{draw.choice(_data()['hamlets'])}, {area}"


def _weighted(draw: random.Random, table: str) -> str:
    weights: dict[str, int] = _data()[table]
    return draw.choices(list(weights), list(weights.values()))[0]


@cache
def _data() -> dict[str, Any]:
    content = (resources.files("issuance_backend.population_registry") / "synthetic_data.json").read_bytes()
    tables: dict[str, Any] = msgspec.json.decode(content)
    return tables
