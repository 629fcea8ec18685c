"""What is written on one chip: its files, its private keys and the profile it answers by."""

from __future__ import annotations

from typing import Literal

import msgspec

from issuance_backend.virtual_card.quirks import STANDARD, Quirks
from verification.errors import malformed_unless_parsed
from verification.lds.files import LdsFile

RsaHash = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]
"""The hash functions of active authentication with RSA (ICAO 9303-11, 6.1.2.2)."""


class CardImage(msgspec.Struct, frozen=True, kw_only=True):
    """One card as personalization leaves it; it holds private keys and stays inside issuance.

    Private keys are PKCS #8 in DER. ``further_agreement_keys`` are the other keys of chip
    authentication by their keyId in DG14, ``mapping_key`` belongs to EF.CardSecurity and is
    proven by PACE with chip authentication mapping. ``trust_points`` are the certificates of
    the authorities whose terminals the chip believes; it writes EF.CVCA from them. A file in
    ``locked`` is on the chip and closed to every reader without terminal authentication
    (fingerprints in DG3).
    """

    files: dict[LdsFile, bytes]
    can: str
    mrz_information: str
    chip_authentication_key: bytes | None = None
    further_agreement_keys: dict[int, bytes] = {}
    mapping_key: bytes | None = None
    active_authentication_key: bytes | None = None
    # With RSA nothing on the card names the hash but the signature itself.
    active_authentication_hash: RsaHash = "sha256"
    trust_points: tuple[bytes, ...] = ()
    pace: bool = True
    bac: bool = True
    locked: frozenset[LdsFile] = frozenset()
    # Some batches of the national card answer 6D00 to SELECT MF.
    selects_master_file: bool = True
    extended_length: bool = True
    quirks: Quirks = STANDARD

    def __repr__(self) -> str:
        """Name the files only: an image holds a person and the chip's keys."""
        return f"CardImage({', '.join(sorted(file.name for file in self.files))})"

    def to_bytes(self) -> bytes:
        """Encode the image for its drawer (MessagePack)."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> CardImage:
        """Decode an image that ``to_bytes`` made; raises MalformedDocument."""
        with malformed_unless_parsed("card image"):
            return msgspec.msgpack.decode(encoded, type=cls)
