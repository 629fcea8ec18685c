"""The counter's reader as people treat it: plugged in late, unplugged, plugged in again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reader_agent.ports import CardReader, ConnectedCard
from verification.errors import ReaderNotFound, ReaderUnplugged

OpenReader = Callable[[str], CardReader]


class AttachedReader:
    """A CardReader that looks for its reader again whenever it was not there."""

    def __init__(self, pattern: str, open_reader: OpenReader) -> None:
        self._pattern = pattern
        self._open = open_reader
        self._lock = threading.Lock()
        self._reader: CardReader | None = None

    @property
    def name(self) -> str:
        """The reader's name; raises ReaderNotFound or ReaderUnplugged."""
        with self._lock:
            return self._attached().name

    def wait_for_card(self, timeout: float) -> bool:
        """As CardReader; raises ReaderNotFound or ReaderUnplugged."""
        with self._lock:
            try:
                return self._attached().wait_for_card(timeout)
            except (ReaderUnplugged, ReaderNotFound):
                self._reader = None
                raise

    def connect(self) -> ConnectedCard:
        """As CardReader."""
        with self._lock:
            return self._attached().connect()

    def _attached(self) -> CardReader:
        if self._reader is None:
            self._reader = self._open(self._pattern)
        return self._reader
