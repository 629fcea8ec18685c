"""Keys of chip authentication in their standard encodings (RFC 5208, RFC 5480, PKCS #3).

The libraries at hand know neither every curve of the standard nor the explicit parameters that
it asks for (ICAO 9303-11, 9.5.2).
"""

from __future__ import annotations

from typing import NamedTuple

from issuance_backend.virtual_card.icc_curves import CURVES, EllipticCurve
from issuance_backend.virtual_card.icc_groups import AgreementKey, Group
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS, ModularGroup
from issuance_backend.virtual_card.icc_random import Random
from verification.encoding.curve_parameters import read_explicit_parameters
from verification.encoding.object_identifier import build_oid, decode_oid
from verification.encoding.tlv import (
    BIT_STRING,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
    build,
    build_integer,
)
from verification.errors import MalformedDocument, malformed_unless_parsed

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_PRIME_FIELD = "1.2.840.10045.1.1"
_DH_KEY_AGREEMENT = "1.2.840.113549.1.3.1"
_DH_PUBLIC_NUMBER = "1.2.840.10046.2.1"


class StaticChipKey(NamedTuple):
    """A private key and the group it belongs to."""

    group: Group
    key: AgreementKey


def generate(parameter_id: int, random: Random) -> StaticChipKey:
    """A fresh key over standardised domain parameters; raises KeyError for an unknown id."""
    group: Group = CURVES[parameter_id] if parameter_id in CURVES else MODULAR_GROUPS[parameter_id]
    return StaticChipKey(group, group.draw(random))


def build_private_key(static: StaticChipKey) -> bytes:
    """Write PKCS #8."""
    group, key = static
    if isinstance(group, EllipticCurve):
        algorithm = build(SEQUENCE, build_oid(_EC_PUBLIC_KEY) + build_oid(group.numbers.oid))
        octets = key.number.to_bytes((group.order.bit_length() + 7) // 8, "big")
        content = build(SEQUENCE, build_integer(1) + build(OCTET_STRING, octets))
    else:
        algorithm = _modular_algorithm(group)
        content = build_integer(key.number)
    return build(SEQUENCE, build_integer(0) + algorithm + build(OCTET_STRING, content))


def build_public_key_info(static: StaticChipKey) -> bytes:
    """Write SubjectPublicKeyInfo: ECParameters in full, or PKCS #3 (ICAO 9303-11, 9.5.2 and 9.6)."""
    group, key = static
    if isinstance(group, EllipticCurve):
        algorithm = build(SEQUENCE, build_oid(_EC_PUBLIC_KEY) + _explicit_parameters(group))
        content = key.public
    else:
        algorithm = _modular_algorithm(group)
        content = build_integer(int.from_bytes(key.public, "big"))
    return build(SEQUENCE, algorithm + build(BIT_STRING, b"\x00" + content))


def load_private_key(encoded: bytes) -> StaticChipKey:
    """Read PKCS #8 over standardised domain parameters; raises MalformedDocument for anything else."""
    with malformed_unless_parsed("chip key"):
        content = DerReader(encoded).enter(SEQUENCE)
        content.take_integer()
        algorithm = content.enter(SEQUENCE)
        identifier = decode_oid(algorithm.take(OBJECT_IDENTIFIER))
        octets = content.take(OCTET_STRING)
        if identifier == _EC_PUBLIC_KEY:
            return _load_elliptic(_curve_of(algorithm), octets)
        if identifier in {_DH_KEY_AGREEMENT, _DH_PUBLIC_NUMBER}:
            return _load_modular(algorithm.enter(SEQUENCE), octets)
    raise MalformedDocument("a chip key is for key agreement")


def _load_elliptic(curve: EllipticCurve, octets: bytes) -> StaticChipKey:
    private = DerReader(octets).enter(SEQUENCE)
    private.take_integer()
    number = int.from_bytes(private.take(OCTET_STRING), "big")
    if not 0 < number < curve.order:
        raise MalformedDocument("a chip key outside its group")
    return StaticChipKey(curve, curve.key(number))


def _load_modular(parameters: DerReader, octets: bytes) -> StaticChipKey:
    prime, generator = parameters.take_integer(), parameters.take_integer()
    number = DerReader(octets).take_integer()
    for group in MODULAR_GROUPS.values():
        if (prime, generator) == (group.prime, group.generator) and 0 < number < prime:
            return StaticChipKey(group, group.key(number))
    raise MalformedDocument("a chip key in no group of the standard")


def _curve_of(algorithm: DerReader) -> EllipticCurve:
    if algorithm.peek() == OBJECT_IDENTIFIER:
        name = decode_oid(algorithm.take(OBJECT_IDENTIFIER))
        found = next((curve for curve in CURVES.values() if curve.numbers.oid == name), None)
    else:
        numbers = read_explicit_parameters(algorithm.enter(SEQUENCE))
        found = CURVES.get(numbers.parameter_id) if numbers else None
    if found is None:
        raise MalformedDocument("a chip key on no curve of the standard")
    return found


def _explicit_parameters(curve: EllipticCurve) -> bytes:
    """SpecifiedECDomain with every value written out (TR-03111, 5.1)."""
    numbers, octets = curve.numbers, curve.octets
    field = build(SEQUENCE, build_oid(_PRIME_FIELD) + build_integer(numbers.p))
    equation = build(
        SEQUENCE,
        b"".join(build(OCTET_STRING, value.to_bytes(octets, "big")) for value in (numbers.a, numbers.b)),
    )
    base = build(OCTET_STRING, curve.base)
    order = build_integer(numbers.n) + build_integer(1)
    return build(SEQUENCE, build_integer(1) + field + equation + base + order)


def _modular_algorithm(group: Group) -> bytes:
    if not isinstance(group, ModularGroup):
        raise TypeError("neither a curve nor a modular group")
    parameters = build(SEQUENCE, build_integer(group.prime) + build_integer(group.generator))
    return build(SEQUENCE, build_oid(_DH_KEY_AGREEMENT) + parameters)
