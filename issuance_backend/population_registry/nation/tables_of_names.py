"""Names as people bear them: how often a surname occurs, which middle names a generation gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import msgspec

Draw = Callable[[], float]
"""The next number from 0 to below 1; its seed decides everything that is drawn."""

Value = TypeVar("Value")

_NEW_NAMES_FROM = 1980


class Names:
    """Draws the parts of names."""

    def __init__(self) -> None:
        data = nation_data()
        self._surnames = _slots(data["surnames"])
        self._middle = {
            (sex, age): _slots(table) for sex, ages in data["middle"].items() for age, table in ages.items()
        }
        self._given = {sex: _slots(table) for sex, table in data["given"].items()}
        self._peoples: dict[str, list[Mapping[str, Any]]] = {}
        for people in data["peoples"]:
            for province in people["provinces"]:
                self._peoples.setdefault(province, []).append(people)

    def people(self, draw: Draw, province: str) -> Mapping[str, Any] | None:
        """One of the smaller peoples of a province, or None for the majority."""
        local = self._peoples.get(province)
        return pick(draw, local) if local and draw() < 0.5 else None

    def surname(self, draw: Draw, people: Mapping[str, Any] | None) -> str:
        """A surname; peoples without surnames have an empty one."""
        if people is None:
            return pick(draw, self._surnames)
        return pick(draw, people["surnames"]) if people["surnames"] else ""

    def full_name(
        self, draw: Draw, surname: str, of: tuple[str, int], people: Mapping[str, Any] | None
    ) -> str:
        """A whole name for somebody of this sex and year of birth."""
        sex, year = of
        if people is not None:
            rest = f"{pick(draw, people['middle'][sex])} {pick(draw, people['given'][sex])}"
            return f"{surname} {rest}".lstrip()
        middle = pick(draw, self._middle[sex, "new" if year >= _NEW_NAMES_FROM else "old"])
        given = pick(draw, self._given[sex])
        if year >= _NEW_NAMES_FROM and draw() < 0.05:
            given = f"{pick(draw, self._given[sex])} {given}"
        return f"{surname} {middle} {given}"


def pick(draw: Draw, values: Sequence[Value]) -> Value:
    """One of the values, each as likely."""
    return values[int(draw() * len(values))]


def weighted_slots(weights: Mapping[str, int]) -> tuple[str, ...]:
    """Each value as often as it weighs, so that one drawn number finds it."""
    return _slots(weights)


def _slots(weights: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(value for value, weight in weights.items() for _ in range(weight))


@cache
def nation_data() -> dict[str, Any]:
    """Surnames, middle and given names, peoples and parts of commune names."""
    content = (
        resources.files("issuance_backend.population_registry.nation") / "nation_data.json"
    ).read_bytes()
    tables: dict[str, Any] = msgspec.json.decode(content)
    return tables


@cache
def life_data() -> dict[str, Any]:
    """Occupations, marks, streets and districts, which the smaller generator draws from as well."""
    content = (resources.files("issuance_backend.population_registry") / "synthetic_data.json").read_bytes()
    tables: dict[str, Any] = msgspec.json.decode(content)
    return tables
