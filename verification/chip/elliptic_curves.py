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


def _curve(parameter_id: int, named: ec.EllipticCurve, oid: str, *values: str) -> Curve:
    p, a, b, x, y, n = (int(value, 16) for value in values)
    return Curve(parameter_id, named, oid, p, a, b, Point(x, y), n)


# Standardised domain parameters that OpenSSL computes with. Absent: the finite-field groups 0-2
# and brainpool P192r1, P224r1 and P320r1, for which it offers no curve.
CURVES: tuple[Curve, ...] = (
    _curve(
        8,
        ec.SECP192R1(),
        "1.2.840.10045.3.1.1",
        "fffffffffffffffffffffffffffffffeffffffffffffffff",
        "fffffffffffffffffffffffffffffffefffffffffffffffc",
        "64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1",
        "188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012",
        "07192b95ffc8da78631011ed6b24cdd573f977a11e794811",
        "ffffffffffffffffffffffff99def836146bc9b1b4d22831",
    ),
    _curve(
        10,
        ec.SECP224R1(),
        "1.3.132.0.33",
        "ffffffffffffffffffffffffffffffff000000000000000000000001",
        "fffffffffffffffffffffffffffffffefffffffffffffffffffffffe",
        "b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4",
        "b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21",
        "bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34",
        "ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d",
    ),
    _curve(
        12,
        ec.SECP256R1(),
        "1.2.840.10045.3.1.7",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
        "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    _curve(
        13,
        ec.BrainpoolP256R1(),
        "1.3.36.3.3.2.8.1.1.7",
        "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
        "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
        "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
        "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
        "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
        "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    ),
    _curve(
        15,
        ec.SECP384R1(),
        "1.3.132.0.34",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    _curve(
        16,
        ec.BrainpoolP384R1(),
        "1.3.36.3.3.2.8.1.1.11",
        "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53",
        "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826",
        "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11",
        "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e",
        "8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
        "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565",
    ),
    _curve(
        17,
        ec.BrainpoolP512R1(),
        "1.3.36.3.3.2.8.1.1.13",
        "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e6"
        "2881ff2f2d82c68528aa6056583a48f3",
        "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b5"
        "7f1117a72bf2c7b9e7c1ac4d77fc94ca",
        "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67"
        "984050b75ebae5dd2809bd638016f723",
        "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f"
        "7c6d5047406a5e688b352209bcb9f822",
        "7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763ae"
        "d1ca2b2fa8f0540678cd1e0f3ad80892",
        "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac1047"
        "1db1d381085ddaddb58796829ca90069",
    ),
    _curve(
        18,
        ec.SECP521R1(),
        "1.3.132.0.35",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffff",
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "fffffffffffffffffffffffffffffffffffc",
        "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1"
        "bf073573df883d2c34f1ef451fd46b503f00",
        "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ff"
        "a8de3348b3c1856a429bf97e7e31c2e5bd66",
        "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad"
        "0761353c7086a272c24088be94769fd16650",
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709"
        "a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
)

BY_PARAMETER_ID = {curve.parameter_id: curve for curve in CURVES}
BY_OID = {curve.oid: curve for curve in CURVES}
