"""How many DC01 records the rules judge in a minute on two processors (F22: a million)."""

from __future__ import annotations

import json
import time
from datetime import date

from issuance_backend.population_registry.rules.bulk import check_lines
from issuance_backend.population_registry.rules.domain import rule_book
from tests.benchmarks.figure import Figure, at_most
from tests.support.rule_vectors import vector_units

_RECORDS = 200_000
_PROCESSES = 2
_MINUTE_FOR_A_MILLION = 60.0


def run() -> list[Figure]:
    """Seconds for a million records, every rule of a day on every one, reading included."""
    whole = next(rule for rule in rule_book() if rule.id == "MANDATORY_FIELDS").vectors[0].record
    numbers = {"citizen_number": "001190123456", "father_number": "001060123456", "old_id": "012345678"}
    # One in a hundred is wrong; dates differ, so that none is read out of a memory of the one before.
    lines = [
        json.dumps(
            {
                **whole,
                **numbers,
                "date_of_birth": f"{1 + number % 28:02d}/{3 + number % 7}/{1930 + number % 80}",
                "sex": "M" if number % 100 == 0 else "F",
            }
        ).encode()
        for number in range(_RECORDS)
    ]
    began = time.perf_counter()
    report = check_lines(lines, date(2021, 1, 15), vector_units(), _PROCESSES)
    seconds = time.perf_counter() - began
    if report.records != _RECORDS or not report.broken:
        raise RuntimeError("the rules did not judge every record")
    per_million = seconds * 1_000_000 / _RECORDS
    name = "DC01 rules, a million records on 2 processors"
    return [at_most(name, per_million, "s", goal=_MINUTE_FOR_A_MILLION)]
