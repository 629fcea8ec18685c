"""Diffie-Hellman over finite fields (ICAO 9303-11, 9.5.1; RFC 5114; PKCS #3; X9.42).

Exponentiation is Python's own: OpenSSL's binding has announced that it will drop finite fields.
It takes one to three milliseconds where a session lasts seconds, and its keys live for one session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from verification.chip.private_scalars import draw_scalar
from verification.errors import LimitExceeded, MalformedDocument

# Chips go to 2048; the time that a hostile key takes grows with the cube.
_MIN_PRIME_BITS, _MAX_PRIME_BITS = 1024, 3072
_MIN_ORDER_BITS = 160
# Twice any strength spoken of here; a longer exponent only costs time.
_MAX_EXPONENT_BITS = 512
# Security of a modulus in bits (NIST SP 800-57-1, table 2).
_STRENGTH_FROM_BITS = ((3072, 128), (2048, 112), (0, 80))


@dataclass(frozen=True)
class FiniteFieldGroup:
    """Numbers modulo the prime p, a group of ``verification.chip.key_agreement``; g generates it.

    ``q`` is the order of g; 0 where the source does not tell, as in PKCS #3. Then public values
    cannot be tested for membership and the integrated mapping is not possible.
    """

    p: int
    g: int
    q: int = 0
    parameter_id: int | None = None

    public_key_tag = 0x84

    @property
    def field_prime(self) -> int:
        """p."""
        return self.p

    @cached_property
    def field_length(self) -> int:
        """Octets of a shared secret."""
        return (self.p.bit_length() + 7) // 8

    @cached_property
    def strength(self) -> int:
        """The lesser of what p and q give."""
        bits = self.p.bit_length()
        of_modulus = next(strength for least, strength in _STRENGTH_FROM_BITS if bits >= least)
        return min(of_modulus, self.q.bit_length() // 2) if self.q else of_modulus

    @property
    def admits_integrated_mapping(self) -> bool:
        """Whether the order is known."""
        return bool(self.q)

    def key(self, random: Callable[[int], bytes]) -> FiniteFieldKey:
        """A fresh private key from ``random``."""
        bound = 1 << _MAX_EXPONENT_BITS
        return FiniteFieldKey(self, draw_scalar(min(self.q or bound, bound), random))

    def element(self, octets: bytes) -> bytes:
        """The number without leading zeros (9.4.1), its range tested; raises MalformedDocument.

        Whether it belongs to the group costs a power and is tested where it is used.
        """
        return self._octets(self._number_in_range(octets))

    def power_of_generator(self, exponent: int) -> bytes:
        """g to a power; raises MalformedDocument for a multiple of the order."""
        return self._octets(self._not_neutral(pow(self.g, exponent, self.p)))

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The product of two elements; raises MalformedDocument where it is 1."""
        product = self._number_in_range(left) * self._number_in_range(right) % self.p
        return self._octets(self._not_neutral(product))

    def encode_number(self, number: int) -> bytes:
        """f_g of the integrated mapping: the number to the cofactor; raises MalformedDocument for 1."""
        if not self.q:
            raise MalformedDocument("no integrated mapping where the order is not known")
        return self._octets(self._not_neutral(pow(number, (self.p - 1) // self.q, self.p)))

    def compress(self, element: bytes) -> bytes:
        """The SHA-1 hash of the public value."""
        return hashlib.sha1(element, usedforsecurity=False).digest()

    def power(self, octets: bytes, exponent: int) -> int:
        """An element to a power, after the validation of RFC 2631, 2.1.5.

        A number of small order would let a chip guess the shared secret without the password.
        Raises MalformedDocument.
        """
        number = self._number_in_range(octets)
        if self.q and pow(number, self.q, self.p) != 1:
            raise MalformedDocument("a public value outside the group")
        return self._not_neutral(pow(number, exponent, self.p))

    def _number_in_range(self, octets: bytes) -> int:
        number = int.from_bytes(octets, "big")
        if len(octets) > self.field_length or not 1 < number < self.p - 1:
            raise MalformedDocument("not a public value of this group")
        return number

    def _not_neutral(self, number: int) -> int:
        # p - 1 has order 2: no element of a group of odd prime order.
        if not 1 < number < self.p - 1:
            raise MalformedDocument("a key agreement ends in the neutral element")
        return number

    def _octets(self, number: int) -> bytes:
        return number.to_bytes((number.bit_length() + 7) // 8, "big")


class FiniteFieldKey:
    """A private exponent of a group."""

    __slots__ = ("_exponent", "_group")

    def __init__(self, group: FiniteFieldGroup, exponent: int) -> None:
        self._group = group
        self._exponent = exponent

    @property
    def public(self) -> bytes:
        """The public key over g, computed where it is asked for."""
        return self._group.power_of_generator(self._exponent)

    def public_over(self, generator: bytes) -> bytes:
        """The public key over another generator."""
        return self.shared_element(generator)

    def shared_element(self, theirs: bytes) -> bytes:
        """The shared number without leading zeros."""
        return self.shared_secret(theirs).lstrip(b"\x00")

    def shared_secret(self, theirs: bytes) -> bytes:
        """The shared number in the length of p (PKCS #3, 8.3; RFC 2631, 2.1.2)."""
        return self._group.power(theirs, self._exponent).to_bytes(self._group.field_length, "big")


def group_of(p: int, g: int, q: int) -> FiniteFieldGroup:
    """The group with these parameters, one of the standardised where they are its own.

    ``q`` is 0 where it is not known. Raises LimitExceeded for sizes that no chip has,
    MalformedDocument for numbers that cannot be parameters. That p is prime and g of this order
    is the word of who signed them.
    """
    for known in GROUPS:
        if (p, g) == (known.p, known.g) and q in (0, known.q):
            return known
    if not _MIN_PRIME_BITS <= p.bit_length() <= _MAX_PRIME_BITS:
        raise LimitExceeded("Diffie-Hellman modulus too short or too long")
    if p < 0 or not p & 1 or not 1 < g < p - 1:
        raise MalformedDocument("not Diffie-Hellman parameters")
    if q and (q.bit_length() < _MIN_ORDER_BITS or q < 0 or (p - 1) % q):
        raise MalformedDocument("not the order of a Diffie-Hellman generator")
    return FiniteFieldGroup(p, g, q)


def _standardised(parameter_id: int, *values: str) -> FiniteFieldGroup:
    p, g, q = (int(value, 16) for value in values)
    return FiniteFieldGroup(p, g, q, parameter_id)


# RFC 5114, 2.1 to 2.3.
GROUPS: tuple[FiniteFieldGroup, ...] = (
    _standardised(
        0,
        "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c0"
        "13ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0"
        "a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371",
        "a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213"
        "160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28a"
        "d662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5",
        "f518aa8781a8df278aba4e7d64b7cb9d49462353",
    ),
    _standardised(
        1,
        "ad107e1e9123a9d0d660faa79559c51fa20d64e5683b9fd1b54b1597b61d0a75e6fa141df95a56dbaf9a3c407ba1df15"
        "eb3d688a309c180e1de6b85a1274a0a66d3f8152ad6ac2129037c9edefda4df8d91e8fef55b7394b7ad5b7d0b6c12207"
        "c9f98d11ed34dbf6c6ba0b2c8bbc27be6a00e0a0b9c49708b3bf8a317091883681286130bc8985db1602e714415d9330"
        "278273c7de31efdc7310f7121fd5a07415987d9adc0a486dcdf93acc44328387315d75e198c641a480cd86a1b9e587e8"
        "be60e69cc928b2b9c52172e413042e9b23f10b0e16e79763c9b53dcf4ba80a29e3fb73c16b8e75b97ef363e2ffa31f71"
        "cf9de5384e71b81c0ac4dffe0c10e64f",
        "ac4032ef4f2d9ae39df30b5c8ffdac506cdebe7b89998caf74866a08cfe4ffe3a6824a4e10b9a6f0dd921f01a70c4afa"
        "ab739d7700c29f52c57db17c620a8652be5e9001a8d66ad7c17669101999024af4d027275ac1348bb8a762d0521bc98a"
        "e247150422ea1ed409939d54da7460cdb5f6c6b250717cbef180eb34118e98d119529a45d6f834566e3025e316a330ef"
        "bb77a86f0c1ab15b051ae3d428c8f8acb70a8137150b8eeb10e183edd19963ddd9e263e4770589ef6aa21e7f5f2ff381"
        "b539cce3409d13cd566afbb48d6c019181e1bcfe94b30269edfe72fe9b6aa4bd7b5a0f1c71cfff4c19c418e1f6ec0179"
        "81bc087f2a7065b384b890d3191f2bfa",
        "801c0d34c58d93fe997177101f80535a4738cebcbf389a99b36371eb",
    ),
    _standardised(
        2,
        "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa30"
        "16c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b"
        "6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0e"
        "f13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026"
        "c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"
        "693877fad7ef09cadb094ae91e1a1597",
        "3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba12510dbc15077be463fff4fed4aac0bb555"
        "be3a6c1b0c6b47b1bc3773bf7e8c6f62901228f8c28cbb18a55ae31341000a650196f931c77a57f2ddf463e5e9ec144b"
        "777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193b5045af2767164e1dfc967c1fb3f2e55"
        "a4bd1bffe83b9c80d052b985d182ea0adb2a3b7313d3fe14c8484b1e052588b9b7d2bbd2df016199ecd06e1557cd0915"
        "b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d1db246c32f63078490f00ef8d647d148d4795451"
        "5e2327cfef98c582664b4c0f6cc41659",
        "8cf83642a709a097b447997640129da299b1a47d1eb3750ba308b0fe64f5fbd3",
    ),
)
