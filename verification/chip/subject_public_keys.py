"""The chip's own public keys in DG14 and DG15, as SubjectPublicKeyInfo (RFC 5480, RFC 3279).

Chips write their curve by name, by a standardised number, or by all its values. The last is
taken only where every value is that of a curve we know: a curve with another base point or
coefficient would make a key whose private part anybody can find.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verification.chip.elliptic_curves import BY_OID, BY_PARAMETER_ID, CURVES, Curve, Point
from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
)
from verification.errors import LimitExceeded, MalformedDocument

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_STANDARDISED_PARAMETERS = "0.4.0.127.0.7.1.2"
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_PRIME_FIELD = "1.2.840.10045.1.1"

_NULL = 0x05

_MIN_MODULUS_BITS = 1024  # what the worked example of ICAO 9303-11, appendix F, uses
_MAX_MODULUS_BITS = 4096
_MAX_EXPONENT_BITS = 64  # a genuine exponent is small; a long one only costs time


class EcKey(NamedTuple):
    """A public point and its curve."""

    curve: Curve
    key: ec.EllipticCurvePublicKey


class RsaKey(NamedTuple):
    """A modulus and public exponent."""

    modulus: int
    exponent: int


def load_public_key(public_key_info: bytes) -> EcKey | RsaKey:
    """The key; raises MalformedDocument where it is none, or none this product computes with."""
    whole = DerReader(public_key_info)
    info = whole.enter(SEQUENCE)
    whole.finish()
    algorithm = info.enter(SEQUENCE)
    kind = decode_oid(algorithm.take(OBJECT_IDENTIFIER))
    content = info.take(BIT_STRING)[1:]  # the first octet counts unused bits
    info.finish()
    if kind == _RSA_ENCRYPTION:
        if algorithm.peek() is not None and algorithm.take(_NULL):
            raise MalformedDocument("parameters of an RSA key are not NULL")
        algorithm.finish()
        return _rsa_key(content)
    curve = _curve_of(kind, algorithm)
    return EcKey(curve, curve.decode(content))


def _rsa_key(content: bytes) -> RsaKey:
    whole = DerReader(content)
    numbers = whole.enter(SEQUENCE)
    whole.finish()
    key = RsaKey(numbers.take_integer(), numbers.take_integer())
    numbers.finish()
    if not _MIN_MODULUS_BITS <= key.modulus.bit_length() <= _MAX_MODULUS_BITS:
        raise LimitExceeded("RSA modulus too short or too long")
    if not 3 <= key.exponent < 1 << _MAX_EXPONENT_BITS or not key.exponent & 1 or not key.modulus & 1:
        raise MalformedDocument("not an RSA public key")
    return key


def _curve_of(kind: str, algorithm: DerReader) -> Curve:
    curve = None
    if kind == _STANDARDISED_PARAMETERS:
        curve = BY_PARAMETER_ID.get(algorithm.take_integer())
    elif kind == _EC_PUBLIC_KEY and algorithm.peek() == OBJECT_IDENTIFIER:
        curve = BY_OID.get(decode_oid(algorithm.take(OBJECT_IDENTIFIER)))
    elif kind == _EC_PUBLIC_KEY:
        curve = _explicit_curve(algorithm.enter(SEQUENCE))
    algorithm.finish()
    if curve is None:
        raise MalformedDocument("public key of an unknown kind or on an unknown curve")
    return curve


def _explicit_curve(parameters: DerReader) -> Curve | None:
    """The curve all of whose values stand in ``parameters`` (ECParameters, RFC 3279, 2.3.5)."""
    parameters.take_integer()  # version
    field = parameters.enter(SEQUENCE)
    if decode_oid(field.take(OBJECT_IDENTIFIER)) != _PRIME_FIELD:
        return None
    p = field.take_integer()
    coefficients = parameters.enter(SEQUENCE)
    a = int.from_bytes(coefficients.take(OCTET_STRING), "big")
    b = int.from_bytes(coefficients.take(OCTET_STRING), "big")
    base = parameters.take(OCTET_STRING)
    n = parameters.take_integer()
    cofactor = parameters.take_integer() if parameters.peek() == INTEGER else 1
    if cofactor != 1:
        return None
    for curve in CURVES:
        if (curve.p, curve.a, curve.b, curve.n) == (p, a, b, n) and _is_base(curve, base):
            return curve
    return None


def _is_base(curve: Curve, octets: bytes) -> bool:
    base: Point = curve.base
    compressed = bytes((0x02 | base.y & 1,)) + curve.octets(base.x)
    return octets in (curve.encode(base), compressed)
