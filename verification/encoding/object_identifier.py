"""Object identifiers between their dotted and their encoded form (X.690, 8.19)."""

from __future__ import annotations

from functools import lru_cache

from verification.encoding.tlv import OBJECT_IDENTIFIER, build
from verification.errors import LimitExceeded, MalformedDocument

MAX_OID = 64
"""Octets; the longest identifier met in a document or certificate has 12."""


@lru_cache(maxsize=256)
def decode_oid(value: bytes) -> str:
    """Return the dotted form of an OBJECT IDENTIFIER's value (without tag and length).

    Raises LimitExceeded above 64 octets and MalformedDocument when an arc is padded or cut.
    """
    if len(value) > MAX_OID:
        raise LimitExceeded(f"object identifier of {len(value)} bytes")
    if not value or value[-1] & 0x80:
        raise MalformedDocument("object identifier is empty or cut off")
    arcs = []
    arc = 0
    for octet in value:
        if not arc and octet == 0x80:
            raise MalformedDocument("object identifier arc is padded")
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    # The first two arcs share one number; the root arc is 0, 1 or 2.
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, (root, arcs[0] - 40 * root, *arcs[1:])))


@lru_cache(maxsize=256)
def encode_oid(dotted: str) -> bytes:
    """Return the value octets of a dotted identifier; ValueError when it is none.

    The text comes from our own tables, never from a document: a mistake here is ours.
    """
    arcs = [int(arc) for arc in dotted.split(".")]
    if len(arcs) < 2 or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError("not an object identifier")
    return b"".join(_encode_arc(arc) for arc in (40 * arcs[0] + arcs[1], *arcs[2:]))


def build_oid(dotted: str) -> bytes:
    """Return the whole data object, tag and length included."""
    return build(OBJECT_IDENTIFIER, encode_oid(dotted))


def _encode_arc(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(reversed(octets))
