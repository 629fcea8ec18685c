"""The groups in which the chip agrees on keys, curves and prime fields alike (ICAO 9303-11, 9.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from issuance_backend.virtual_card.icc_curves import CURVES
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_random import Random


class AgreementKey(Protocol):
    """A private key of a group; ``public`` is the element that belongs to it."""

    number: int
    public: bytes

    def agree(self, element: bytes) -> bytes:
        """The shared secret with a public element, as the key derivation takes it."""
        ...

    def times(self, element: bytes) -> bytes:
        """The group operation repeated: the whole element that results."""
        ...


class Group(Protocol):
    """A group whose elements are octets of constant length."""

    public_value_tag: int

    @property
    def parameter_id(self) -> int:
        """The number of the standardised domain parameters."""
        ...

    @property
    def prime(self) -> int:
        """The prime of the field."""
        ...

    @property
    def order(self) -> int:
        """How many elements there are."""
        ...

    def key(self, number: int) -> AgreementKey:
        """The private key with this number."""
        ...

    def draw(self, random: Random) -> AgreementKey:
        """A fresh private key."""
        ...

    def decode(self, encoded: bytes) -> bytes:
        """The element that a terminal sent; raises CommandRefused (6A80) for none of this group."""
        ...

    def encode(self, element: bytes) -> bytes:
        """An element as it goes to the terminal (ICAO 9303-11, 9.4.5)."""
        ...

    def compress(self, element: bytes) -> bytes:
        """Comp() of ICAO 9303-11, 7.1.4."""
        ...

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The group operation once; raises CommandRefused (6A80) for elements chosen to break it."""
        ...

    def from_field(self, number: int) -> bytes:
        """An element from a field element, for integrated mapping; raises CommandRefused (6A80)."""
        ...


GROUPS: Mapping[int, Group] = {**MODULAR_GROUPS, **CURVES}
"""By the number of the standardised domain parameters."""
