"""Public keys of the chip: by name, by number, and with every parameter spelled out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.explicit_curve import explicit_key_info, explicit_parameters, public_key_info
from verification.chip.elliptic_curves import CURVES, Curve
from verification.chip.finite_field_groups import GROUPS, FiniteFieldGroup
from verification.chip.subject_public_keys import (
    DH_KEY_AGREEMENT,
    DH_PUBLIC_NUMBER,
    STANDARDISED_PARAMETERS,
    DhKey,
    EcKey,
    RsaKey,
    load_public_key,
)
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import SEQUENCE, build, build_integer
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.public_key_info import EC_PUBLIC_KEY, RSA_ENCRYPTION

CURVE = next(curve for curve in CURVES if curve.parameter_id == 13)
POINT = CURVE.key_of(1).public


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.parameters.name)
def test_all_three_ways_to_name_a_curve(curve: Curve) -> None:
    point = curve.key_of(5).public
    for algorithm in (
        build_oid(EC_PUBLIC_KEY) + build_oid(curve.parameters.oid),
        build_oid(STANDARDISED_PARAMETERS) + build_integer(curve.parameter_id),
        build_oid(EC_PUBLIC_KEY) + explicit_parameters(curve.parameters),
    ):
        loaded = load_public_key(public_key_info(algorithm, point))
        assert loaded == EcKey(curve, point)


def test_explicit_parameters_of_no_curve_we_know_are_refused() -> None:
    """Which values count, and that all do, is shown where they are read (encoding)."""
    known = CURVE.parameters
    for written in (
        explicit_parameters(known._replace(b=known.b + 1)),
        explicit_parameters(known, more=b"\x05\x00"),
        explicit_parameters(known) + b"\x05\x00",
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(explicit_key_info(written, POINT))


def test_keys_of_unknown_kinds_and_curves_are_refused() -> None:
    named = build_oid(CURVE.parameters.oid)
    for algorithm in (
        build_oid("1.2.840.10045.2.2") + named,
        build_oid(EC_PUBLIC_KEY) + build_oid("1.3.132.0.10"),
        build_oid(EC_PUBLIC_KEY) + named + build_integer(1),
        *(build_oid(STANDARDISED_PARAMETERS) + build_integer(number) for number in (3, 7, 19, 99)),
        build_oid(STANDARDISED_PARAMETERS) + b"\x02\x01\xff",
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(public_key_info(algorithm, POINT))


def rsa_info(modulus: int, exponent: int) -> bytes:
    key = build(SEQUENCE, build_integer(modulus) + build_integer(exponent))
    return public_key_info(build_oid(RSA_ENCRYPTION) + b"\x05\x00", key)


def test_an_rsa_key_is_its_two_numbers() -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    numbers = key.public_numbers()
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_public_key(encoded) == RsaKey(numbers.n, numbers.e)
    assert load_public_key(rsa_info(numbers.n, 3)) == RsaKey(numbers.n, 3)


@pytest.mark.parametrize(
    ("modulus", "exponent", "error"),
    [
        (2**1022 + 1, 3, LimitExceeded),
        (2**4096 + 1, 3, LimitExceeded),
        (2**2047 + 1, 1, MalformedDocument),
        (2**2047 + 1, 4, MalformedDocument),
        (2**2047 + 1, 2**64 + 1, MalformedDocument),
        (2**2047, 3, MalformedDocument),
    ],
)
def test_rsa_keys_out_of_range_are_refused(modulus: int, exponent: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        load_public_key(rsa_info(modulus, exponent))


def test_a_point_of_another_curve_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = other.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises(MalformedDocument):
        load_public_key(public_key_info(build_oid(EC_PUBLIC_KEY) + build_oid(CURVE.parameters.oid), point))


# -- Diffie-Hellman over finite fields ------------------------------------------------------------


def numbers(*values: int) -> bytes:
    return build(SEQUENCE, b"".join(map(build_integer, values)))


def spellings(group: FiniteFieldGroup) -> dict[str, bytes]:
    p, g, q = group.p, group.g, group.q
    seed = build(SEQUENCE, build(0x03, b"\x00" + bytes(20)) + build_integer(7))
    pkcs3, x942 = build_oid(DH_KEY_AGREEMENT), build_oid(DH_PUBLIC_NUMBER)
    return {
        "by number": build_oid(STANDARDISED_PARAMETERS) + build_integer(group.parameter_id or 0),
        "PKCS #3": pkcs3 + numbers(p, g),
        "PKCS #3 with a length": pkcs3 + numbers(p, g, 160),
        "X9.42": x942 + numbers(p, g, q),
        "X9.42 with the cofactor": x942 + numbers(p, g, q, (p - 1) // q),
        "X9.42 with a seed": x942 + build(SEQUENCE, b"".join(map(build_integer, (p, g, q))) + seed),
    }


@pytest.mark.parametrize("group", GROUPS, ids=["1024/160", "2048/224", "2048/256"])
@pytest.mark.parametrize("spelling", spellings(GROUPS[0]))
def test_all_ways_to_write_a_diffie_hellman_key(group: FiniteFieldGroup, spelling: str) -> None:
    public = group.power_of_generator(11)
    value = build_integer(int.from_bytes(public, "big"))
    assert load_public_key(public_key_info(spellings(group)[spelling], value)) == DhKey(group, public)


def test_what_is_no_diffie_hellman_key_is_refused() -> None:
    group = GROUPS[0]
    p, g, q = group.p, group.g, group.q
    x942 = build_oid(DH_PUBLIC_NUMBER)
    named = build_oid(STANDARDISED_PARAMETERS) + build_integer(0)
    value = build_integer(int.from_bytes(group.power_of_generator(11), "big"))
    for algorithm, key in (
        (named, value + b"\x00"),
        (named, build_integer(0)),
        (named, build_integer(1)),
        (named, build_integer(p - 1)),
        (named, build_integer(p)),
        (named, build_integer(p * p)),
        (named, b"\x02\x01\xff"),
        (named, group.power_of_generator(11)),
        (named + b"\x05\x00", value),
        (x942 + numbers(p, g), value),
        (x942 + numbers(p, g, q + 2), value),
        (x942 + numbers(p, g, q, 2, 3, 4), value),
        (build_oid(DH_KEY_AGREEMENT) + numbers(p, g, 160, 1), value),
        (build_oid(DH_KEY_AGREEMENT) + numbers(p), value),
        (build_oid(DH_KEY_AGREEMENT), value),
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(public_key_info(algorithm, key))
