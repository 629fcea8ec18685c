"""The standardised curves of PACE and chip authentication (ICAO 9303-11, 9.5.1; BSI TR-03110-3, A.2.1.1).

Every scalar multiplication stays in OpenSSL where it has the curve. What it does not offer -
adding two points, the y-coordinate of an ECDH result - is affine arithmetic on a handful of
integers here. The three curves that its Python binding lacks are computed with
``verification.encoding.curve_arithmetic``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verification.chip.private_scalars import draw_scalar
from verification.encoding import curve_arithmetic
from verification.encoding.curve_arithmetic import AffinePoint, decode_point, encode_point
from verification.encoding.curve_parameters import CURVES as ALL_PARAMETERS
from verification.encoding.curve_parameters import IN_OPENSSL, DomainParameters
from verification.errors import MalformedDocument, malformed_unless_parsed

_EVEN_Y = b"\x02"


@dataclass(frozen=True)
class Curve:
    """A group of ``verification.chip.key_agreement``; ``named`` is None where OpenSSL is of no help."""

    parameters: DomainParameters
    named: ec.EllipticCurve | None

    public_key_tag = 0x86

    @property
    def parameter_id(self) -> int:
        """The number among the standardised domain parameters."""
        return self.parameters.parameter_id

    @property
    def field_prime(self) -> int:
        """p."""
        return self.parameters.p

    @cached_property
    def strength(self) -> int:
        """Half the bits of the order: what Pollard's rho takes."""
        return self.parameters.n.bit_length() // 2

    @cached_property
    def order_length(self) -> int:
        """Octets of a scalar."""
        return (self.parameters.n.bit_length() + 7) // 8

    @property
    def admits_integrated_mapping(self) -> bool:
        """Whether the point encoding works: secp224r1 is standardised without it (9.5.1, table 12)."""
        return self.parameters.p % 4 == 3

    def key(self, random: Callable[[int], bytes]) -> CurveKey:
        """A fresh private key from ``random``."""
        return self.key_of(draw_scalar(self.parameters.n, random))

    def key_of(self, scalar: int) -> CurveKey:
        """The private key with this number, from 1 to the order less one."""
        if self.named is None:
            return PlainKey(self.parameters, scalar)
        return OpensslKey(self, ec.derive_private_key(scalar, self.named))

    def element(self, octets: bytes) -> bytes:
        """The octets themselves, an uncompressed point of this curve; raises MalformedDocument."""
        decode_point(self.parameters, octets)
        return octets

    def power_of_generator(self, exponent: int) -> bytes:
        """exponent · G; raises MalformedDocument for a multiple of the order."""
        if not exponent % self.parameters.n:
            raise MalformedDocument("nonce of a key agreement is a multiple of the order")
        return self.key_of(exponent % self.parameters.n).public

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The sum of two points; raises MalformedDocument where it is infinity."""
        points = (decode_point(self.parameters, octets) for octets in (left, right))
        return encode_point(self.parameters, curve_arithmetic.add(self.parameters, *points))

    def encode_number(self, number: int) -> bytes:
        """The point that a number of the field is mapped to (9303-11, appendix B.2).

        Raises MalformedDocument for 0, 1 and -1, and on a curve that does not admit it.
        """
        if not self.admits_integrated_mapping:
            raise MalformedDocument("no integrated mapping on this curve")
        return encode_point(self.parameters, _encoded_number(self.parameters, number))

    def compress(self, element: bytes) -> bytes:
        """The x-coordinate."""
        return element[1 : 1 + self.parameters.field_length]

    def openssl_key(self, element: bytes) -> ec.EllipticCurvePublicKey:
        """The point as a key of OpenSSL; raises MalformedDocument if it is none, or none OpenSSL takes."""
        if self.named is None or len(element) != 1 + 2 * self.parameters.field_length:
            raise MalformedDocument("not an uncompressed point of a curve that OpenSSL offers")
        with malformed_unless_parsed("elliptic curve point"):
            return ec.EllipticCurvePublicKey.from_encoded_point(self.named, element)


class OpensslKey:
    """A private key that OpenSSL multiplies with."""

    def __init__(self, curve: Curve, private: ec.EllipticCurvePrivateKey) -> None:
        self._curve = curve
        self._private = private

    @cached_property
    def public(self) -> bytes:
        """The public key over G."""
        return _octets(self._private.public_key())

    def public_over(self, generator: bytes) -> bytes:
        """A public key over another generator, with the even y.

        ECDH with the generator is k·G' but for the sign of y.
        """
        x = self.shared_secret(generator)
        with malformed_unless_parsed("elliptic curve point"):
            key = ec.EllipticCurvePublicKey.from_encoded_point(self._private.curve, _EVEN_Y + x)
        return _octets(key)

    def shared_secret(self, theirs: bytes) -> bytes:
        """The x-coordinate of the shared point."""
        return self._private.exchange(ec.ECDH(), self._curve.openssl_key(theirs))

    def shared_element(self, theirs: bytes) -> bytes:
        """k · P with both coordinates, where ECDH gives only the first.

        A second ECDH with P + G gives the x of kP + kG, and kG is our own public key: enough to
        find the y of kP, without a second private key.
        """
        parameters = self._curve.parameters
        x = int.from_bytes(self.shared_secret(theirs), "big")
        base = curve_arithmetic.base_point(parameters)
        moved = curve_arithmetic.add(parameters, decode_point(parameters, theirs), base)
        sum_x = int.from_bytes(self.shared_secret(encode_point(parameters, moved)), "big")
        ours = decode_point(parameters, self.public)
        return encode_point(parameters, _with_recovered_y(parameters, x, ours, sum_x))


class PlainKey:
    """A private key on a curve that OpenSSL's binding lacks."""

    def __init__(self, parameters: DomainParameters, scalar: int) -> None:
        self._parameters = parameters
        self._scalar = scalar

    @cached_property
    def public(self) -> bytes:
        """The public key over G."""
        return encode_point(self._parameters, self._multiple(curve_arithmetic.base_point(self._parameters)))

    def public_over(self, generator: bytes) -> bytes:
        """The public key over another generator."""
        return self.shared_element(generator)

    def shared_secret(self, theirs: bytes) -> bytes:
        """The x-coordinate of the shared point, with its leading zeros."""
        shared = self._multiple(decode_point(self._parameters, theirs))
        return shared.x.to_bytes(self._parameters.field_length, "big")

    def shared_element(self, theirs: bytes) -> bytes:
        """The shared point."""
        return encode_point(self._parameters, self._multiple(decode_point(self._parameters, theirs)))

    def _multiple(self, point: AffinePoint) -> AffinePoint:
        return curve_arithmetic.multiply(self._parameters, self._scalar, point)


