"""Rewriting BER's indefinite lengths, which some issuers' EF.SOD still have, as definite ones.

Only the wrappers are rewritten. Whatever is written with definite lengths throughout (the
certificate, the signed attributes, the content of an OCTET STRING) keeps its very bytes,
because hashes and signatures are taken over those.
"""

from __future__ import annotations

from verification.encoding.tlv import OCTET_STRING, build
from verification.errors import LimitExceeded, MalformedDocument

MAX_DEPTH = 24
"""Deeper than any signed structure of a document; the walk below recurses."""

_CONSTRUCTED = 0x20
_MORE_TAG_BYTES = 0x1F
_INDEFINITE = 0x80
_CONSTRUCTED_OCTET_STRING = OCTET_STRING | _CONSTRUCTED


def with_definite_lengths(encoded: bytes) -> bytes:
    """Return the same structure with definite lengths; equal to ``encoded`` when it has them.

    Raises MalformedDocument for what is not BER and LimitExceeded for what nests too deep.
    """
    rewritten, end = _rewrite(encoded, 0, len(encoded), 0)
    if end != len(encoded):
        raise MalformedDocument(f"{len(encoded) - end} bytes after the structure")
    return rewritten


def _rewrite(data: bytes, position: int, limit: int, depth: int) -> tuple[bytes, int]:
    """Rewrite the data object at ``position``; also return where the next one starts."""
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"nested deeper than {MAX_DEPTH}")
    if position + 2 > limit:
        raise MalformedDocument(f"no data object at {position}")
    tag = data[position]
    if tag & _MORE_TAG_BYTES == _MORE_TAG_BYTES:
        # No structure of CMS has such a tag; reading on would take its second octet for a length.
        raise MalformedDocument(f"tag of several octets at {position}")
    start, end = _extent(data, position, limit)
    if end is None:
        content, end = _rewrite_until_end_of_contents(data, start, limit, depth)
        return _wrap(tag, content), end
    if not tag & _CONSTRUCTED:
        return data[position:end], end
    content = _rewrite_all(data, start, end, depth)
    unchanged = b"".join(content) == data[start:end] and tag != _CONSTRUCTED_OCTET_STRING
    return (data[position:end] if unchanged else _wrap(tag, content)), end


def _extent(data: bytes, position: int, limit: int) -> tuple[int, int | None]:
    """Where the value starts and ends; the end is None for an indefinite length."""
    first = data[position + 1]
    start = position + 2
    if first == _INDEFINITE:
        if not data[position] & _CONSTRUCTED:
            raise MalformedDocument(f"primitive of indefinite length at {position}")
        return start, None
    if first > _INDEFINITE:
        octets = first & 0x7F
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    else:
        length = first
    if start + length > limit:
        raise MalformedDocument(f"data object at {position} claims {length} bytes")
    return start, start + length


def _rewrite_all(data: bytes, position: int, end: int, depth: int) -> list[bytes]:
    content = []
    while position < end:
        child, position = _rewrite(data, position, end, depth + 1)
        content.append(child)
    return content


def _rewrite_until_end_of_contents(
    data: bytes, position: int, limit: int, depth: int
) -> tuple[list[bytes], int]:
    content = []
    while data[position : position + 2] != b"\x00\x00":
        child, position = _rewrite(data, position, limit, depth + 1)
        content.append(child)
    return content, position + 2


def _wrap(tag: int, content: list[bytes]) -> bytes:
    if tag != _CONSTRUCTED_OCTET_STRING:
        return build(tag, b"".join(content))
    # The segments of a constructed OCTET STRING are themselves OCTET STRINGs (X.690, 8.7.3).
    joined = []
    for segment in content:
        start, end = _extent(segment, 0, len(segment))
        if segment[0] != OCTET_STRING or end is None:
            raise MalformedDocument("segment of an OCTET STRING is something else")
        joined.append(segment[start:end])
    return build(OCTET_STRING, b"".join(joined))
