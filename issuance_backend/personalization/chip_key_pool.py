"""Keys of chips made ahead: while a chip is written or the line stands, never while a card waits.

They lie in memory only. What a killed worker had made is gone, and no key is ever on two cards.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

from issuance_backend.personalization.data_preparation import ChipKeys

POOL_SIZE = 64


class ChipKeyPool:
    """Pairs of keys ready to take; a thread of its own fills it inside a ``with`` block."""

    def __init__(self, size: int = POOL_SIZE, make: Callable[[], ChipKeys] = ChipKeys.made) -> None:
        self._size = size
        self._make = make
        self._ready: deque[ChipKeys] = deque()
        self._changed = threading.Condition()
        self._ends = False
        self._filler: threading.Thread | None = None

    def take(self) -> ChipKeys:
        """Keys that nobody had before: ready ones, or new ones where none are ready."""
        with self._changed:
            if self._ready:
                self._changed.notify_all()
                return self._ready.popleft()
        return self._make()

    def fill(self) -> None:
        """Make keys until the pool is full."""
        while self._has_room():
            keys = self._make()
            with self._changed:
                self._ready.append(keys)
                self._changed.notify_all()

    def __enter__(self) -> ChipKeyPool:
        """Begin to fill in the background."""
        self._ends = False
        self._filler = threading.Thread(target=self._fill_on, name="chip keys", daemon=True)
        self._filler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop filling and forget what was not used."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._filler is not None:
            self._filler.join()
        self._ready.clear()

    def _fill_on(self) -> None:
        while not self._ends:
            self.fill()
            with self._changed:
                self._changed.wait_for(lambda: self._ends or len(self._ready) < self._size)

    def _has_room(self) -> bool:
        with self._changed:
            return not self._ends and len(self._ready) < self._size
