"""Public keys of the chip: by name, by number, and with every parameter spelled out."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verification.chip.elliptic_curves import CURVES, Curve
from verification.chip.subject_public_keys import EcKey, RsaKey, load_public_key
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, OCTET_STRING, SEQUENCE, build, build_integer
from verification.errors import LimitExceeded, MalformedDocument

EC_PUBLIC_KEY = "1.2.840.10045.2.1"
CURVE = next(curve for curve in CURVES if curve.parameter_id == 13)


def info(algorithm: bytes, key: bytes) -> bytes:
    return build(SEQUENCE, build(SEQUENCE, algorithm) + build(BIT_STRING, b"\x00" + key))


def explicit(curve: Curve, **changes: object) -> bytes:
    values = {
        "field": "1.2.840.10045.1.1",
        "p": curve.p,
        "a": curve.octets(curve.a),
        "b": curve.octets(curve.b),
        "seed": b"",
        "base": curve.encode(curve.base),
        "n": curve.n,
        "cofactor": build_integer(1),
    } | changes
    return build(
        SEQUENCE,
        build_integer(1)
        + build(SEQUENCE, build_oid(values["field"]) + build_integer(values["p"]))
        + build(
            SEQUENCE, build(OCTET_STRING, values["a"]) + build(OCTET_STRING, values["b"]) + values["seed"]
        )
        + build(OCTET_STRING, values["base"])
        + build_integer(values["n"])
        + values["cofactor"],
    )


def load_explicit(**changes: object) -> EcKey | RsaKey:
    algorithm = build_oid(EC_PUBLIC_KEY) + explicit(CURVE, **changes)
    return load_public_key(info(algorithm, CURVE.encode(CURVE.base)))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.named.name)
def test_all_three_ways_to_name_a_curve(curve: Curve) -> None:
    point = curve.encode(curve.base)
    for algorithm in (
        build_oid(EC_PUBLIC_KEY) + build_oid(curve.oid),
        build_oid("0.4.0.127.0.7.1.2") + build_integer(curve.parameter_id),
        build_oid(EC_PUBLIC_KEY) + explicit(curve),
    ):
        loaded = load_public_key(info(algorithm, point))
        assert isinstance(loaded, EcKey)
        assert loaded.curve is curve


@pytest.mark.parametrize(
    "changes",
    [
        {"cofactor": b""},
        {"base": bytes((2 + CURVE.base.y % 2,)) + CURVE.octets(CURVE.base.x)},
        {"seed": build(BIT_STRING, b"\x00" + bytes(20))},
    ],
    ids=["no cofactor", "compressed base", "seed"],
)
def test_permitted_spellings_of_explicit_parameters(changes: dict[str, object]) -> None:
    loaded = load_explicit(**changes)
    assert isinstance(loaded, EcKey)
    assert loaded.curve is CURVE


@pytest.mark.parametrize(
    "changes",
    [
        {"p": CURVE.p + 2},
        {"a": CURVE.octets(CURVE.a + 1)},
        {"b": CURVE.octets(CURVE.b + 1)},
        {"n": CURVE.n + 2},
        {"base": CURVE.encode(CURVE.multiple_of_base(2))},
        {"base": bytes((3 - CURVE.base.y % 2,)) + CURVE.octets(CURVE.base.x)},
        {"cofactor": build_integer(2)},
        {"field": "1.2.840.10045.1.2"},
    ],
    ids=["p", "a", "b", "n", "base", "other y", "cofactor", "field"],
)
def test_a_curve_that_differs_in_one_value_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedDocument):
        load_explicit(**changes)


def test_keys_of_unknown_kinds_and_curves_are_refused() -> None:
    point = CURVE.encode(CURVE.base)
    for algorithm in (
        build_oid("1.2.840.10045.2.2") + build_oid(CURVE.oid),
        build_oid(EC_PUBLIC_KEY) + build_oid("1.3.132.0.10"),
        build_oid(EC_PUBLIC_KEY) + build_oid(CURVE.oid) + build_integer(1),
        build_oid("0.4.0.127.0.7.1.2") + build_integer(99),
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(info(algorithm, point))


def rsa_info(modulus: int, exponent: int) -> bytes:
    key = build(SEQUENCE, build_integer(modulus) + build_integer(exponent))
    return info(build_oid("1.2.840.113549.1.1.1") + b"\x05\x00", key)


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
        load_public_key(info(build_oid(EC_PUBLIC_KEY) + build_oid(CURVE.oid), point))
