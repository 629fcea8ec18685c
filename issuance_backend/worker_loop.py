"""How every worker of this office runs: with the same options, patient while something is missing, and
ended cleanly: SIGTERM and SIGINT are answered between two turns, never in the middle of one.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from monitoring import logs
from verification.errors import TransitionRefused, Unavailable

PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
"""Between two attempts while something that others provide is missing."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """``turn`` does some of what waits and says how much that was, 0 where nothing waits.

    ``pause`` is how long to wait then, in seconds; ``name`` stands in the log.
    """

    name: str
    turn: Callable[[], int]
    pause: float = PAUSE_SECONDS


def add_options(parser: argparse.ArgumentParser) -> None:
    """How long a worker works; until it is told to stop, where neither is given."""
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--once", action="store_true", help="take one turn and stop")
    how_long.add_argument("--until-idle", action="store_true", help="stop when nothing waits")


def work(options: argparse.Namespace, worker: Worker) -> int:
    """Work for as long as was asked, and return how much was done.

    Where several work in one process, ``options.ended`` tells all of them to stop. Raises Unavailable and
    TransitionRefused unless it works until it is told to stop: then it waits.
    """
    if options.once:
        return worker.turn()
    if "ended" in options:
        return work_until(worker, options.ended)
    logs.configure(worker.name)
    with told_to_stop() as ended:
        if options.until_idle:
            return _until_idle(worker, ended)
        return work_until(worker, ended)


def work_until(worker: Worker, ended: threading.Event) -> int:
    """Work until ended; while something is missing, ask ever more seldom. How much was done."""
    done, patience = 0, worker.pause
    while not ended.is_set():
        try:
            count = worker.turn()
        except (Unavailable, TransitionRefused) as fault:
            # Nothing is lost: what was begun is taken back, and found again by the next turn.
            logger.warning("work waits", extra={"code": fault.code, "worker": worker.name})
            ended.wait(patience)
            patience = min(2 * patience, max(LONGEST_PAUSE_SECONDS, worker.pause))
            continue
        patience = worker.pause
        done += count
        if not count:
            ended.wait(worker.pause)
    return done


def _until_idle(worker: Worker, ended: threading.Event) -> int:
    done = 0
    while not ended.is_set() and (count := worker.turn()):
        done += count
    return done


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """Set by SIGTERM or SIGINT while this lasts; for the main thread."""
    ended = threading.Event()
    former = {number: signal.signal(number, lambda *_: ended.set()) for number in _STOPPING}
    try:
        yield ended
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


_STOPPING = (signal.SIGTERM, signal.SIGINT)
