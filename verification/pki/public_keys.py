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

from verification.encoding.curve_parameters import (
    CURVES,
    PARAMETERS_BY_NAME,
    DomainParameters,
    read_explicit_parameters,
)
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, SEQUENCE, DerReader, build
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.lds.public_key_info import (
    EC_PUBLIC_KEY,
    RSA_ENCRYPTION,
    read_public_key_info,
    read_rsa_numbers,
)

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""A larger modulus only costs time: verification grows with its square."""

_RSASSA_PSS = "1.2.840.113549.1.1.10"
# A document's signature is relied on for decades: curves of 256 bits and more.
_RELIED_ON: dict[str, ec.EllipticCurve] = {
    curve.name: curve
    for curve in (
        ec.SECP256R1(),
        ec.SECP384R1(),
        ec.SECP521R1(),
        ec.BrainpoolP256R1(),
        ec.BrainpoolP384R1(),
        ec.BrainpoolP512R1(),
    )
}


class _UsualForm(NamedTuple):
    """The one DER form of a key on a named curve with an uncompressed point, up to that point."""

    curve: ec.EllipticCurve
    before_point: bytes


def _usual_form(known: DomainParameters) -> tuple[int, _UsualForm]:
    algorithm = build(SEQUENCE, build_oid(EC_PUBLIC_KEY) + build_oid(known.oid))
    point_size = 1 + 2 * known.field_length
    encoded = build(SEQUENCE, algorithm + build(BIT_STRING, bytes(1 + point_size)))
    return len(encoded), _UsualForm(_RELIED_ON[known.name], encoded[:-point_size])


# By length, which differs from curve to curve: comparing a prefix costs a fifth of a walk.
_USUAL_FORMS = dict(_usual_form(known) for known in CURVES if known.name in _RELIED_ON)


def load_public_key(public_key_info: bytes) -> PublicKey:
    """Return the key; raises MalformedDocument, or AlgorithmRefused for one we do not rely on."""
    usual = _USUAL_FORMS.get(len(public_key_info))
    if usual is not None and public_key_info.startswith(usual.before_point):
        return _ec_key(usual.curve, public_key_info[len(usual.before_point) :])
    info = read_public_key_info(public_key_info)
    if info.algorithm == EC_PUBLIC_KEY:
        if info.parameters.peek() == SEQUENCE:
            curve = _explicit_curve(info.parameters.enter(SEQUENCE))
            info.parameters.finish()
            return _ec_key(curve, info.key)
        return _named_ec_key(public_key_info)
    if info.algorithm in (RSA_ENCRYPTION, _RSASSA_PSS):
        return _rsa_key(info.key)
    raise AlgorithmRefused("public key of an unknown kind")


def _named_ec_key(public_key_info: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public_key_info)
    except UnsupportedAlgorithm:
        raise AlgorithmRefused("public key on an unknown curve") from None
    except ValueError:
        raise MalformedDocument("public key is not a point of its curve") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _RELIED_ON:
        raise AlgorithmRefused("public key on a curve we do not rely on")
    return key


def _explicit_curve(parameters: DerReader) -> ec.EllipticCurve:
    known = read_explicit_parameters(parameters)
    if known is None or known.name not in _RELIED_ON:
        raise AlgorithmRefused("explicit curve parameters of no curve we rely on")
    return _RELIED_ON[known.name]


def _ec_key(curve: ec.EllipticCurve, point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError:
        raise MalformedDocument("public key is not a point of its curve") from None


def is_ec_key(key: PublicKey) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Whether this is an EC key; on the hot path, where asking an abstract class is dear."""
    return type(key) is _EC_KEY_TYPE


def _rsa_key(encoded: bytes) -> rsa.RSAPublicKey:
    modulus, exponent = read_rsa_numbers(encoded)
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
        raise AlgorithmRefused(f"RSA key of {modulus.bit_length()} bits")
    # Real CSCAs use 3, 65537 and odd numbers between; an even one is no exponent at all.
    if exponent < 3 or not exponent % 2 or exponent.bit_length() > 64:
        raise AlgorithmRefused("RSA exponent out of range")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise MalformedDocument("RSA numbers are no key") from None


def _any_ec_key() -> ec.EllipticCurvePublicKey:
    known = PARAMETERS_BY_NAME["secp256r1"]
    return ec.EllipticCurvePublicNumbers(known.x, known.y, _RELIED_ON[known.name]).public_key()


_EC_KEY_TYPE = type(_any_ec_key())
