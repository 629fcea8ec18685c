"""A time that a test holds a program to: one that is missed is told from an answer that is wrong.

These machines are shared: a disk or a core that stands still for a second is nobody's mistake, and noise
only ever adds time, to the processor's own clock too. A test that is ``alone`` or ``timed`` and was
``TooSlow`` is therefore made again, three times in all (``tests/conftest.py``); whatever else is wrong with
it fails at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TIMES_MADE = 3


class TooSlow(AssertionError):
    """Everything was right but the time."""


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """What is done inside has to be done in less than ``seconds`` by a clock, that on the wall or another."""
    began = clock()
    yield
    require_in_time(clock() - began, seconds)


def is_too_slow(error: BaseException | None) -> bool:
    """Whether this is what was wrong, and not something that followed from it."""
    return isinstance(error, TooSlow)


def require_in_time(took: float, limit: float) -> None:
    """Raises TooSlow unless what ``took`` so many seconds took less than its ``limit``."""
    if took >= limit:
        raise TooSlow(f"{took:.3f} s, and {limit:g} s are allowed")
