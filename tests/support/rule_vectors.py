"""The examples that stand beside the rules of forms, and what the checks say of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from issuance_backend.population_registry.rules.checks import CHECKS
from issuance_backend.population_registry.rules.domain import Rule, _rule_file
from issuance_backend.population_registry.rules.facts import Facts
from issuance_backend.population_registry.units.domain import Unit, UnitLevel, UnitRegister, national_units


def broken_vectors(rule: Rule) -> list[Mapping[str, str]]:
    """The examples of a rule of which its check says something else than the data."""
    check = CHECKS[rule.check]
    day = max(_rule_file().vector_day, rule.valid_from)
    if rule.valid_to is not None and day >= rule.valid_to:
        day = rule.valid_from
    units = vector_units()
    return [v.record for v in rule.vectors if check(Facts(v.record, day, units)) is not v.holds]


@cache
def vector_units() -> UnitRegister:
    """The provinces, with the invented communes that the examples lie in."""
    units, successions = national_units()
    invented = [
        Unit(entry.code, UnitLevel(entry.level), entry.name, entry.valid_from, entry.valid_to, "ví dụ")
        for entry in _rule_file().vector_units
    ]
    return UnitRegister([*units, *invented], successions)
