"""The walks of ``test_office_walk`` as long as one likes: ``python -m tests.properties --events 1000000``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.properties.many_walks import EVENTS_EACH, make_all
from tests.support.engines import Engine, Postgres, Sqlite


def main() -> int:
    """Walk, and say how far it went; an invariant that is broken ends it with its number and seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--programs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first-seed", type=int, default=1_000)
    asked = parser.parse_args()
    walks = max(1, asked.events // EVENTS_EACH)
    seeds = range(asked.first_seed, asked.first_seed + walks)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        server = Postgres(folder)
        engine: Engine = server
        if asked.engine == "sqlite":
            engine = Sqlite(folder)
        else:
            server.start()
        try:
            events = min(asked.events, EVENTS_EACH)
            walked = make_all(engine, folder, seeds, events, asked.programs, _shown(walks))
        finally:
            server.stop()
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{walked.events} random events in {walks} offices on {asked.engine}: {walked.done} done, "
        f"the others refused; {walked.lines} lines recorded, every invariant held; {seconds:.0f} s\n"
    )
    return 0


def _shown(walks: int) -> Callable[[int], None]:
    def show(ended: int) -> None:
        sys.stderr.write(f"\r{ended} of {walks} offices walked")
        sys.stderr.write("\n" * (ended == walks))
        sys.stderr.flush()

    return show


if __name__ == "__main__":
    sys.exit(main())
