"""Rules over very many records, on every processor: lines of JSON in, findings and counts out."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

import msgspec

from issuance_backend.population_registry.rules.domain import RuleSet, rules_on
from issuance_backend.population_registry.units.domain import UnitRegister
from verification.errors import MalformedDocument

_LINES_AT_ONCE = 2_000
_RECORD = msgspec.json.Decoder(dict[str, str])

_rules: list[RuleSet] = []


@dataclass(frozen=True, slots=True)
class BulkReport:
    """How many records were read, how many break no rule, and how often each rule was broken."""

    records: int = 0
    without_findings: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: BulkReport) -> BulkReport:
        return BulkReport(
            self.records + other.records,
            self.without_findings + other.without_findings,
            self.broken + other.broken,
        )


def check_lines(lines: Iterable[bytes], day: date, units: UnitRegister, processes: int) -> BulkReport:
    """Judge records, one JSON object a line; raises MalformedDocument for a line that is none."""
    portions = _portions(lines)
    report = BulkReport()
    if processes <= 1:
        rules = rules_on(day, units)
        for portion in portions:
            report += _judged(rules, portion)
        return report
    with multiprocessing.get_context("spawn").Pool(processes, _prepare, (day, units)) as pool:
        for part in pool.imap_unordered(_judged_there, portions):
            report += part
    return report


def _prepare(day: date, units: UnitRegister) -> None:
    _rules[:] = [rules_on(day, units)]


def _judged_there(portion: list[bytes]) -> BulkReport:
    return _judged(_rules[0], portion)


def _judged(rules: RuleSet, portion: list[bytes]) -> BulkReport:
    broken: Counter[str] = Counter()
    clean = 0
    for line in portion:
        try:
            record = _RECORD.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise MalformedDocument("a line is no record of texts") from None
        findings = rules.check(record)
        if findings:
            broken.update([finding.rule for finding in findings])
        else:
            clean += 1
    return BulkReport(len(portion), clean, broken)


def _portions(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    iterator = iter(lines)
    while portion := list(islice(iterator, _LINES_AT_ONCE)):
        yield portion
