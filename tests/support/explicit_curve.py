"""Curve parameters written out in full, every part of which a test can change."""

from __future__ import annotations

from verification.encoding.curve_parameters import DomainParameters
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, OCTET_STRING, SEQUENCE, build, build_integer
from verification.lds.public_key_info import EC_PUBLIC_KEY

PRIME_FIELD = "1.2.840.10045.1.1"


def base_point(known: DomainParameters, *, compressed: bool = False, other_y: bool = False) -> bytes:
    x, y = (value.to_bytes(known.field_length, "big") for value in (known.x, known.y))
    if compressed:
        return bytes((2 + (known.y + other_y) % 2,)) + x
    return b"\x04" + x + y


def explicit_parameters(  # SpecifiedECDomain of X9.62, RFC 3279, 2.3.5
    known: DomainParameters,
    *,
    version: int = 1,
    field: str = PRIME_FIELD,
    seed: bytes = b"",
    base: bytes | None = None,
    cofactor: bytes = build_integer(1),
    more: bytes = b"",
) -> bytes:
    a, b = (build(OCTET_STRING, value.to_bytes(known.field_length, "big")) for value in (known.a, known.b))
    return build(
        SEQUENCE,
        build_integer(version)
        + build(SEQUENCE, build_oid(field) + build_integer(known.p))
        + build(SEQUENCE, a + b + seed)
        + build(OCTET_STRING, base_point(known) if base is None else base)
        + build_integer(known.n)
        + cofactor
        + more,
    )


def public_key_info(algorithm: bytes, key: bytes) -> bytes:
    return build(SEQUENCE, build(SEQUENCE, algorithm) + build(BIT_STRING, b"\x00" + key))


def explicit_key_info(parameters: bytes, point: bytes) -> bytes:
    return public_key_info(build_oid(EC_PUBLIC_KEY) + parameters, point)
