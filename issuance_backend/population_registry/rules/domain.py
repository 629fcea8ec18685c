"""Rules as dated data: each with its id and version, its legal basis, its days, and examples that prove it.

What a rule says in law stands in ``rules.json``; how it is computed stands in ``checks.py`` under the name
that the data give. A form is judged by the rules of its own day, whatever is in force when it is read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from issuance_backend.population_registry.rules.checks import CHECKS, Check
from issuance_backend.population_registry.rules.facts import Facts, Record
from issuance_backend.population_registry.units.domain import UnitRegister


class Measure(StrEnum):
    """Which index a broken rule counts against."""

    COMPLETE = "complete"
    CLEAN = "clean"


class Weight(StrEnum):
    """A fault cannot be right. A doubt can: somebody looks, nothing is refused."""

    FAULT = "fault"
    DOUBT = "doubt"


class RuleVector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example with what the rule says of it: kept, broken, or (None) not concerned."""

    record: dict[str, str]
    holds: bool | None


class RuleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rule asks, in one language."""

    vi: str
    en: str


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of one rule; ``valid_to`` is the first day on which it was no longer in force."""

    id: str
    version: int
    check: str
    field: str
    measure: Measure
    weight: Weight
    legal_basis: str
    valid_from: date
    text: RuleText
    vectors: tuple[RuleVector, ...]
    valid_to: date | None = None

    @property
    def name(self) -> str:
        """Id and version, as findings quote them."""
        return f"{self.id}@{self.version}"

    def is_on(self, day: date) -> bool:
        """Whether it was in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a record breaks, and the field to look at."""

    rule: str
    field: str
    measure: Measure
    weight: Weight


class _InventedUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    level: Literal["district", "commune"]
    name: str
    valid_from: date
    valid_to: date


class _RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vector_day: date
    vector_units: tuple[_InventedUnit, ...]
    rules: tuple[Rule, ...]


class RuleSet:
    """The rules of one day; sets are made once and used for very many records."""

    def __init__(self, rules: Iterable[Rule], units: UnitRegister, day: date) -> None:
        self.day = day
        self.rules = tuple(rules)
        self._units = units
        self._checks: list[tuple[Check, Finding]] = [
            (CHECKS[rule.check], Finding(rule.name, rule.field, rule.measure, rule.weight))
            for rule in self.rules
        ]

    def check(self, record: Record) -> tuple[Finding, ...]:
        """Every rule that the record breaks, in the order of the data."""
        facts = Facts(record, self.day, self._units)
        return tuple([finding for check, finding in self._checks if check(facts) is False])


@cache
def rule_book() -> tuple[Rule, ...]:
    """Every version of every rule."""
    return _rule_file().rules


def rules_on(day: date, units: UnitRegister) -> RuleSet:
    """The rules that were in force on a day."""
    return RuleSet((rule for rule in rule_book() if rule.is_on(day)), units, day)


@cache
def _rule_file() -> _RuleFile:
    content = resources.files("issuance_backend.population_registry.rules").joinpath("rules.json")
    return msgspec.json.decode(content.read_bytes(), type=_RuleFile)
