"""The chip's key agreement in the prime fields of ICAO 9303-11, table 12: parameter ids 0 to 2 (RFC 5114, 2).

An element is its octets in the length of the prime. On the wire it is an unsigned integer
without leading zeros (9303-11, 9.4.1); the shared secret keeps them (PKCS #3).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused
from issuance_backend.virtual_card.icc_random import Random, draw_below


@dataclass(frozen=True)
class ModularGroup:
    """The subgroup of order q that g generates in the integers modulo the prime p."""

    parameter_id: int
    prime: int
    generator: int
    order: int

    public_value_tag = 0x84
    """The public value in a public key data object (ICAO 9303-11, table 10)."""

    @property
    def octets(self) -> int:
        """Octets of an element."""
        return (self.prime.bit_length() + 7) // 8

    def key(self, number: int) -> ModularKey:
        """The private key with this number."""
        return ModularKey(self, number)

    def draw(self, random: Random) -> ModularKey:
        """A fresh private key."""
        return self.key(draw_below(self.order, random))

    def decode(self, encoded: bytes) -> bytes:
        """Check what a terminal sent; raises CommandRefused (6A80) for no element of this group.

        The test by the order (RFC 2631, 2.1.5) keeps a terminal from learning the chip's static
        key through small subgroups. Leading zeros are taken, though the standard has none.
        """
        number = int.from_bytes(encoded, "big")
        in_range = len(encoded) <= self.octets and 1 < number < self.prime - 1
        if not in_range or pow(number, self.order, self.prime) != 1:
            raise CommandRefused(SW_DATA_INCORRECT)
        return self.element(number)

    def encode(self, element: bytes) -> bytes:
        """What goes to the terminal: an unsigned integer in the fewest octets."""
        return element.lstrip(b"\x00")

    def compress(self, element: bytes) -> bytes:
        """Comp(): SHA-1 of the public value as it is sent (ICAO 9303-11, 7.1.4.1.3)."""
        return hashlib.sha1(self.encode(element), usedforsecurity=False).digest()

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The product of two elements."""
        return self.element(int.from_bytes(left, "big") * int.from_bytes(right, "big") % self.prime)

    def from_field(self, number: int) -> bytes:
        """Integrated mapping: the power by the cofactor (ICAO 9303-11, 4.4.3.3.2).

        Raises CommandRefused (6A80) where that is 1.
        """
        mapped = pow(number, (self.prime - 1) // self.order, self.prime)
        if mapped <= 1:
            raise CommandRefused(SW_DATA_INCORRECT)
        return self.element(mapped)

    def element(self, number: int) -> bytes:
        """The octets of an element."""
        return number.to_bytes(self.octets, "big")


class ModularKey:
    """A private key in one group."""

    def __init__(self, group: ModularGroup, number: int) -> None:
        self.number = number
        self._group = group
        self.public = self.times(group.element(group.generator))

    def agree(self, element: bytes) -> bytes:
        """The shared secret with this element, leading zeros and all."""
        return self.times(element)

    def times(self, element: bytes) -> bytes:
        """This element to the power of the key."""
        group = self._group
        return group.element(pow(int.from_bytes(element, "big"), self.number, group.prime))


def _group(parameter_id: int, *values: str) -> ModularGroup:
    return ModularGroup(parameter_id, *(int(value, 16) for value in values))


MODULAR_GROUPS = {
    group.parameter_id: group
    for group in (
        _group(
            0,
            "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e"
            "2ee652c013ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738"
            "faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371",
            "a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f"
            "5504f213160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f53"
            "1dbf0a0169b6a28ad662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5",
            "f518aa8781a8df278aba4e7d64b7cb9d49462353",
        ),
        _group(
            1,
            "ad107e1e9123a9d0d660faa79559c51fa20d64e5683b9fd1b54b1597b61d0a75e6fa141df95a56dbaf9a3c40"
            "7ba1df15eb3d688a309c180e1de6b85a1274a0a66d3f8152ad6ac2129037c9edefda4df8d91e8fef55b7394b"
            "7ad5b7d0b6c12207c9f98d11ed34dbf6c6ba0b2c8bbc27be6a00e0a0b9c49708b3bf8a317091883681286130"
            "bc8985db1602e714415d9330278273c7de31efdc7310f7121fd5a07415987d9adc0a486dcdf93acc44328387"
            "315d75e198c641a480cd86a1b9e587e8be60e69cc928b2b9c52172e413042e9b23f10b0e16e79763c9b53dcf"
            "4ba80a29e3fb73c16b8e75b97ef363e2ffa31f71cf9de5384e71b81c0ac4dffe0c10e64f",
            "ac4032ef4f2d9ae39df30b5c8ffdac506cdebe7b89998caf74866a08cfe4ffe3a6824a4e10b9a6f0dd921f01"
            "a70c4afaab739d7700c29f52c57db17c620a8652be5e9001a8d66ad7c17669101999024af4d027275ac1348b"
            "b8a762d0521bc98ae247150422ea1ed409939d54da7460cdb5f6c6b250717cbef180eb34118e98d119529a45"
            "d6f834566e3025e316a330efbb77a86f0c1ab15b051ae3d428c8f8acb70a8137150b8eeb10e183edd19963dd"
            "d9e263e4770589ef6aa21e7f5f2ff381b539cce3409d13cd566afbb48d6c019181e1bcfe94b30269edfe72fe"
            "9b6aa4bd7b5a0f1c71cfff4c19c418e1f6ec017981bc087f2a7065b384b890d3191f2bfa",
            "801c0d34c58d93fe997177101f80535a4738cebcbf389a99b36371eb",
        ),
        _group(
            2,
            "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df45"
            "61b2aa3016c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c0"
            "22e0b1ef4275bf7b6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1"
            "caa6b7902d52526735488a0ef13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e514056425"
            "1ccacb83e6b486f6b3ca3f7971506026c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375"
            "d7014103a4b54330c198af126116d2276e11715f693877fad7ef09cadb094ae91e1a1597",
            "3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba12510dbc15077be463fff4fed4a"
            "ac0bb555be3a6c1b0c6b47b1bc3773bf7e8c6f62901228f8c28cbb18a55ae31341000a650196f931c77a57f2"
            "ddf463e5e9ec144b777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193b5045af2"
            "767164e1dfc967c1fb3f2e55a4bd1bffe83b9c80d052b985d182ea0adb2a3b7313d3fe14c8484b1e052588b9"
            "b7d2bbd2df016199ecd06e1557cd0915b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d"
            "1db246c32f63078490f00ef8d647d148d47954515e2327cfef98c582664b4c0f6cc41659",
            "8cf83642a709a097b447997640129da299b1a47d1eb3750ba308b0fe64f5fbd3",
        ),
    )
}
"""By the number of the standardised domain parameters (ICAO 9303-11, 9.5.1)."""
