"""Curves as groups of a key agreement, in OpenSSL and beside it, against the textbook's arithmetic."""

from __future__ import annotations

import pytest

from tests.support.scripted_card import random_for_private_key, seeded
from tests.support.textbook_curve import TextbookCurve
from tests.support.textbook_pace import OverCurve
from tests.support.vectors import load
from verification.chip.elliptic_curves import (
    BY_OID,
    BY_PARAMETER_ID,
    CURVES,
    Curve,
    OpensslKey,
    PlainKey,
)
from verification.encoding.curve_arithmetic import base_point, encode_point
from verification.errors import MalformedDocument

P256, BRAINPOOL = BY_PARAMETER_ID[12], BY_PARAMETER_ID[13]
BASE = encode_point(P256.parameters, base_point(P256.parameters))
every_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.parameters.name)


def textbook(curve: Curve) -> TextbookCurve:
    known = curve.parameters
    return TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y))


def test_every_standardised_curve_is_here() -> None:
    assert list(BY_PARAMETER_ID) == list(range(8, 19))
    # OpenSSL computes wherever it can.
    assert [curve.parameter_id for curve in CURVES if curve.named is None] == [9, 11, 14]
    assert [curve.parameter_id for curve in CURVES if not curve.admits_integrated_mapping] == [10]


@every_curve
def test_public_keys_are_those_of_the_textbook(curve: Curve) -> None:
    book = textbook(curve)
    for scalar in (1, 2, 3, curve.parameters.n - 1, curve.parameters.n // 3):
        expected = book.encode(book.multiply(scalar, book.base))
        assert curve.key_of(scalar).public == expected
        assert curve.power_of_generator(scalar) == expected
    assert BY_OID[curve.parameters.oid] is curve


@every_curve
def test_both_kinds_of_keys_compute_the_same(curve: Curve) -> None:
    book, source, n = textbook(curve), seeded(7), curve.parameters.n
    for _ in range(3):
        peer = book.multiply(source.randrange(2, n), book.base)
        scalar = source.randrange(2, n)
        shared = book.encode(book.multiply(scalar, peer))
        for key in (curve.key_of(scalar), PlainKey(curve.parameters, scalar)):
            assert key.shared_element(book.encode(peer)) == shared
            assert key.shared_secret(book.encode(peer)) == shared[1 : 1 + book.size]
            assert curve.compress(key.public_over(book.encode(peer))) == shared[1 : 1 + book.size]


@pytest.mark.parametrize("scalar", [1, 2, 5])
@pytest.mark.parametrize("curve", [P256, BRAINPOOL], ids=["P-256", "brainpoolP256r1"])
def test_points_near_the_generator_have_the_right_y_too(curve: Curve, scalar: int) -> None:
    """P + G is then a doubling, and kP may be our own public key."""
    book = textbook(curve)
    for multiple in (1, 2, 3):
        point = book.encode(book.multiply(multiple, book.base))
        expected = book.encode(book.multiply(multiple * scalar, book.base))
        assert curve.key_of(scalar).shared_element(point) == expected


@every_curve
def test_shared_secrets_keep_their_leading_zeros(curve: Curve) -> None:
    """The secret with x below 2^(8(size-1)): one in 256 points, and one failed session in 170 elsewhere."""
    book = textbook(curve)
    point = book.base
    top = 8 * (curve.parameters.field_length - 1)
    multiple = 1
    while point[0] >> top:
        found = book.add(point, book.base)
        assert found is not None
        point, multiple = found, multiple + 1
    key = curve.key_of(multiple)
    base = encode_point(curve.parameters, base_point(curve.parameters))
    assert key.shared_secret(base) == point[0].to_bytes(curve.parameters.field_length, "big")
    assert key.shared_secret(base)[0] == 0
    assert key.shared_element(base) == book.encode(point)


def test_sums_of_points() -> None:
    book = textbook(P256)
    double, triple = (book.encode(book.multiply(scalar, book.base)) for scalar in (2, 3))
    assert P256.combine(BASE, double) == triple
    assert P256.combine(BASE, BASE) == double
    negative = book.encode(book.multiply(P256.parameters.n - 1, book.base))
    with pytest.raises(MalformedDocument):
        P256.combine(BASE, negative)


def test_scalars_are_taken_modulo_the_order() -> None:
    n = P256.parameters.n
    assert P256.power_of_generator(n + 2) == P256.power_of_generator(2)
    for multiple in (0, n, 2 * n):
        with pytest.raises(MalformedDocument):
            P256.power_of_generator(multiple)


NO_POINTS = {
    "none": b"",
    "infinity": b"\x00",
    "zeros": b"\x04" + bytes(64),
    "compressed": b"\x02" + BASE[1:33],
    "cut": BASE[:-1],
    "longer": BASE + b"\x00",
    "off curve": BASE[:-1] + bytes((BASE[-1] ^ 1,)),
    "x not reduced": b"\x04" + P256.field_prime.to_bytes(32, "big") + bytes(31) + b"\x01",
    "of another curve": encode_point(BRAINPOOL.parameters, base_point(BRAINPOOL.parameters)),
}


@pytest.mark.parametrize("octets", NO_POINTS.values(), ids=NO_POINTS)
def test_what_is_no_point_of_the_curve_is_refused_everywhere(octets: bytes) -> None:
    key = P256.key_of(5)
    for use in (
        P256.element,
        P256.openssl_key,
        key.shared_secret,
        key.shared_element,
        key.public_over,
        PlainKey(P256.parameters, 5).shared_secret,
        lambda value: P256.combine(BASE, value),
    ):
        with pytest.raises(MalformedDocument):
            use(octets)


def test_a_curve_that_openssl_lacks_makes_no_key_of_it() -> None:
    curve = BY_PARAMETER_ID[14]
    with pytest.raises(MalformedDocument):
        curve.openssl_key(curve.key_of(2).public)


@every_curve
def test_private_keys_come_from_the_given_source_and_never_are_zero(curve: Curve) -> None:
    for draw in (bytes, lambda length: b"\xff" * length):
        key = curve.key(draw)
        assert isinstance(key, PlainKey if curve.named is None else OpensslKey)
        assert curve.element(key.public)
    scripted = random_for_private_key(curve.parameters.n - 1, curve.order_length)
    assert curve.key(lambda length: scripted[-length:]).public == curve.key_of(curve.parameters.n - 1).public


# -- integrated mapping -------------------------------------------------------------------------


def test_the_point_encoding_of_icao_9303_11_h1() -> None:
    case = load("pace_ecdh_im")
    assert BRAINPOOL.encode_number(int(case["prf_mod_p"], 16)).hex() == case["g_mapped"]


@every_curve
def test_the_point_encoding_is_that_of_the_textbook(curve: Curve) -> None:
    source, book = seeded(3), OverCurve(textbook(curve))
    if not curve.admits_integrated_mapping:
        with pytest.raises(MalformedDocument):
            curve.encode_number(2)
        return
    halves = set()
    for _ in range(12):
        number = source.randrange(2, curve.field_prime - 1)
        encoded = curve.encode_number(number)
        assert encoded == book.encode(book.from_number(number))
        assert curve.element(encoded) == encoded
        halves.add(encoded[-1] & 1)
    assert halves == {0, 1}


@pytest.mark.parametrize("number", [0, 1, -1])
def test_numbers_without_a_point_are_refused(number: int) -> None:
    with pytest.raises(MalformedDocument):
        BRAINPOOL.encode_number(number % BRAINPOOL.field_prime)
