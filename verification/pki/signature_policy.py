"""How far a document may depart from what ICAO 9303 prescribes today and still be accepted.

What is accepted in spite of a departure is never silent: whoever verifies is told by which one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Departure(StrEnum):
    """Something that was accepted although it is not as prescribed; the value is a fault code."""

    LEGACY_ALGORITHM = "CHIP_ALGORITHM_LEGACY"
    OTHER_CONTENT_TYPE = "CHIP_SOD_CONTENT_TYPE"
    NO_SIGNED_ATTRIBUTES = "CHIP_SOD_NO_SIGNED_ATTRIBUTES"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePolicy:
    """What an operator accepts; the default is what a document issued today has to keep.

    ``accepts_legacy``: SHA-1, curves under 256 bits and RSA of 1024 to 2047 bits, as documents
    of the years before 2010 have them. ``accepts_no_signed_attributes``: a signature straight
    over the list of hashes.
    """

    accepts_legacy: bool = False
    accepts_no_signed_attributes: bool = False


STRICT = SignaturePolicy()
"""Nothing that is no longer relied on."""
