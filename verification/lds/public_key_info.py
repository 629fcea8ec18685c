"""SubjectPublicKeyInfo taken apart (RFC 5280, 4.1.2.7), before any key loader sees it."""

from __future__ import annotations

from typing import NamedTuple

from verification.encoding.der_scan import scan
from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE, DerReader
from verification.errors import MalformedDocument

EC_PUBLIC_KEY = "1.2.840.10045.2.1"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"


class PublicKeyInfo(NamedTuple):
    """The algorithm's dotted identifier, a reader of its parameters, and the octets of the key."""

    algorithm: str
    parameters: DerReader
    key: bytes


def read_public_key_info(encoded: bytes) -> PublicKeyInfo:
    """Take a key apart, the parameters still unread; raises MalformedDocument."""
    reader = DerReader(encoded)
    info = reader.enter(SEQUENCE)
    reader.finish()
    parameters = info.enter(SEQUENCE)
    algorithm = decode_oid(parameters.take(OBJECT_IDENTIFIER))
    bits = info.take(BIT_STRING)
    info.finish()
    # The first octet counts unused bits; a key always fills its octets.
    if len(bits) < 2 or bits[0]:
        raise MalformedDocument("public key is not a string of whole octets")
    return PublicKeyInfo(algorithm, parameters, bits[1:])


def read_rsa_numbers(key: bytes) -> tuple[int, int]:
    """Modulus and public exponent of an RSAPublicKey (RFC 8017, A.1.1); raises MalformedDocument."""
    reader = DerReader(key)
    numbers = reader.enter(SEQUENCE)
    reader.finish()
    modulus, exponent = numbers.take_integer(), numbers.take_integer()
    numbers.finish()
    return modulus, exponent


def require_public_key_info(encoded: bytes) -> None:
    """Refuse what is no key, or no DER within its limits; raises MalformedDocument."""
    scan(encoded)
    read_public_key_info(encoded)
