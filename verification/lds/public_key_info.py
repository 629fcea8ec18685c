"""The outer shape of a SubjectPublicKeyInfo, checked before any key loader sees it."""

from __future__ import annotations

from verification.encoding.der_scan import scan
from verification.encoding.tlv import BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE, DerReader
from verification.errors import MalformedDocument


def require_public_key_info(encoded: bytes) -> None:
    """Refuse bytes that are not algorithm and bit string (RFC 5280, 4.1); raises MalformedDocument."""
    scan(encoded)
    reader = DerReader(encoded)
    info = reader.enter(SEQUENCE)
    reader.finish()
    info.enter(SEQUENCE).take(OBJECT_IDENTIFIER)
    bits = info.take(BIT_STRING)
    info.finish()
    # The first octet counts unused bits; a key always fills its octets.
    if len(bits) < 2 or bits[0]:
        raise MalformedDocument("public key is not a string of whole octets")
