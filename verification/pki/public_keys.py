"""Public keys from SubjectPublicKeyInfo, named or with explicit curve parameters (RFC 5480; 9303-12, 4.4).

Nearly every real EC key of a document PKI writes its curve out in full. Such a key is accepted
when every value is that of a curve we know, and refused otherwise: a curve that shares only
its prime with a good one can be made to give away signatures.
"""

from __future__ import annotations

from typing import NamedTuple, TypeGuard

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from verification.encoding.object_identifier import build_oid, encode_oid
from verification.encoding.tlv import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
    build,
)
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.pki.curves import CURVES, DomainParameters

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""A larger modulus only costs time: verification grows with its square."""

_EC_PUBLIC_KEY = encode_oid("1.2.840.10045.2.1")
_RSA_ENCRYPTION = encode_oid("1.2.840.113549.1.1.1")
_RSASSA_PSS = encode_oid("1.2.840.113549.1.1.10")
_PRIME_FIELD = encode_oid("1.2.840.10045.1.1")
_ACCEPTED_CURVES = frozenset(parameters.curve.name for parameters in CURVES)
_UNCOMPRESSED = 0x04


class _UsualForm(NamedTuple):
    """The one DER form of a key on a named curve with an uncompressed point, up to that point."""

    curve: ec.EllipticCurve
    before_point: bytes


def _usual_form(known: DomainParameters) -> tuple[int, _UsualForm]:
    algorithm = build(SEQUENCE, build(OBJECT_IDENTIFIER, _EC_PUBLIC_KEY) + build_oid(known.oid))
    point_size = 1 + 2 * ((known.p.bit_length() + 7) // 8)
    encoded = build(SEQUENCE, algorithm + build(BIT_STRING, bytes(1 + point_size)))
    return len(encoded), _UsualForm(known.curve, encoded[:-point_size])


# By length, which differs from curve to curve: comparing a prefix costs a fifth of a walk.
_USUAL_FORMS = dict(_usual_form(known) for known in CURVES)


def load_public_key(public_key_info: bytes) -> PublicKey:
    """Return the key; raises MalformedDocument, or AlgorithmRefused for one we do not rely on."""
    usual = _USUAL_FORMS.get(len(public_key_info))
    if usual is not None and public_key_info.startswith(usual.before_point):
        return _ec_key(usual.curve, public_key_info[len(usual.before_point) :])
    outer = DerReader(public_key_info)
    info = outer.enter(SEQUENCE)
    outer.finish()
    algorithm = info.enter(SEQUENCE)
    kind = algorithm.take(OBJECT_IDENTIFIER)
    bits = info.take(BIT_STRING)
    info.finish()
    if not bits or bits[0]:
        raise MalformedDocument("public key is not a whole number of octets")
    if kind == _EC_PUBLIC_KEY:
        if algorithm.peek() == SEQUENCE:
            return _explicit_ec_key(algorithm.enter(SEQUENCE), bits[1:])
        return _named_ec_key(public_key_info)
    if kind in (_RSA_ENCRYPTION, _RSASSA_PSS):
        return _rsa_key(bits[1:])
    raise AlgorithmRefused("public key of an unknown kind")


def _named_ec_key(public_key_info: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public_key_info)
    except UnsupportedAlgorithm:
        raise AlgorithmRefused("public key on an unknown curve") from None
    except ValueError:
        raise MalformedDocument("public key is not a point of its curve") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _ACCEPTED_CURVES:
        raise AlgorithmRefused("public key on a curve we do not rely on")
    return key


def _explicit_ec_key(parameters: DerReader, point: bytes) -> ec.EllipticCurvePublicKey:
    return _ec_key(_named_curve(parameters), point)


def _ec_key(curve: ec.EllipticCurve, point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError:
        raise MalformedDocument("public key is not a point of its curve") from None


def is_ec_key(key: PublicKey) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Whether this is an EC key; on the hot path, where asking an abstract class is dear."""
    return type(key) is _EC_KEY_TYPE


def _named_curve(parameters: DerReader) -> ec.EllipticCurve:
    """Match SpecifiedECDomain (X9.62; RFC 3279, 2.3.5) with a curve we know, value by value."""
    if parameters.take_integer() not in (1, 2, 3):
        raise MalformedDocument("curve parameters of an unknown version")
    field = parameters.enter(SEQUENCE)
    if field.take(OBJECT_IDENTIFIER) != _PRIME_FIELD:
        raise AlgorithmRefused("curve over another field than a prime one")
    p = field.take_integer()
    field.finish()
    equation = parameters.enter(SEQUENCE)
    a, b = (int.from_bytes(equation.take(OCTET_STRING), "big") for _ in range(2))
    if equation.peek() == BIT_STRING:
        equation.take(BIT_STRING)  # The seed tells how b was found; the curve is fixed without it.
    equation.finish()
    base = parameters.take(OCTET_STRING)
    n = parameters.take_integer()
    cofactor = parameters.take_integer() if parameters.peek() == INTEGER else 1
    parameters.finish()
    for known in CURVES:
        same_curve = (p, a, b, n, cofactor) == (known.p, known.a, known.b, known.n, 1)
        if same_curve and base in _base_points(known):
            return known.curve
    raise AlgorithmRefused("explicit curve parameters of no curve we know")


def _base_points(known: DomainParameters) -> tuple[bytes, bytes]:
    """The base point uncompressed and compressed (SEC 1, 2.3.3)."""
    size = (known.p.bit_length() + 7) // 8
    x, y = known.x.to_bytes(size, "big"), known.y.to_bytes(size, "big")
    return bytes((_UNCOMPRESSED,)) + x + y, bytes((2 + known.y % 2,)) + x


def _rsa_key(encoded: bytes) -> rsa.RSAPublicKey:
    outer = DerReader(encoded)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    modulus, exponent = reader.take_integer(), reader.take_integer()
    reader.finish()
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise AlgorithmRefused(f"RSA key of {modulus.bit_length()} bits")
    # Real CSCAs use 3, 65537 and odd numbers between; an even one is no exponent at all.
    if exponent < 3 or not exponent % 2 or exponent.bit_length() > 64:
        raise AlgorithmRefused("RSA exponent out of range")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise MalformedDocument("RSA numbers are no key") from None


_EC_KEY_TYPE = type(_ec_key(CURVES[0].curve, _base_points(CURVES[0])[0]))
