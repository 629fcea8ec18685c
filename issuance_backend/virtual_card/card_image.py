"""What is written on one chip: its files, its private keys and the profile it answers by."""

from __future__ import annotations

import msgspec

from verification.errors import malformed_unless_parsed
from verification.lds.files import LdsFile


class CardImage(msgspec.Struct, frozen=True, kw_only=True):
    """One card as personalization leaves it; it holds private keys and stays inside issuance.

    Private keys are PKCS #8 in DER. A file in ``locked`` is on the chip and closed to every
    reader without terminal authentication (fingerprints in DG3).
    """

    files: dict[LdsFile, bytes]
    can: str
    mrz_information: str
    chip_authentication_key: bytes | None = None
    active_authentication_key: bytes | None = None
    pace: bool = True
    bac: bool = True
    locked: frozenset[LdsFile] = frozenset()
    # Some batches of the national card answer 6D00 to SELECT MF.
    selects_master_file: bool = True
    extended_length: bool = True

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
