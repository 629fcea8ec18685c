"""The quickest strict walk over DER, for the two structures on passive authentication's hot path.

``step`` says where a value starts and ends and nothing else is made: no reader, no copy. In
exchange its caller has two duties. It compares where the last member of every structure ended
with the structure's own end, which finds every length that reaches too far or not far enough;
and it turns IndexError, which reading past the end of the data raises, into MalformedDocument.
"""

from __future__ import annotations

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
    if length == 0x82 and data[position]:
        start = position + 2
        return start, start + (data[position] << 8 | data[position + 1])
    if length == 0x81 and data[position] > 0x7F:
        start = position + 1
        return start, start + data[position]
    if length == 0x83 and data[position]:
        start = position + 3
        return start, start + int.from_bytes(data[position:start], "big")
    raise MalformedDocument(f"length at {position} is indefinite, too large or not in its shortest form")


def require_end(position: int, end: int) -> None:
    """The last member ended where its structure ends; else MalformedDocument."""
    if position != end:
        raise MalformedDocument(f"structure ends at {end}, its content at {position}")
