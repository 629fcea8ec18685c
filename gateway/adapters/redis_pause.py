"""Leaving a Redis that gave no answer alone for a while: one slow request must not make all of them slow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class RedisPause:
    """Whether Redis is asked at all just now; shared by nobody, so each user finds out for itself."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether Redis may be asked."""
        return self._monotonic() >= self._until

    def begin(self, fault: Exception) -> None:
        """Redis gave no answer."""
        self._until = self._monotonic() + PAUSE_SECONDS
        logger.warning("redis gave no answer", extra={"fault": type(fault).__name__})
