"""Public keys of the chip: by name, by number, and with every parameter spelled out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.explicit_curve import explicit_key_info, explicit_parameters, public_key_info
from verification.chip.elliptic_curves import CURVES, Curve
from verification.chip.subject_public_keys import EcKey, RsaKey, load_public_key
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME, DomainParameters
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import SEQUENCE, build, build_integer
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.public_key_info import EC_PUBLIC_KEY, RSA_ENCRYPTION

CURVE = next(curve for curve in CURVES if curve.parameter_id == 13)


def parameters(curve: Curve) -> DomainParameters:
    return PARAMETERS_BY_NAME[curve.named.name]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.named.name)
def test_all_three_ways_to_name_a_curve(curve: Curve) -> None:
    point = curve.encode(curve.base)
    for algorithm in (
        build_oid(EC_PUBLIC_KEY) + build_oid(curve.oid),
        build_oid("0.4.0.127.0.7.1.2") + build_integer(curve.parameter_id),
        build_oid(EC_PUBLIC_KEY) + explicit_parameters(parameters(curve)),
    ):
        loaded = load_public_key(public_key_info(algorithm, point))
        assert isinstance(loaded, EcKey)
        assert loaded.curve is curve


def test_explicit_parameters_of_no_curve_we_know_are_refused() -> None:
    """Which values count, and that all do, is shown where they are read (encoding)."""
    point = CURVE.encode(CURVE.base)
    other = parameters(CURVE)._replace(b=CURVE.b + 1)
    for written in (
        explicit_parameters(other),
        explicit_parameters(parameters(CURVE), more=b"\x05\x00"),
        explicit_parameters(parameters(CURVE)) + b"\x05\x00",
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(explicit_key_info(written, point))


def test_keys_of_unknown_kinds_and_curves_are_refused() -> None:
    point = CURVE.encode(CURVE.base)
    for algorithm in (
        build_oid("1.2.840.10045.2.2") + build_oid(CURVE.oid),
        build_oid(EC_PUBLIC_KEY) + build_oid("1.3.132.0.10"),
        build_oid(EC_PUBLIC_KEY) + build_oid(CURVE.oid) + build_integer(1),
        build_oid("0.4.0.127.0.7.1.2") + build_integer(99),
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(public_key_info(algorithm, point))


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
        load_public_key(public_key_info(build_oid(EC_PUBLIC_KEY) + build_oid(CURVE.oid), point))
