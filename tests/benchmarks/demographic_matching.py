"""Demographic matching on labelled papers: what it misses, what it takes wrongly, and its time.

The comparison alone is timed over an index in memory, and the whole question through the registry's desk and
SQL: SQLite, or an empty database of ``--registry``. This is a smaller nation; the million is
``make bench ONLY=million_matching``. Weights were set on seed 1; another seed is measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from issuance_backend.population_registry.storage import migrated
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support.matching_trial import (
    Outcome,
    Trial,
    best_edit_distance,
    exact_hash,
    in_registry,
    make_trial,
    ours,
)

PEOPLE, QUESTIONS, SEED = 30_000, 3_000, 2026
MISSED_GOAL = 0.005
WRONG_GOAL = 0.01
MILLISECONDS_GOAL = 5.0
ERROR_GOAL = 0.2
"""Of the better of two plain methods' error: at least five times better."""


def run(people: int = PEOPLE, questions: int = QUESTIONS, registry: str | None = None) -> list[Figure]:
    """The figures for a nation of this size."""
    trial = make_trial(people, questions, SEED)
    result, asked = ours(trial), asked_in_registry(trial, registry)
    exact, edits = exact_hash(trial), best_edit_distance(trial)
    return [
        at_most("demographic_missed", 1 - result.recall, "share", goal=MISSED_GOAL),
        at_most("demographic_taken_wrongly", 1 - result.precision, "share", goal=WRONG_GOAL),
        at_most("demographic_query", result.milliseconds, "ms", goal=MILLISECONDS_GOAL),
        at_most("demographic_query_slowest_of_100", result.slowest, "ms", goal=4 * MILLISECONDS_GOAL),
        at_most("demographic_missed_in_registry", 1 - asked.recall, "share", goal=MISSED_GOAL),
        at_most("demographic_query_in_registry", asked.milliseconds, "ms", goal=MILLISECONDS_GOAL),
        against_floor(
            "demographic_error_exact_hash", result.error, "1 - F1", floor=exact.error, goal=ERROR_GOAL
        ),
        against_floor(
            "demographic_error_edit_distance", result.error, "1 - F1", floor=edits.error, goal=ERROR_GOAL
        ),
    ]


def asked_in_registry(trial: Trial, url: str | None = None) -> Outcome:
    """The same people in a registry of their own, or in the empty one at ``url``."""
    with tempfile.TemporaryDirectory() as folder:
        database = migrated(url or f"sqlite:///{Path(folder) / 'registry.db'}")
        try:
            return in_registry(trial, database)
        finally:
            database.close()


def main() -> int:
    """Measure a nation of the size asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.demographic_matching")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--registry", help="URL of an empty database, as postgresql+psycopg://...")
    options = parser.parse_args()
    figures = run(options.people, options.questions, options.registry)
    for figure in figures:
        print(json.dumps(figure))
    return 0 if all(figure["met"] for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
