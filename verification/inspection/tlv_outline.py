"""The outline of any file: tags and lengths, never a value, so that it holds no person's data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from verification.encoding.tlv import read_tlv
from verification.errors import MalformedDocument

MAX_DEPTH = 12
MAX_LINES = 400
"""A portrait's container has about twenty data objects, a certificate about eighty."""

_CONSTRUCTED = 0x20


class OutlineLine(NamedTuple):
    """One data object: where it starts, how deep it lies, its tag and the length of its value."""

    offset: int
    depth: int
    tag: int
    length: int

    def __str__(self) -> str:
        return f"{self.offset:5} {'  ' * self.depth}{self.tag:02X} {self.length}"


def outline(encoded: bytes) -> list[str]:
    """A line for each data object, as far as they can be told apart; what remains is counted."""
    lines: list[str] = []
    for line in _walk(encoded, 0, 0):
        if len(lines) == MAX_LINES:
            return [*lines, "..."]
        lines.append(str(line) if isinstance(line, OutlineLine) else line)
    return lines


def _walk(data: bytes, offset: int, depth: int) -> Iterator[OutlineLine | str]:
    position = 0
    while position < len(data):
        try:
            found = read_tlv(data, position)
        except MalformedDocument:
            yield f"{offset + position:5} {'  ' * depth}{len(data) - position} bytes that are no data object"
            return
        start = offset + position
        yield OutlineLine(start, depth, found.tag, len(found.value))
        if _is_constructed(found.encoded[0]) and depth < MAX_DEPTH:
            yield from _walk(found.value, start + found.header_length, depth + 1)
        position += len(found.encoded)


def _is_constructed(first: int) -> bool:
    return bool(first & _CONSTRUCTED)
