"""Points on the curves of ICAO 9303-11, table 7, for the chip's key agreement and mapping.

OpenSSL does every scalar multiplication and every square root. It gives the x-coordinate of a
product only; where the whole point is needed, the root is chosen whose sum with the known point
has the x-coordinate that OpenSSL gives for the next scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Curve:
    """A named curve and the prime of its field."""

    named: ec.EllipticCurve
    prime: int

    @property
    def octets(self) -> int:
        """Octets of a coordinate."""
        return (self.prime.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class Point:
    """An affine point; ``key`` is the same for OpenSSL."""

    x: int
    y: int
    curve: Curve

    @property
    def key(self) -> ec.EllipticCurvePublicKey:
        """The point as a public key; raises ValueError off the curve."""
        return ec.EllipticCurvePublicNumbers(self.x, self.y, self.curve.named).public_key()

    @property
    def encoded(self) -> bytes:
        """The uncompressed form (TR-03111, 3.2.1)."""
        size = self.curve.octets
        return b"\x04" + self.x.to_bytes(size, "big") + self.y.to_bytes(size, "big")


_SPOKEN: tuple[ec.EllipticCurve, ...] = (
    ec.SECP256R1(),
    ec.BrainpoolP256R1(),
    ec.SECP384R1(),
    ec.BrainpoolP384R1(),
    ec.BrainpoolP512R1(),
    ec.SECP521R1(),
)

CURVES = {
    PARAMETERS_BY_NAME[named.name].parameter_id: Curve(named, PARAMETERS_BY_NAME[named.name].p)
    for named in _SPOKEN
}
"""By the number of the standardized domain parameters (ICAO 9303-11, 9.5.1)."""


def curve_named(name: str) -> Curve | None:
    """Return the curve that OpenSSL calls ``name``."""
    return next((curve for curve in CURVES.values() if curve.named.name == name), None)


def decode_point(curve: Curve, encoded: bytes) -> Point:
    """Read an uncompressed point; raises CommandRefused (6A80) for one that is not on the curve."""
    if encoded[:1] != b"\x04":
        raise CommandRefused(SW_DATA_INCORRECT)
    return _from_openssl(curve, encoded)


def random_key(curve: Curve, random: Random) -> ec.EllipticCurvePrivateKey:
    """Draw a private key."""
    while True:
        scalar = int.from_bytes(random(curve.octets), "big")
        try:
            return ec.derive_private_key(scalar, curve.named)
        except ValueError:
            continue  # zero or not below the order: draw again


def public_point(curve: Curve, key: ec.EllipticCurvePrivateKey) -> Point:
    """Return the key's product with the curve's base point."""
    numbers = key.public_key().public_numbers()
    return Point(numbers.x, numbers.y, curve)


def product_x(key: ec.EllipticCurvePrivateKey, point: Point) -> bytes:
    """Return the x-coordinate of key times point, in the curve's octets."""
    return key.exchange(ec.ECDH(), point.key)


def either_product(key: ec.EllipticCurvePrivateKey, point: Point) -> Point:
    """Return key times point or its negative: enough where only x goes on into a secret."""
    return _from_openssl(point.curve, b"\x02" + product_x(key, point))


def product(key: ec.EllipticCurvePrivateKey, point: Point) -> Point:
    """Return key times point.

    The key has a successor below the order: random_key would give the last one in 2**256 draws.
    """
    candidate = either_product(key, point)
    following = ec.derive_private_key(key.private_numbers().private_value + 1, point.curve.named)
    if add(candidate, point).x == int.from_bytes(product_x(following, point), "big"):
        return candidate
    return Point(candidate.x, point.curve.prime - candidate.y, point.curve)


def add(left: Point, right: Point) -> Point:
    """Add two points of different x; raises CommandRefused (6A80) for equal x."""
    prime = left.curve.prime
    if left.x == right.x:
        raise CommandRefused(SW_DATA_INCORRECT)
    slope = (right.y - left.y) * pow(right.x - left.x, -1, prime) % prime
    x = (slope * slope - left.x - right.x) % prime
    return Point(x, (slope * (left.x - x) - left.y) % prime, left.curve)


def mapped_generator(curve: Curve, nonce: int, shared: Point) -> Point:
    """Generic mapping: nonce times the base point, plus the shared point (ICAO 9303-11, 4.4.3.3.1)."""
    return add(public_point(curve, ec.derive_private_key(nonce, curve.named)), shared)


def _from_openssl(curve: Curve, encoded: bytes) -> Point:
    try:
        numbers = ec.EllipticCurvePublicKey.from_encoded_point(curve.named, encoded).public_numbers()
    except ValueError:
        raise CommandRefused(SW_DATA_INCORRECT) from None
    return Point(numbers.x, numbers.y, curve)
