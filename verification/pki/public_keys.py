"""Public keys from SubjectPublicKeyInfo, named or with explicit curve parameters (RFC 5480; 9303-12, 4.4).

Nearly every real EC key of a document PKI writes its curve out in full. Such a key is accepted
when every value is that of a curve we know, and refused otherwise: a curve that shares only
its prime with a good one can be made to give away signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeGuard

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from verification.encoding.curve_parameters import (
    CURVES,
    IN_OPENSSL,
    PARAMETERS_BY_NAME,
    DomainParameters,
    read_explicit_parameters,
)
from verification.encoding.object_identifier import build_oid, encode_oid
from verification.encoding.tlv import (
    BIT_STRING,
    NULL,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    DerReader,
    build,
    build_integer,
)
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.lds.public_key_info import (
    EC_PUBLIC_KEY,
    RSA_ENCRYPTION,
    read_public_key_info,
    read_rsa_numbers,
)
from verification.pki.curve_signature import CurvePublicKey

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | CurvePublicKey

# A document's signature is relied on for decades. What is weaker was prescribed once, and is accepted
# only where an operator's policy says so.
MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 256
MIN_LEGACY_RSA_BITS = 1024
MAX_RSA_BITS = 8192
"""A larger modulus only costs time: verification grows with its square."""

_RSASSA_PSS = "1.2.840.113549.1.1.10"
_DSA = "1.2.840.10040.4.1"
_BY_OID: Mapping[bytes, DomainParameters] = {encode_oid(known.oid): known for known in CURVES}


class _UsualForm(NamedTuple):
    """A DER form in which most keys are written: what stands before the point or modulus, and after.

    Comparing it costs a fifth of a walk. ``curve`` is None for RSA.
    """

    curve: DomainParameters | None
    before: bytes
    after: bytes = b""


def _usual_ec_form(known: DomainParameters) -> tuple[int, _UsualForm]:
    algorithm = build(SEQUENCE, build_oid(EC_PUBLIC_KEY) + build_oid(known.oid))
    point_size = 1 + 2 * known.field_length
    encoded = build(SEQUENCE, algorithm + build(BIT_STRING, bytes(1 + point_size)))
    return len(encoded), _UsualForm(known, encoded[:-point_size])


def _usual_rsa_form(bits: int) -> tuple[int, _UsualForm]:
    algorithm = build(SEQUENCE, build_oid(RSA_ENCRYPTION) + build(NULL, b""))
    exponent = build_integer(65537)
    numbers = build(SEQUENCE, build_integer(1 << bits - 1) + exponent)
    encoded = build(SEQUENCE, algorithm + build(BIT_STRING, b"\0" + numbers))
    return len(encoded), _UsualForm(None, encoded[: -bits // 8 - len(exponent)], exponent)


def _is_usual(known: DomainParameters) -> bool:
    return known.name in IN_OPENSSL and known.n.bit_length() >= MIN_CURVE_BITS


# By length, which differs from one to the other.
_USUAL_FORMS = dict(
    [_usual_ec_form(known) for known in CURVES if _is_usual(known)]
    + [_usual_rsa_form(bits) for bits in (2048, 3072, 4096)]
)


def load_public_key(public_key_info: bytes, *, accepts_legacy: bool = False) -> PublicKey:
    """Return the key; raises MalformedDocument, or AlgorithmRefused for one we do not rely on."""
    usual = _USUAL_FORMS.get(len(public_key_info))
    if usual is not None and public_key_info.startswith(usual.before):
        if usual.curve is not None:
            return _ec_key(usual.curve, public_key_info[len(usual.before) :])
        # The first bit of the modulus is set, so that it has as many bits as its octets say.
        if public_key_info[len(usual.before)] > 0x7F and public_key_info.endswith(usual.after):
            return _usual_rsa_key(public_key_info)
    key = _read_key(public_key_info)
    if not accepts_legacy and is_legacy_key(key):
        raise AlgorithmRefused(f"key of {key.key_size} bits")
    return key


def is_legacy_key(key: PublicKey) -> bool:
    """Whether the key is shorter than what is relied on today."""
    return key.key_size < (MIN_RSA_BITS if is_rsa_key(key) else MIN_CURVE_BITS)


def _read_key(public_key_info: bytes) -> PublicKey:
    info = read_public_key_info(public_key_info)
    if info.algorithm == EC_PUBLIC_KEY:
        return _ec_key(_curve(info.parameters), info.key)
    if info.algorithm in (RSA_ENCRYPTION, _RSASSA_PSS):
        return _rsa_key(info.key)
    if info.algorithm == _DSA:
        raise AlgorithmRefused("DSA key: no document signer known uses one, and FIPS 186-5 withdrew it")
    raise AlgorithmRefused("public key of an unknown kind")


def _curve(parameters: DerReader) -> DomainParameters:
    """The curve that EcpkParameters name or write out (RFC 3279, 2.3.5)."""
    if parameters.peek() == SEQUENCE:
        known = read_explicit_parameters(parameters.enter(SEQUENCE))
        refusal = "explicit parameters of no curve we know"
    else:
        known = _BY_OID.get(parameters.take(OBJECT_IDENTIFIER))
        refusal = "public key on an unknown curve"
    parameters.finish()
    if known is None:
        raise AlgorithmRefused(refusal)
    return known


def _ec_key(known: DomainParameters, point: bytes) -> ec.EllipticCurvePublicKey | CurvePublicKey:
    curve = IN_OPENSSL.get(known.name)
    if curve is None:  # computed with in curve_signature
        return CurvePublicKey.from_encoded_point(known, point)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError:
        raise MalformedDocument("public key is not a point of its curve") from None


def is_ec_key(key: PublicKey) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Whether this is an EC key of OpenSSL; on the hot path, where asking an abstract class is dear."""
    return type(key) is _EC_KEY_TYPE


def is_rsa_key(key: PublicKey) -> TypeGuard[rsa.RSAPublicKey]:
    """Whether this is an RSA key."""
    return type(key) is _RSA_KEY_TYPE


def _usual_rsa_key(public_key_info: bytes) -> rsa.RSAPublicKey:
    try:
        key = load_der_public_key(public_key_info)
    except ValueError:
        raise MalformedDocument("RSA numbers are no key") from None
    if type(key) is not _RSA_KEY_TYPE:
        raise MalformedDocument("RSA key is of another kind")
    return key


def _rsa_key(encoded: bytes) -> rsa.RSAPublicKey:
    modulus, exponent = read_rsa_numbers(encoded)
    if not MIN_LEGACY_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS:
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
    return ec.EllipticCurvePublicNumbers(known.x, known.y, IN_OPENSSL[known.name]).public_key()


_EC_KEY_TYPE = type(_any_ec_key())
_RSA_KEY_TYPE = type(rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key())
