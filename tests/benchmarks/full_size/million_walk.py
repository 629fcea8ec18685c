"""A million random events in whole offices, their records judged every hundred.

Judged are the invariants that an office's own records show: I1, I2, I4, I5, I6, I8, I9 and I10. Where the
others are walked at random stands in ``tests/properties/test_office_walk.py``. A broken invariant ends the
walk with the seed of its office.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figure import Figure, at_most
from tests.properties.many_walks import EVENTS_EACH, make_all
from tests.support.engines import Sqlite

EVENTS, FIRST_SEED = 1_000_000, 1_000
MOST_HOURS = 4.0


def run(events: int = EVENTS) -> list[Figure]:
    """Events that were not walked, and how long it took."""
    walks = max(1, events // EVENTS_EACH)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        seeds = range(FIRST_SEED, FIRST_SEED + walks)
        walked = make_all(
            Sqlite(folder), folder, seeds, min(events, EVENTS_EACH), os.cpu_count() or 1, lambda _: None
        )
    hours = (time.monotonic() - started) / 3600
    return [
        at_most("million_walk_events_missing", events - walked.events, f"of {events}", goal=0),
        at_most("million_walk_time", hours, "h", goal=MOST_HOURS),
    ]
