"""The chip's own public keys in DG14 and DG15, as SubjectPublicKeyInfo (RFC 5480, RFC 3279).

Chips write their curve by name, by a standardised number, or by all its values. The last is
taken only where every value is that of a curve we know: a curve with another base point or
coefficient would make a key whose private part anybody can find.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verification.chip.elliptic_curves import BY_OID, BY_PARAMETER_ID, Curve
from verification.encoding.curve_parameters import read_explicit_parameters
from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import NULL, OBJECT_IDENTIFIER, SEQUENCE, DerReader
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.public_key_info import (
    EC_PUBLIC_KEY,
    RSA_ENCRYPTION,
    read_public_key_info,
    read_rsa_numbers,
)

_STANDARDISED_PARAMETERS = "0.4.0.127.0.7.1.2"

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
    info = read_public_key_info(public_key_info)
    if info.algorithm == RSA_ENCRYPTION:
        if info.parameters.peek() is not None and info.parameters.take(NULL):
            raise MalformedDocument("parameters of an RSA key are not NULL")
        info.parameters.finish()
        return _rsa_key(info.key)
    curve = _curve_of(info.algorithm, info.parameters)
    return EcKey(curve, curve.decode(info.key))


def _rsa_key(encoded: bytes) -> RsaKey:
    key = RsaKey(*read_rsa_numbers(encoded))
    if not _MIN_MODULUS_BITS <= key.modulus.bit_length() <= _MAX_MODULUS_BITS:
        raise LimitExceeded("RSA modulus too short or too long")
    if not 3 <= key.exponent < 1 << _MAX_EXPONENT_BITS or not key.exponent & 1 or not key.modulus & 1:
        raise MalformedDocument("not an RSA public key")
    return key


def _curve_of(algorithm: str, parameters: DerReader) -> Curve:
    curve = None
    if algorithm == _STANDARDISED_PARAMETERS:
        curve = BY_PARAMETER_ID.get(parameters.take_integer())
    elif algorithm == EC_PUBLIC_KEY and parameters.peek() == OBJECT_IDENTIFIER:
        curve = BY_OID.get(decode_oid(parameters.take(OBJECT_IDENTIFIER)))
    elif algorithm == EC_PUBLIC_KEY:
        known = read_explicit_parameters(parameters.enter(SEQUENCE))
        curve = BY_OID.get(known.oid) if known else None
    if curve is None:
        raise MalformedDocument("public key of an unknown kind or on an unknown curve")
    parameters.finish()
    return curve
