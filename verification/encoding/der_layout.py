"""Where the fields of a structure stand, learnt from one that was walked.

Documents that one issuer makes differ in their fields and in nothing around them: tags, lengths,
identifiers and versions are the same octets in the same places. A walk is decided by those alone,
so that it would take the same course through the next document; one comparison says so, at a
tenth of the walk's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Generic, NamedTuple, TypeVar

Places = TypeVar("Places")

MAX_SIZES = 256
"""Sizes of data kept at a time; an issuer's documents come in a few dozen."""
MAX_ALIKE = 4
"""Layouts of one size: ECDSA signatures and serial numbers vary by an octet or two."""
MAX_OCTETS = 1_024
"""Around the fields; genuine documents have 100 to 300."""


class _Layout(NamedTuple, Generic[Places]):
    """``around`` cuts out all octets that a walk looks at; ``octets`` are what they have to be."""

    around: Callable[[bytes], tuple[bytes, ...]]
    octets: tuple[bytes, ...]
    places: Places


class KnownLayouts(Generic[Places]):
    """What walks found, to be used again; safe to share between threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[_Layout[Places], ...]] = {}

    def find(self, data: bytes, begin: int) -> Places | None:
        """What a walk from ``begin`` through ``data`` would find; None when only the walk can tell."""
        for known in self._known.get((begin, len(data)), ()):
            if known.around(data) == known.octets:
                return known.places
        return None

    def learn(self, data: bytes, begin: int, places: Places, unread: Iterable[slice]) -> None:
        """Keep what the walk from ``begin`` through ``data`` found.

        ``unread`` are values that it passed over without a look at any octet of them, in the order
        of the data. One that is left out only makes the layout fit fewer documents.
        """
        alike = self._known.get((begin, len(data)), ())
        if len(alike) >= MAX_ALIKE:
            return
        pieces, position, octets = "", 0, len(data)
        for value in unread:
            size = value.stop - value.start
            pieces += f"{value.start - position}s{size}x"
            position = value.stop
            octets -= size
        if octets > MAX_OCTETS:
            return
        if len(self._known) >= MAX_SIZES:
            self._known.clear()
        around = Struct(f"{pieces}{len(data) - position}s").unpack
        self._known[begin, len(data)] = (*alike, _Layout(around, around(data), places))
