"""The chip's key agreement on the curves of ICAO 9303-11, table 12, by their parameter ids 8 to 18.

A point is its uncompressed octets (TR-03111, 3.2.1). OpenSSL multiplies on the curves it has and
takes every square root; it gives the x-coordinate of a product only, so where the whole point is
needed the root is chosen whose sum with the own public key has the x that OpenSSL gives for the
sum. On brainpoolP192r1, P224r1 and P320r1, which OpenSSL's binding lacks, this module multiplies.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused
from issuance_backend.virtual_card.icc_random import Random, draw_below
from verification.encoding.curve_parameters import CURVES as CURVE_NUMBERS
from verification.encoding.curve_parameters import DomainParameters

_UNCOMPRESSED = b"\x04"
_EVEN_Y = b"\x02"

_IN_OPENSSL: dict[str, ec.EllipticCurve] = {
    named.name: named
    for named in (
        ec.SECP192R1(),
        ec.SECP224R1(),
        ec.SECP256R1(),
        ec.BrainpoolP256R1(),
        ec.SECP384R1(),
        ec.BrainpoolP384R1(),
        ec.BrainpoolP512R1(),
        ec.SECP521R1(),
    )
}


class Point(NamedTuple):
    """An affine point other than infinity."""

    x: int
    y: int


class EllipticCurve:
    """One curve as a group to agree keys in; ``named`` is OpenSSL's name for it, where it has one."""

    public_value_tag = 0x86
    """The public point in a public key data object (ICAO 9303-11, table 11)."""

    def __init__(self, numbers: DomainParameters) -> None:
        self.numbers = numbers
        self.parameter_id = numbers.parameter_id
        self.prime = numbers.p
        self.order = numbers.n
        self.named = _IN_OPENSSL.get(numbers.name)
        self.base = self.element(Point(numbers.x, numbers.y))

    @property
    def octets(self) -> int:
        """Octets of a coordinate."""
        return self.numbers.field_length

    def key(self, number: int) -> CurveKey:
        """The private key with this number, from 1 to below the order."""
        return CurveKey(self, number)

    def draw(self, random: Random) -> CurveKey:
        """A fresh private key."""
        return self.key(draw_below(self.order, random))

    def decode(self, encoded: bytes) -> bytes:
        """Check what a terminal sent; raises CommandRefused (6A80) for no point of this curve."""
        if len(encoded) != 1 + 2 * self.octets or encoded[:1] != _UNCOMPRESSED:
            raise CommandRefused(SW_DATA_INCORRECT)
        point = self.point(encoded)
        if max(point) >= self.prime or (point.y**2 - self._right_side(point.x)) % self.prime:
            raise CommandRefused(SW_DATA_INCORRECT)
        return encoded

    def encode(self, element: bytes) -> bytes:
        """What goes to the terminal: the point as it is."""
        return element

    def compress(self, element: bytes) -> bytes:
        """Comp(): the x-coordinate in its constant length (ICAO 9303-11, 7.1.4.2.3)."""
        return element[1 : 1 + self.octets]

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The sum of two points; raises CommandRefused (6A80) where they share x.

        That happens by negligible chance, or to points chosen to make it happen.
        """
        one, other = self.point(left), self.point(right)
        if one.x == other.x:
            raise CommandRefused(SW_DATA_INCORRECT)
        slope = (other.y - one.y) * pow(other.x - one.x, -1, self.prime) % self.prime
        x = (slope * slope - one.x - other.x) % self.prime
        return self.element(Point(x, (slope * (one.x - x) - one.y) % self.prime))

    def from_field(self, number: int) -> bytes:
        """The point encoding of integrated mapping (ICAO 9303-11, B.2).

        Raises CommandRefused (6A80) where the standard has none: for p = 1 mod 4, which is
        secp224r1, and for the three field elements that divide by zero.
        """
        p, a, b = self.prime, self.numbers.a, self.numbers.b
        alpha = -number * number % p
        denominator = (alpha + alpha * alpha) % p
        if p % 4 != 3 or not denominator:
            raise CommandRefused(SW_DATA_INCORRECT)
        x2 = -b * pow(a, -1, p) * (1 + pow(denominator, -1, p)) % p
        h2 = self._right_side(x2)
        root = pow(h2, p - 1 - (p + 1) // 4, p)
        if root * root * h2 % p == 1:
            return self.element(Point(x2, root * h2 % p))
        return self.element(Point(alpha * x2 % p, root * pow(number, 3, p) * h2 % p))

    def negated(self, element: bytes) -> bytes:
        """The point with the other y."""
        point = self.point(element)
        return self.element(Point(point.x, self.prime - point.y))

    def point(self, element: bytes) -> Point:
        """The coordinates of a point."""
        middle = 1 + self.octets
        return Point(int.from_bytes(element[1:middle], "big"), int.from_bytes(element[middle:], "big"))

    def element(self, point: Point) -> bytes:
        """The octets of a point, each coordinate in its constant length."""
        return _UNCOMPRESSED + b"".join(value.to_bytes(self.octets, "big") for value in point)

    def multiply(self, number: int, element: bytes) -> bytes | None:
        """``number`` times the point by this module's own arithmetic; None is infinity.

        Double and add in Jacobian coordinates (X/Z², Y/Z³). Its time tells the number's bits:
        fit for a chip of tests and demonstrations only, like everything here.
        """
        point = self.point(element)
        x, y, z = 0, 1, 0
        for bit in f"{number:b}":
            x, y, z = self._double(x, y, z)
            if bit == "1":
                x, y, z = self._add(x, y, z, point)
        if not z:
            return None
        inverse = pow(z, -1, self.prime)
        square = inverse * inverse % self.prime
        return self.element(Point(x * square % self.prime, y * square * inverse % self.prime))

    def _right_side(self, x: int) -> int:
        return ((x * x + self.numbers.a) * x + self.numbers.b) % self.prime

    def _double(self, x: int, y: int, z: int) -> tuple[int, int, int]:
        p = self.prime
        square = y * y % p
        middle = 4 * x * square % p
        slope = (3 * x * x + self.numbers.a * pow(z, 4, p)) % p
        new_x = (slope * slope - 2 * middle) % p
        return new_x, (slope * (middle - new_x) - 8 * square * square) % p, 2 * y * z % p

    def _add(self, x: int, y: int, z: int, point: Point) -> tuple[int, int, int]:
        """The sum with an affine point."""
        p = self.prime
        if not z:
            return point.x, point.y, 1
        square = z * z % p
        over = (point.x * square - x) % p
        rise = (point.y * square * z - y) % p
        if not over:
            return self._double(x, y, z) if not rise else (0, 1, 0)
        over_2 = over * over % p
        over_3 = over_2 * over % p
        start = x * over_2 % p
        new_x = (rise * rise - over_3 - 2 * start) % p
        return new_x, (rise * (start - new_x) - y * over_3) % p, z * over % p


class CurveKey:
    """A private key on one curve."""

    def __init__(self, curve: EllipticCurve, number: int) -> None:
        self.number = number
        self._curve = curve
        self._openssl = None if curve.named is None else ec.derive_private_key(number, curve.named)
        self.public = self._public()

    def agree(self, element: bytes) -> bytes:
        """The shared secret with this point: the x-coordinate (TR-03111, 4.3.1)."""
        if self._openssl is None or self._curve.named is None:
            return self._curve.compress(self.times(element))
        try:
            other = ec.EllipticCurvePublicKey.from_encoded_point(self._curve.named, element)
        except ValueError:
            raise CommandRefused(SW_DATA_INCORRECT) from None
        return self._openssl.exchange(ec.ECDH(), other)

    def times(self, element: bytes) -> bytes:
        """The whole product with this point."""
        if self._openssl is None:
            return self._own_product(element)
        curve = self._curve
        if curve.compress(element) == curve.compress(curve.base):
            return self.public if element == curve.base else curve.negated(self.public)
        candidate = self._even(self.agree(element))
        # k(P + G) = kP + kG, and kG is the own public key.
        moved = self.agree(curve.combine(element, curve.base))
        is_right = curve.compress(curve.combine(candidate, self.public)) == moved
        return candidate if is_right else curve.negated(candidate)

    def _public(self) -> bytes:
        if self._openssl is None:
            return self._own_product(self._curve.base)
        return self._openssl.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def _even(self, x: bytes) -> bytes:
        if self._curve.named is None:
            raise CommandRefused(SW_DATA_INCORRECT)
        key = ec.EllipticCurvePublicKey.from_encoded_point(self._curve.named, _EVEN_Y + x)
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def _own_product(self, element: bytes) -> bytes:
        product = self._curve.multiply(self.number, element)
        if product is None:
            raise CommandRefused(SW_DATA_INCORRECT)
        return product


CURVES = {numbers.parameter_id: EllipticCurve(numbers) for numbers in CURVE_NUMBERS}
"""By the number of the standardised domain parameters (ICAO 9303-11, 9.5.1)."""
