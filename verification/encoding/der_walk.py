"""The quickest strict walk over DER, for the two structures on passive authentication's hot path.

``step`` says where a value starts and ends and nothing else is made: no reader, no copy. In
exchange its caller has two duties. It compares where the last member of every structure ended
with the structure's own end, which finds every length that reaches too far or not far enough;
and it turns IndexError, which reading past the end of the data raises, into MalformedDocument.

Where data objects end together, ``headers_by_size`` spares the steps into them: one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from verification.encoding.tlv import encode_length
from verification.errors import MalformedDocument


def step(data: bytes, position: int, tag: int) -> tuple[int, int]:
    """Return start and end of the value of the data object at ``position``, which has this tag.

    Raises MalformedDocument for another tag or a length not in its shortest definite form.
    """
    if data[position] != tag:
        raise MalformedDocument(f"tag {tag:02X} expected at {position}")
    length = data[position + 1]
    position += 2
    if length < 0x80:
        return position, position + length
    # Shortest form (X.690, 10.1): no long form under 128, no leading zero octet.
    first = data[position]
    if length == 0x82 and first:
        start = position + 2
        return start, start + (first << 8 | data[position + 1])
    if length == 0x81 and first > 0x7F:
        start = position + 1
        return start, start + first
    if length == 0x83 and first:
        start = position + 3
        return start, start + int.from_bytes(data[position:start], "big")
    raise MalformedDocument(f"length at {position} is indefinite, too large or not in its shortest form")


def require_end(position: int, end: int) -> None:
    """The last member ended where its structure ends; else MalformedDocument."""
    if position != end:
        raise MalformedDocument(f"structure ends at {end}, its content at {position}")


def headers_by_size(*wrappers: tuple[int, bytes]) -> Callable[[int], bytes]:
    """Return what tells the octets before the innermost content of nested data objects, by their size.

    ``wrappers`` are the tag of each, the outermost first, and the members before the next one,
    which is the last member. DER leaves no choice, so comparing does what stepping into each of
    them does, at a fraction of the cost. Empty for a size that no such objects have.
    """
    return lru_cache(maxsize=256)(partial(_headers, wrappers))


def _headers(wrappers: Sequence[tuple[int, bytes]], size: int) -> bytes:
    headers = b""
    for tag, members in wrappers:
        length = _length_within(size)
        if length < len(members):
            return b""
        headers += bytes((tag,)) + encode_length(length) + members
        size = length - len(members)
    return headers


def _length_within(size: int) -> int:
    """The length that a data object of ``size`` octets states; -1 where none up to 64 KiB has this size."""
    for header in (2, 3, 4):
        if size >= header and len(encode_length(size - header)) == header - 1:
            return size - header
    return -1
