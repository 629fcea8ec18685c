"""Limits on DER before any parser sees a byte.

A 120 KB OBJECT IDENTIFIER keeps a general parser busy for seconds and deep nesting ends in a
RecursionError. This scan walks headers only, without recursion, and costs microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.object_identifier import MAX_OID
from verification.encoding.tlv import INTEGER, OBJECT_IDENTIFIER
from verification.errors import LimitExceeded, MalformedDocument

_CONSTRUCTED = 0x20
_INDEFINITE = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a genuine structure stays under; sizes in bytes."""

    total: int = 65_535
    depth: int = 24
    elements: int = 4_096
    object_identifier: int = MAX_OID
    integer: int = 1_024


DEFAULT = Limits()


def scan(encoded: bytes, limits: Limits = DEFAULT) -> None:
    """Refuse bytes that are not exactly one well-formed data object within the limits.

    Raises LimitExceeded when a limit is passed and MalformedDocument when lengths do not add
    up. Content of primitive strings is opaque: what is parsed out of them is scanned again.
    """
    if len(encoded) > limits.total:
        raise LimitExceeded(f"{len(encoded)} bytes, {limits.total} are allowed")
    _Scan(encoded, limits).run()


class _Scan:
    __slots__ = ("_count", "_data", "_ends", "_limits", "_position")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._position = 0
        self._count = 0
        # Ends of the open constructed objects, the innermost last.
        self._ends: list[int] = []

    def run(self) -> None:
        self._element()
        while self._ends:
            if self._ends[-1] == self._position:
                self._ends.pop()
            else:
                self._element()
        if self._position != len(self._data):
            raise MalformedDocument(f"{len(self._data) - self._position} bytes after the structure")

    def _element(self) -> None:
        self._count += 1
        if self._count > self._limits.elements:
            raise LimitExceeded(f"more than {self._limits.elements} data objects")
        tag = self._octet()
        if tag & 0x1F == 0x1F:
            self._long_tag()
        length = self._length()
        if tag & _CONSTRUCTED:
            self._open(length)
        else:
            self._pass_over(tag, length)

    def _open(self, length: int) -> None:
        if len(self._ends) >= self._limits.depth:
            raise LimitExceeded(f"nested deeper than {self._limits.depth}")
        self._ends.append(self._end_after(length))

    def _pass_over(self, tag: int, length: int) -> None:
        if tag == OBJECT_IDENTIFIER and length > self._limits.object_identifier:
            raise LimitExceeded(f"object identifier of {length} bytes")
        if tag == INTEGER and length > self._limits.integer:
            raise LimitExceeded(f"integer of {length} bytes")
        self._position = self._end_after(length)

    def _end_after(self, length: int) -> int:
        """Where a value of this length ends; it may not pass the end of what encloses it."""
        end = self._position + length
        if end > (self._ends[-1] if self._ends else len(self._data)):
            raise MalformedDocument(f"data object at {self._position} claims {length} bytes")
        return end

    def _octet(self) -> int:
        if self._position >= len(self._data):
            raise MalformedDocument("structure is cut off")
        octet = self._data[self._position]
        self._position += 1
        return octet

    def _long_tag(self) -> None:
        octets = 1
        while self._octet() & 0x80:
            octets += 1
            if octets > 3:
                raise LimitExceeded("tag of more than four bytes")

    def _length(self) -> int:
        first = self._octet()
        if first < 0x80:
            return first
        if first == _INDEFINITE:
            raise MalformedDocument(f"indefinite length at {self._position - 1}")
        octets = bytes(self._octet() for _ in range(min(first & 0x7F, 9)))
        length = int.from_bytes(octets, "big")
        if len(octets) > 8:
            raise LimitExceeded("length of more than eight bytes")
        if length < 0x80 or not octets[0]:
            raise MalformedDocument(f"length before {self._position} is not in its shortest form")
        return length
