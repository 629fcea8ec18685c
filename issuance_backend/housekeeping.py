"""Duties that nobody waits for, and the rounds in which they are done."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from issuance_backend import worker_loop
from issuance_backend.worker_loop import Worker
from verification.errors import TransitionRefused, Unavailable

logger = logging.getLogger(__name__)


class Housekeeping:
    """Duties by what they leave behind; one that cannot be done now stops no other."""

    def __init__(self, duties: Mapping[str, Callable[[], int]]) -> None:
        self._duties = duties
        self._done: Counter[str] = Counter()

    def turn(self) -> int:
        """Do every duty once; how much there was to do."""
        done = 0
        for name, duty in self._duties.items():
            try:
                count = duty()
            except (Unavailable, TransitionRefused) as fault:
                # Two at once, or a store that does not answer: the next turn finds it again.
                logger.warning("duty put off", extra={"code": fault.code, "step": name})
                continue
            self._done[name] += count
            done += count
        return done

    @property
    def told(self) -> str:
        """What was done since the start."""
        return "; ".join(f"{self._done[name]} {name}" for name in self._duties)


def add_options(parser: argparse.ArgumentParser, pause: float) -> None:
    """How long, and how often: ``pause`` is in seconds."""
    worker_loop.add_options(parser)
    parser.add_argument("--every", type=float, default=pause, help="seconds between two rounds")


def keep_house(options: argparse.Namespace, duties: Mapping[str, Callable[[], int]]) -> str:
    """Do the duties for as long as was asked, and say what was done; raises ValueError."""
    if not options.every > 0:
        raise ValueError("there is a pause between two rounds")
    house = Housekeeping(duties)
    worker_loop.work(options, Worker(name="housekeeping", turn=house.turn, pause=options.every))
    return house.told
