"""How often anybody may call what is open to all: so often an address in a minute, and so often all of them.

Each process counts for itself. Only calls that were let pass are counted: one caller who is refused uses up
nobody else's, and what is remembered never grows beyond ``in_all`` addresses.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter
from collections.abc import Callable

WINDOW_SECONDS = 60
_HOME_NETWORK = 64
"""Whoever has one IPv6 address has the whole network of them."""


class CallLimits:
    """Counts calls by the minute."""

    def __init__(self, per_address: int, in_all: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_address = per_address
        self._in_all = in_all
        self._clock = clock
        self._minute = -1
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def admits(self, address: str) -> bool:
        """Whether one more call of this address is within the limits; it is counted if so."""
        caller, minute = _caller(address), int(self._clock() // WINDOW_SECONDS)
        with self._lock:
            if minute != self._minute:
                self._minute, self._calls = minute, Counter()
            if self._calls[caller] >= self._per_address or self._calls.total() >= self._in_all:
                return False
            self._calls[caller] += 1
            return True


def _caller(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _HOME_NETWORK), strict=False))