CurveKey = OpensslKey | PlainKey


def _octets(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _with_recovered_y(curve: DomainParameters, x: int, other: AffinePoint, sum_x: int) -> AffinePoint:
    """The point Q with this x, from a point R and the x of Q + R.

    The addition formula (yQ - yR)² = (x(Q+R) + xQ + xR)(xQ - xR)² is linear in yQ once yQ²
    is replaced by the curve's equation.
    """
    squared = (x * x + curve.a) * x + curve.b
    difference = x - other.x
    right = (sum_x + x + other.x) * difference * difference
    y = (squared + other.y * other.y - right) * pow(2 * other.y, -1, curve.p)
    return AffinePoint(x, y % curve.p)


def _encoded_number(curve: DomainParameters, t: int) -> AffinePoint:
    """f_G of the integrated mapping for p = 3 mod 4, in the names of appendix B.2."""
    p, a, b = curve.p, curve.a, curve.b
    alpha = -t * t % p
    with malformed_unless_parsed("integrated mapping"):  # no inverse where t is 0, 1 or -1
        x2 = -b * pow(a, -1, p) * (1 + pow(alpha + alpha * alpha, -1, p)) % p
    h2 = (x2 * x2 * x2 + a * x2 + b) % p
    u = t * t * t * h2
    # h2 to the power (p - 1) - (p + 1)/4 is one over its square root, where it has one.
    inverse_root = pow(h2, p - 1 - (p + 1) // 4, p)
    if inverse_root * inverse_root * h2 % p == 1:
        return AffinePoint(x2, inverse_root * h2 % p)
    return AffinePoint(alpha * x2 % p, inverse_root * u % p)


CURVES: tuple[Curve, ...] = tuple(Curve(known, IN_OPENSSL.get(known.name)) for known in ALL_PARAMETERS)
BY_PARAMETER_ID = {curve.parameter_id: curve for curve in CURVES}
BY_OID = {curve.parameters.oid: curve for curve in CURVES}
