"""Tag-length-value in its strict DER form (ITU-T X.690, ISO/IEC 7816-4 5.2.2).

``DerReader`` walks a structure whose order is known; ``read_tlv`` and ``children`` are for
templates whose content is looked up by tag. Both believe a length only as far as the bytes
that are there, so a claimed length costs nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from verification.errors import LimitExceeded, MalformedDocument

_MORE_TAG_BYTES = 0x1F
_MAX_TAG_BYTES = 3
_MAX_LENGTH_BYTES = 4

MAX_CHILDREN = 1_024
"""Templates of documents have up to twenty members; 32,000 empty ones fit into a file."""

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
IA5_STRING = 0x16
SEQUENCE = 0x30
SET = 0x31


class Tlv(NamedTuple):
    """One data object; ``encoded`` is header and value exactly as they were read."""

    tag: int
    value: bytes
    encoded: bytes
    header_length: int


def read_tlv(data: bytes, offset: int = 0) -> Tlv:
    """Read the data object that starts at ``offset``; what follows it is left alone.

    Raises MalformedDocument for a header or value that does not fit into ``data`` and for a
    length that is not written in the shortest definite form.
    """
    tag, position = _read_tag(data, offset)
    length, start = _read_length(data, position)
    end = start + length
    if end > len(data):
        raise MalformedDocument(
            f"data object at {offset} claims {length} bytes, {len(data) - start} are left"
        )
    return Tlv(tag, data[start:end], data[offset:end], start - offset)


def children(value: bytes) -> list[Tlv]:
    """Split a constructed value into its data objects; they must fill it exactly.

    Raises MalformedDocument, or LimitExceeded for more of them than any genuine template has.
    """
    found: list[Tlv] = []
    position = 0
    while position < len(value):
        if len(found) == MAX_CHILDREN:
            raise LimitExceeded(f"more than {MAX_CHILDREN} data objects side by side")
        child = read_tlv(value, position)
        found.append(child)
        position += len(child.encoded)
    return found


def only(data: bytes, tag: int) -> bytes:
    """Return the value when ``data`` is exactly one data object with this tag."""
    found = read_tlv(data)
    if found.tag != tag:
        raise MalformedDocument(f"tag {tag:X} expected, {found.tag:X} found")
    if len(found.encoded) != len(data):
        raise MalformedDocument(f"{len(data) - len(found.encoded)} bytes after the data object {tag:X}")
    return found.value


def build(tag: int, value: bytes) -> bytes:
    """Encode one data object with the shortest definite length."""
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + encode_length(len(value)) + value


def build_integer(number: int) -> bytes:
    """Encode a non-negative INTEGER in the fewest octets (X.690, 8.3)."""
    return build(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def encode_length(length: int) -> bytes:
    """Encode a length in its shortest definite form (X.690, 10.1)."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def _read_tag(data: bytes, offset: int) -> tuple[int, int]:
    if not 0 <= offset < len(data):
        raise MalformedDocument(f"no data object at {offset}")
    end = offset + 1
    if data[offset] & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        # Numbers under 31 stand in the long form too: 5F01 is the LDS version of ICAO 9303-10.
        while True:
            if end >= len(data) or end - offset >= _MAX_TAG_BYTES:
                raise MalformedDocument(f"tag at {offset} does not end")
            end += 1
            if not data[end - 1] & 0x80:
                break
        if data[offset + 1] == 0x80:
            raise MalformedDocument(f"tag at {offset} is padded")
    return int.from_bytes(data[offset:end], "big"), end


def _read_length(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise MalformedDocument(f"no length at {position}")
    first = data[position]
    position += 1
    if first < 0x80:
        return first, position
    return _read_long_length(data, position, len(data), first)


def _read_long_length(data: bytes, position: int, end: int, first: int) -> tuple[int, int]:
    count = first & 0x7F
    start = position + count
    if not 0 < count <= _MAX_LENGTH_BYTES or start > end:
        raise MalformedDocument(f"length at {position - 1} is indefinite, too large or cut off")
    length = int.from_bytes(data[position:start], "big")
    # Shortest form: no long form under 128, no leading zero octet.
    if length < 0x80 or not data[position]:
        raise MalformedDocument(f"length at {position - 1} is not in its shortest form")
    return length, start


class DerReader:
    """A strict cursor over DER: each step names the tag it expects, nothing is skipped unseen.

    It stands on the hot path of passive authentication, so it copies only what is taken and
    keeps its steps short. Only single-byte tags occur there and only they are accepted.
    Every method raises MalformedDocument when the bytes are not what was asked for.
    """

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._position = start
        self._end = len(data) if end is None else end

    def _step(self, tag: int) -> int:
        """Move past one data object and return where its value starts; it ends at the cursor."""
        data = self._data
        position = self._position
        start = position + 2
        if start > self._end or data[position] != tag:
            raise MalformedDocument(f"tag {tag:02X} expected at {position}")
        length = data[start - 1]
        if length > 0x7F:
            length, start = _read_long_length(data, start, self._end, length)
        stop = start + length
        if stop > self._end:
            raise MalformedDocument(f"data object at {position} claims {length} bytes")
        self._position = stop
        return start

    def enter(self, tag: int) -> DerReader:
        """Step over a constructed data object and return a reader of its content."""
        start = self._step(tag)
        return DerReader(self._data, start, self._position)

    def take(self, tag: int) -> bytes:
        """Step over a data object and return its value."""
        start = self._step(tag)
        return self._data[start : self._position]

    def take_encoded(self, tag: int) -> bytes:
        """Step over a data object and return it whole, header included, as it was read."""
        begin = self._position
        self._step(tag)
        return self._data[begin : self._position]

    def take_integer(self) -> int:
        """Step over an INTEGER in its shortest form (X.690, 8.3.2) and return it."""
        value = self.take(INTEGER)
        if not value or (len(value) > 1 and value[0] in (0x00, 0xFF) and (value[0] ^ value[1]) < 0x80):
            raise MalformedDocument(f"INTEGER before {self._position} is not in its shortest form")
        return int.from_bytes(value, "big", signed=True)

    def peek(self) -> int | None:
        """Return the tag that comes next, or None at the end."""
        return self._data[self._position] if self._position < self._end else None

    def remaining(self) -> bytes:
        """Return what has not been read yet; the cursor stays."""
        return self._data[self._position : self._end]

    def finish(self) -> None:
        """Refuse bytes that nobody has read."""
        if self._position != self._end:
            raise MalformedDocument(f"{self._end - self._position} unread bytes at {self._position}")
