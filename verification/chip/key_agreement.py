"""The groups of PACE and chip authentication, and what both protocols ask of one (ICAO 9303-11, 9.5.1).

Elements travel as the octets that stand in the data objects: an uncompressed point, or a number
without leading zeros (9.4.1). Whatever comes from a chip is validated where it is used first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from verification.chip.elliptic_curves import CURVES
from verification.chip.finite_field_groups import GROUPS


class AgreementKey(Protocol):
    """A private key of one group, made for one session.

    Every method raises MalformedDocument for octets that are no element of the group.
    """

    @property
    def public(self) -> bytes:
        """The public key over the group's own generator."""
        ...

    def public_over(self, generator: bytes) -> bytes:
        """A public key over another generator; of a point and its negative it may be either.

        Only x of a point enters a shared secret, so both belong to the same session keys.
        """
        ...

    def shared_element(self, theirs: bytes) -> bytes:
        """The whole result of a key agreement, which the generic mapping adds to the nonce."""
        ...

    def shared_secret(self, theirs: bytes) -> bytes:
        """KA: what session keys are derived from, always in the length of the field (9.7.1)."""
        ...


class AgreementGroup(Protocol):
    """Domain parameters: a group of prime order with a generator."""

    @property
    def parameter_id(self) -> int | None:
        """The number among the standardised domain parameters, None for parameters of another source."""
        ...

    @property
    def strength(self) -> int:
        """Security in bits, for choosing among offers."""
        ...

    @property
    def field_prime(self) -> int:
        """The characteristic of the field that coordinates and elements are numbers of."""
        ...

    @property
    def admits_integrated_mapping(self) -> bool:
        """Whether numbers of the field can be mapped to elements."""
        ...

    @property
    def public_key_tag(self) -> int:
        """The tag of a public key in a public key data object (9.4.3, 9.4.4)."""
        ...

    def key(self, random: Callable[[int], bytes]) -> AgreementKey:
        """A fresh private key from ``random``."""
        ...

    def element(self, octets: bytes) -> bytes:
        """The same element in its one encoding; raises MalformedDocument where it cannot be one."""
        ...

    def power_of_generator(self, exponent: int) -> bytes:
        """The generator taken ``exponent`` times; raises MalformedDocument for a multiple of the order."""
        ...

    def combine(self, left: bytes, right: bytes) -> bytes:
        """The group operation; raises MalformedDocument where the result is the neutral element."""
        ...

    def encode_number(self, number: int) -> bytes:
        """The element that the integrated mapping gives a number of the field (4.4.3.3.2)."""
        ...

    def compress(self, element: bytes) -> bytes:
        """Comp(): the form in which terminal authentication names a public key (TR-03110-3, A.2.2.3)."""
        ...


STANDARDISED: dict[int, AgreementGroup] = {
    **dict(enumerate(GROUPS)),
    **{curve.parameter_id: curve for curve in CURVES},
}
"""All standardised domain parameters by number."""
