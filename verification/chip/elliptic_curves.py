"""The standardised curves of PACE and chip authentication (BSI TR-03110-3, A.2.1.1).

Every scalar multiplication stays in OpenSSL. What it does not offer - adding two points, the
y-coordinate of an ECDH result - is affine arithmetic on a handful of integers here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.errors import MalformedDocument, malformed_unless_parsed

_UNCOMPRESSED = 0x04
_EVEN_Y = 0x02
# 64 bits more than the order: the remainder is then uniform for all purposes (FIPS 186-5, A.2.1).
_EXTRA_OCTETS = 8


class Point(NamedTuple):
    """An affine point other than infinity."""

    x: int
    y: int


@dataclass(frozen=True)
class Curve:
    """y² = x³ + ax + b over the integers modulo p, base point G of prime order n, cofactor 1."""

    parameter_id: int
    named: ec.EllipticCurve
    oid: str
    p: int
    a: int
    b: int
    base: Point
    n: int

    @cached_property
    def field_length(self) -> int:
        """Octets of a coordinate; every coordinate is written with this many."""
        return (self.p.bit_length() + 7) // 8

    @cached_property
    def order_length(self) -> int:
        """Octets of a scalar."""
        return (self.n.bit_length() + 7) // 8

    def private_key(self, random: Callable[[int], bytes]) -> ec.EllipticCurvePrivateKey:
        """A fresh private key from ``random``."""
        drawn = int.from_bytes(random(self.order_length + _EXTRA_OCTETS), "big")
        return ec.derive_private_key(drawn % (self.n - 1) + 1, self.named)

    def decode(self, octets: bytes) -> ec.EllipticCurvePublicKey:
        """The public key in an uncompressed point; raises MalformedDocument if it is not on the curve."""
        if len(octets) != 1 + 2 * self.field_length or octets[0] != _UNCOMPRESSED:
            raise MalformedDocument("not an uncompressed point of this curve")
        with malformed_unless_parsed("elliptic curve point"):
            return ec.EllipticCurvePublicKey.from_encoded_point(self.named, octets)

    def encode(self, point: Point) -> bytes:
        """The uncompressed form, with leading zeros."""
        return b"\x04" + self.octets(point.x) + self.octets(point.y)

    def octets(self, coordinate: int) -> bytes:
        """A coordinate in its constant length."""
        return coordinate.to_bytes(self.field_length, "big")

    def public_key(self, point: Point) -> ec.EllipticCurvePublicKey:
        """A point we have computed as a key to calculate with."""
        return self.decode(self.encode(point))

    def with_even_y(self, x: bytes) -> bytes:
        """The uncompressed point with this x and an even y; raises MalformedDocument if there is none."""
        with malformed_unless_parsed("elliptic curve point"):
            key = ec.EllipticCurvePublicKey.from_encoded_point(self.named, bytes((_EVEN_Y,)) + x)
        return encode_key(key)

    def add(self, left: Point, right: Point) -> Point:
        """The sum of two different points; raises MalformedDocument where it is infinity or a doubling.

        Neither happens but with negligible chance, or to points chosen to make it happen.
        """
        if left.x == right.x:
            raise MalformedDocument("points of a key agreement coincide")
        slope = (right.y - left.y) * pow(right.x - left.x, -1, self.p)
        x = (slope * slope - left.x - right.x) % self.p
        return Point(x, (slope * (left.x - x) - left.y) % self.p)

    def multiple_of_base(self, scalar: int) -> Point:
        """scalar · G; raises MalformedDocument for a multiple of the order."""
        if not scalar % self.n:
            raise MalformedDocument("nonce of a key agreement is zero")
        return point_of(ec.derive_private_key(scalar % self.n, self.named).public_key())

    def shared_point(self, private: ec.EllipticCurvePrivateKey, theirs: ec.EllipticCurvePublicKey) -> Point:
        """k · P with both coordinates, where ECDH gives only the first.

        A second ECDH with P + G gives the x of kP + kG, and kG is our own public key: enough to
        find the y of kP, without a second private key.
        """
        ours = point_of(private.public_key())
        x = int.from_bytes(private.exchange(ec.ECDH(), theirs), "big")
        moved = self.public_key(self.add(point_of(theirs), self.base))
        sum_x = int.from_bytes(private.exchange(ec.ECDH(), moved), "big")
        return self._recover_y(x, ours, sum_x)

    def _recover_y(self, x: int, other: Point, sum_x: int) -> Point:
        """The point Q with this x, from a point R and the x of Q + R.

        The addition formula (yQ - yR)² = (x(Q+R) + xQ + xR)(xQ - xR)² is linear in yQ once yQ²
        is replaced by the curve's equation.
        """
        squared = (x * x + self.a) * x + self.b
        difference = x - other.x
        right = (sum_x + x + other.x) * difference * difference
        y = (squared + other.y * other.y - right) * pow(2 * other.y, -1, self.p)
        return Point(x, y % self.p)


def point_of(key: ec.EllipticCurvePublicKey) -> Point:
    """The affine coordinates of a public key."""
    octets = encode_key(key)
    half = (len(octets) + 1) // 2
    return Point(int.from_bytes(octets[1:half], "big"), int.from_bytes(octets[half:], "big"))


def encode_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point of a public key."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


# What OpenSSL computes with; the finite-field groups 0 to 2 of the standard are not spoken.
_NAMED: tuple[ec.EllipticCurve, ...] = (
    ec.SECP192R1(),
    ec.SECP224R1(),
    ec.SECP256R1(),
    ec.BrainpoolP256R1(),
    ec.SECP384R1(),
    ec.BrainpoolP384R1(),
    ec.BrainpoolP512R1(),
    ec.SECP521R1(),
)


def _curve(named: ec.EllipticCurve) -> Curve:
    known = PARAMETERS_BY_NAME[named.name]
    base = Point(known.x, known.y)
    return Curve(known.parameter_id, named, known.oid, known.p, known.a, known.b, base, known.n)


CURVES: tuple[Curve, ...] = tuple(_curve(named) for named in _NAMED)
BY_PARAMETER_ID = {curve.parameter_id: curve for curve in CURVES}
BY_OID = {curve.oid: curve for curve in CURVES}
