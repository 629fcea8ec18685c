"""Our little arithmetic beside OpenSSL, against the textbook's."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.scripted_card import seeded
from tests.support.textbook_curve import TextbookCurve
from verification.chip.elliptic_curves import BY_OID, BY_PARAMETER_ID, CURVES, Curve, Point, point_of
from verification.errors import MalformedDocument

P256 = BY_PARAMETER_ID[12]


def textbook(curve: Curve) -> TextbookCurve:
    return TextbookCurve(curve.p, curve.a, curve.b, curve.n, tuple(curve.base))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.named.name)
def test_the_table_is_what_openssl_computes_with(curve: Curve) -> None:
    """Base point, prime, coefficients and order: a wrong one makes another multiple of G."""
    book = textbook(curve)
    assert point_of(ec.derive_private_key(1, curve.named).public_key()) == curve.base
    for scalar in (2, 3, curve.n - 1, curve.n // 3):
        ours = point_of(ec.derive_private_key(scalar, curve.named).public_key())
        assert ours == book.multiply(scalar, book.base)
    assert book.multiply(curve.n, book.base) is None
    assert BY_OID[curve.oid] is curve


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.named.name)
def test_shared_points_have_the_right_y(curve: Curve) -> None:
    book = textbook(curve)
    source = seeded(7)
    for _ in range(5):
        theirs = book.multiply(source.randrange(2, curve.n), book.base)
        assert theirs is not None
        scalar = source.randrange(2, curve.n)
        private = ec.derive_private_key(scalar, curve.named)
        assert curve.shared_point(private, curve.public_key(Point(*theirs))) == book.multiply(scalar, theirs)


def test_sums_of_points() -> None:
    book = textbook(P256)
    double = Point(*(book.multiply(2, book.base) or ()))
    assert P256.add(P256.base, double) == book.multiply(3, book.base)
    with pytest.raises(MalformedDocument):
        P256.add(double, double)
    with pytest.raises(MalformedDocument):
        P256.add(double, Point(double.x, P256.p - double.y))


def test_scalars_are_taken_modulo_the_order() -> None:
    assert P256.multiple_of_base(P256.n + 2) == P256.multiple_of_base(2)
    with pytest.raises(MalformedDocument):
        P256.multiple_of_base(P256.n)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00",
        b"\x04" + bytes(64),
        b"\x02" + P256.octets(P256.base.x),
        P256.encode(P256.base)[:-1],
        P256.encode(P256.base) + b"\x00",
        P256.encode(Point(P256.base.x, P256.base.y + 1)),
        P256.encode(Point(P256.p, 1)),
    ],
    ids=["none", "infinity", "zeros", "compressed", "cut", "longer", "off curve", "x not reduced"],
)
def test_what_is_no_point_of_the_curve_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedDocument):
        P256.decode(octets)


def test_private_keys_come_from_the_given_source_and_never_are_zero() -> None:
    for drawn, scalar in ((bytes(40), 1), (b"\xff" * 40, None)):
        key = P256.private_key(lambda length, drawn=drawn: drawn[:length])
        value = key.private_numbers().private_value
        assert 1 <= value < P256.n
        assert scalar in (None, value)
