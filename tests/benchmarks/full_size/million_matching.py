"""Demographic matching among a labelled million, with questions enough for an interval.

60,000 questions, half of them about registered people: at 99.6 % Wilson's interval is +-0.07 %, so that the
bounds of recall and precision (95 %) are held, not the estimates. The two plain methods are asked every
thirtieth of the same questions, and so is what they are compared with; the registry's own SQL is as well.
The goal is the median's; mean and 99 of a hundred are told beside it.
"""

from __future__ import annotations

import sys

from issuance_backend.biometric_search.adjudication import wilson
from tests.benchmarks.demographic_matching import (
    ERROR_GOAL,
    MILLISECONDS_GOAL,
    MISSED_GOAL,
    SEED,
    WRONG_GOAL,
    asked_in_registry,
)
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support.matching_trial import Trial, best_edit_distance, exact_hash, make_trial, ours

PEOPLE, QUESTIONS, EVERY = 1_000_000, 60_000, 30


def run(people: int = PEOPLE, questions: int = QUESTIONS, every: int = EVERY) -> list[Figure]:
    """The bounds, the time of a question, and the errors beside those of the plain methods."""
    trial = make_trial(people, questions, SEED)
    some = Trial(trial.people, trial.questions[::every])
    result, partly = ours(trial), ours(some)
    exact, edits = exact_hash(some), best_edit_distance(some)
    asked = asked_in_registry(some)
    print(f"in memory: {result.times}; through SQL: {asked.times}", file=sys.stderr, flush=True)
    recall, _ = _bounds(result.found, result.missed)
    precision, _ = _bounds(result.found, result.wrong)
    return [
        at_most("million_missed_upper_bound", 1 - recall, "share", goal=MISSED_GOAL),
        at_most("million_taken_wrongly_upper_bound", 1 - precision, "share", goal=WRONG_GOAL),
        at_most("million_query", result.milliseconds, "ms", goal=MILLISECONDS_GOAL),
        at_most("million_query_in_registry", asked.milliseconds, "ms", goal=MILLISECONDS_GOAL),
        against_floor("million_error_exact_hash", partly.error, "1 - F1", floor=exact.error, goal=ERROR_GOAL),
        against_floor(
            "million_error_edit_distance", partly.error, "1 - F1", floor=edits.error, goal=ERROR_GOAL
        ),
    ]


def _bounds(right: int, wrong: int) -> tuple[float, float]:
    """Between which shares of what is right the truth lies, at 95 %."""
    _, low, high = wilson(right, right + wrong)
    return low, high
