"""Ten million citizen numbers out of one database (F34): none twice, and what one costs."""

from __future__ import annotations

from tests.benchmarks import number_issue
from tests.benchmarks.figure import Figure

NUMBERS = 10_000_000


def run() -> list[Figure]:
    """The figures of the smaller run, at full size."""
    return number_issue.run(NUMBERS)
