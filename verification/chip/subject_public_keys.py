"""The chip's own public keys in DG14, DG15 and EF.CardSecurity, as SubjectPublicKeyInfo (RFC 5480, RFC 3279).

Chips write their curve by name, by a standardised number, or by all its values. The last is
taken only where every value is that of a curve we know: a curve with another base point or
coefficient would make a key whose private part anybody can find.
"""

from __future__ import annotations

from typing import NamedTuple

from verification.chip.elliptic_curves import BY_OID, BY_PARAMETER_ID, Curve
from verification.chip.finite_field_groups import GROUPS, FiniteFieldGroup, group_of
from verification.encoding.curve_parameters import read_explicit_parameters
from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE, DerReader
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.public_key_info import (
    EC_PUBLIC_KEY,
    RSA_ENCRYPTION,
    read_public_key_info,
    read_rsa_numbers,
)

STANDARDISED_PARAMETERS = "0.4.0.127.0.7.1.2"
DH_KEY_AGREEMENT = "1.2.840.113549.1.3.1"  # PKCS #3, as ICAO 9303-11, 9.6, has it
DH_PUBLIC_NUMBER = "1.2.840.10046.2.1"  # X9.42, as some chips have it

_MIN_MODULUS_BITS = 1024  # what the worked example of ICAO 9303-11, appendix F, uses
_MAX_MODULUS_BITS = 4096
_MAX_EXPONENT_BITS = 64  # a genuine exponent is small; a long one only costs time


class EcKey(NamedTuple):
    """A point, uncompressed, and its curve."""

    group: Curve
    element: bytes


class DhKey(NamedTuple):
    """A public value and its group; whether it belongs to the group is tested when it is used."""

    group: FiniteFieldGroup
    element: bytes


class RsaKey(NamedTuple):
    """A modulus and public exponent."""

    modulus: int
    exponent: int


def load_public_key(public_key_info: bytes) -> EcKey | DhKey | RsaKey:
    """The key; raises MalformedDocument where it is none, or none this product computes with."""
    info = read_public_key_info(public_key_info)
    if info.algorithm == RSA_ENCRYPTION:
        if info.parameters.peek() is not None and info.parameters.take(NULL):
            raise MalformedDocument("parameters of an RSA key are not NULL")
        info.parameters.finish()
        return _rsa_key(info.key)
    group = _group_of(info.algorithm, info.parameters)
    if isinstance(group, Curve):
        return EcKey(group, group.element(info.key))
    return DhKey(group, _public_value(group, info.key))


def _rsa_key(encoded: bytes) -> RsaKey:
    key = RsaKey(*read_rsa_numbers(encoded))
    if not _MIN_MODULUS_BITS <= key.modulus.bit_length() <= _MAX_MODULUS_BITS:
        raise LimitExceeded("RSA modulus too short or too long")
    if not 3 <= key.exponent < 1 << _MAX_EXPONENT_BITS or not key.exponent & 1 or not key.modulus & 1:
        raise MalformedDocument("not an RSA public key")
    return key


def _group_of(algorithm: str, parameters: DerReader) -> Curve | FiniteFieldGroup:
    group = _named_group(algorithm, parameters)
    if group is None:
        raise MalformedDocument("public key of an unknown kind or on an unknown curve")
    parameters.finish()
    return group


def _named_group(algorithm: str, parameters: DerReader) -> Curve | FiniteFieldGroup | None:
    if algorithm == STANDARDISED_PARAMETERS:
        return _standardised(parameters.take_integer())
    if algorithm in (DH_KEY_AGREEMENT, DH_PUBLIC_NUMBER):
        return _finite_field(algorithm, parameters.enter(SEQUENCE))
    if algorithm != EC_PUBLIC_KEY:
        return None
    if parameters.peek() == OBJECT_IDENTIFIER:
        return BY_OID.get(decode_oid(parameters.take(OBJECT_IDENTIFIER)))
    known = read_explicit_parameters(parameters.enter(SEQUENCE))
    return BY_OID.get(known.oid) if known else None


def _standardised(number: int) -> Curve | FiniteFieldGroup | None:
    return GROUPS[number] if 0 <= number < len(GROUPS) else BY_PARAMETER_ID.get(number)


def _finite_field(algorithm: str, parameters: DerReader) -> FiniteFieldGroup:
    p, g = parameters.take_integer(), parameters.take_integer()
    q = 0
    if algorithm == DH_PUBLIC_NUMBER:
        q = parameters.take_integer()
        # The cofactor follows from p and q; the seed tells how they were found.
        if parameters.peek() == INTEGER:
            parameters.take_integer()
        if parameters.peek() == SEQUENCE:
            parameters.take(SEQUENCE)
    elif parameters.peek() == INTEGER:
        parameters.take_integer()  # privateValueLength: ours is long enough whatever it says
    parameters.finish()
    return group_of(p, g, q)


def _public_value(group: FiniteFieldGroup, encoded: bytes) -> bytes:
    reader = DerReader(encoded)
    number = reader.take_integer()
    reader.finish()
    if number <= 0 or number.bit_length() > group.p.bit_length():
        raise MalformedDocument("not a public value of this group")
    return group.element(number.to_bytes(group.field_length, "big"))
