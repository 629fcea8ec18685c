"""Arithmetic on the curves that OpenSSL's Python binding does not offer (RFC 5639: P192r1, P224r1, P320r1).

Everything else is computed in OpenSSL. This is several times slower and its time depends on the
numbers, so it is used for public keys and for keys that live for one session, on a terminal that
has its own reader and no neighbour who measures it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from verification.encoding.curve_parameters import DomainParameters
from verification.errors import MalformedDocument

_UNCOMPRESSED = 0x04


class AffinePoint(NamedTuple):
    """A point other than infinity."""

    x: int
    y: int


# X/Z² and Y/Z³ are the affine coordinates: without a division at every step.
_Jacobian = tuple[int, int, int]


def decode_point(curve: DomainParameters, octets: bytes) -> AffinePoint:
    """The point in its uncompressed form (SEC 1, 2.3.4).

    Raises MalformedDocument where it is another form, infinity, or no point of the curve. The
    cofactor is 1, so every point that passes has the order of the base point.
    """
    length = curve.field_length
    if len(octets) != 1 + 2 * length or octets[0] != _UNCOMPRESSED:
        raise MalformedDocument("not an uncompressed point of this curve")
    x, y = int.from_bytes(octets[1 : 1 + length], "big"), int.from_bytes(octets[1 + length :], "big")
    if x >= curve.p or y >= curve.p or (y * y - (x * x + curve.a) * x - curve.b) % curve.p:
        raise MalformedDocument("not a point of this curve")
    return AffinePoint(x, y)


def encode_point(curve: DomainParameters, point: AffinePoint) -> bytes:
    """The uncompressed form, both coordinates with their leading zeros."""
    return b"".join(
        (
            bytes((_UNCOMPRESSED,)),
            point.x.to_bytes(curve.field_length, "big"),
            point.y.to_bytes(curve.field_length, "big"),
        )
    )


def base_point(curve: DomainParameters) -> AffinePoint:
    """G."""
    return AffinePoint(curve.x, curve.y)


def add(curve: DomainParameters, left: AffinePoint, right: AffinePoint) -> AffinePoint:
    """The sum of two points; raises MalformedDocument where it is infinity."""
    return _affine(curve, _add_affine(curve, (left.x, left.y, 1), right))


def multiply(curve: DomainParameters, scalar: int, point: AffinePoint) -> AffinePoint:
    """scalar · point; raises MalformedDocument for a multiple of the order, which gives infinity."""
    negative = AffinePoint(point.x, curve.p - point.y)
    digits = _signed_digits(scalar % curve.n)
    if next(digits, 0) == 0:
        raise MalformedDocument("a multiple of the order of a curve")
    result: _Jacobian = (point.x, point.y, 1)
    for digit in digits:
        result = _double(curve, result)
        if digit:
            result = _add_affine(curve, result, point if digit > 0 else negative)
    return _affine(curve, result)


def verify_signature(
    curve: DomainParameters, public: AffinePoint, digest: bytes, signature: tuple[int, int]
) -> None:
    """Verify r and s of ECDSA over a digest (SEC 1, 4.1.4); raises InvalidSignature as OpenSSL's keys do."""
    r, s = signature
    n = curve.n
    if not (0 < r < n and 0 < s < n):
        raise InvalidSignature
    # As many bits of the digest as the order has, from the left.
    number = int.from_bytes(digest, "big") >> max(0, 8 * len(digest) - n.bit_length())
    inverse = pow(s, -1, n)
    try:
        point = _sum_of_multiples(curve, number * inverse % n, r * inverse % n, public)
    except MalformedDocument:  # infinity: no signature leads there
        raise InvalidSignature from None
    if point.x % n != r:
        raise InvalidSignature


def _sum_of_multiples(
    curve: DomainParameters, of_base: int, of_public: int, public: AffinePoint
) -> AffinePoint:
    other = multiply(curve, of_public, public)
    # A digest may be zero, and the standard has a rule for it.
    return add(curve, multiply(curve, of_base, base_point(curve)), other) if of_base else other


def _signed_digits(scalar: int) -> Iterator[int]:
    """The non-adjacent form, highest digit first: two of three digits are zero and cost no addition."""
    digits = []
    while scalar:
        digit = 2 - scalar % 4 if scalar & 1 else 0
        digits.append(digit)
        scalar = (scalar - digit) >> 1
    return reversed(digits)


def _double(curve: DomainParameters, point: _Jacobian) -> _Jacobian:
    # No point of odd order has y = 0, so that the double is never infinity.
    x, y, z = point
    p = curve.p
    y_squared = y * y % p
    s = 4 * x * y_squared % p
    z_squared = z * z % p
    slope = (3 * x * x + curve.a * z_squared * z_squared) % p
    new_x = (slope * slope - 2 * s) % p
    return new_x, (slope * (s - new_x) - 8 * y_squared * y_squared) % p, 2 * y * z % p


def _add_affine(curve: DomainParameters, left: _Jacobian, right: AffinePoint) -> _Jacobian:
    x, y, z = left
    p = curve.p
    z_squared = z * z % p
    difference = (right.x * z_squared - x) % p
    rise = (right.y * z_squared * z - y) % p
    if not difference:
        if rise:
            raise MalformedDocument("the sum of two points is infinity")
        return _double(curve, left)
    squared = difference * difference % p
    cubed = squared * difference % p
    moved = x * squared % p
    new_x = (rise * rise - cubed - 2 * moved) % p
    return new_x, (rise * (moved - new_x) - y * cubed) % p, z * difference % p


def _affine(curve: DomainParameters, point: _Jacobian) -> AffinePoint:
    x, y, z = point
    inverse = pow(z, -1, curve.p)
    squared = inverse * inverse % curve.p
    return AffinePoint(x * squared % curve.p, y * squared * inverse % curve.p)
