"""How fast a core is just now, against the core that the goals in seconds were set for.

A shared machine gives the same program between all of a core and half of one from one minute to the next.
"""

from __future__ import annotations

import json
import time
from statistics import median

REFERENCE_SECONDS = 0.025
"""Of the processor for one round, while a machine of PERFORMANCE (two cores) did nothing else."""
SLOWEST = 2.0
"""Beyond this, a figure says nothing: it is held to twice its goal, and no further."""

_ROUNDS = 15


def pace() -> float:
    """How many times as long this core takes now as that one did: between 1 and ``SLOWEST``."""
    return min(max(median(_round() for _ in range(_ROUNDS)) / REFERENCE_SECONDS, 1.0), SLOWEST)


def _round() -> float:
    """Seconds of the processor for a fixed piece of everyday work: numbers, names, JSON."""
    began = time.process_time()
    sums: dict[int, int] = {}
    for number in range(60_000):
        sums[number % 997] = sums.get(number % 997, 0) + len(f"{number}:{number * 7}")
    names = {str(number): number for number in range(100)}
    for _ in range(300):
        names = json.loads(json.dumps(names))
    return time.process_time() - began
