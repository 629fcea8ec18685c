"""Access secrets and the key derivation function of ICAO 9303-11, 9.7."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from verification.encoding.mrz import mrz_information_from
from verification.errors import AccessSecretMalformed

_CAN_LENGTH = 6


class Suite(Enum):
    """A symmetric cipher of PACE, chip authentication and secure messaging."""

    TRIPLE_DES = ("3DES", 16)
    AES_128 = ("AES-128", 16)
    AES_192 = ("AES-192", 24)
    AES_256 = ("AES-256", 32)

    @property
    def key_length(self) -> int:
        """Octets of a derived key; two-key 3DES is 16."""
        return self.value[1]

    @property
    def strength(self) -> int:
        """Security in bits, for choosing among offers."""
        return 112 if self is Suite.TRIPLE_DES else 8 * self.key_length

    @property
    def digest(self) -> str:
        """The hash of the key derivation function (ICAO 9303-11, 9.7.1)."""
        return "sha1" if self.key_length == 16 else "sha256"


class KeyPurpose(IntEnum):
    """The counter that separates keys of one secret (ICAO 9303-11, 9.7.1)."""

    ENCRYPTION = 1
    CHECKSUM = 2
    PASSWORD = 3


class SessionKeys(NamedTuple):
    """K_Enc and K_MAC of one session."""

    encryption: bytes
    checksum: bytes

    def __repr__(self) -> str:
        return "SessionKeys(...)"


def derive_key(secret: bytes, purpose: KeyPurpose, suite: Suite) -> bytes:
    """KDF(K, c): a key from a shared secret, with odd parity for 3DES (ICAO 9303-11, 9.7.1)."""
    digest = hashlib.new(suite.digest, secret + purpose.to_bytes(4, "big"), usedforsecurity=False).digest()
    key = digest[: suite.key_length]
    return _with_odd_parity(key) if suite is Suite.TRIPLE_DES else key


def session_keys(secret: bytes, suite: Suite) -> SessionKeys:
    """The two session keys of a shared secret."""
    return SessionKeys(
        derive_key(secret, KeyPurpose.ENCRYPTION, suite),
        derive_key(secret, KeyPurpose.CHECKSUM, suite),
    )


def mrz_seed(information: str) -> bytes:
    """SHA-1 of the MRZ information: PACE's f(MRZ); its first 16 octets are the BAC key seed."""
    return hashlib.sha1(information.encode("ascii"), usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True, repr=False)
class Can:
    """The card access number: six digits; on a CCCD the last six of the citizen number.

    Raises AccessSecretMalformed.
    """

    digits: str

    def __post_init__(self) -> None:
        if len(self.digits) != _CAN_LENGTH or not (self.digits.isascii() and self.digits.isdigit()):
            raise AccessSecretMalformed("a card access number has six digits")

    def __repr__(self) -> str:
        return "Can(...)"

    @property
    def reference(self) -> int:
        """The password reference in MSE:Set AT (ICAO 9303-11, 4.4.4.1)."""
        return 0x02

    @property
    def password(self) -> bytes:
        """What PACE derives its password key from: f(CAN)."""
        return self.digits.encode("ascii")


@dataclass(frozen=True, slots=True, repr=False)
class MrzKey:
    """The MRZ information: document number, date of birth, date of expiry, each with its check digit.

    A whole machine readable zone is taken too and cut down to it. Raises AccessSecretMalformed,
    also where a check digit is wrong: chips slow down or lock after wrong attempts, so a misread
    line never reaches one.
    """

    information: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "information", mrz_information_from(self.information))

    def __repr__(self) -> str:
        return "MrzKey(...)"

    @property
    def reference(self) -> int:
        """The password reference in MSE:Set AT (ICAO 9303-11, 4.4.4.1)."""
        return 0x01

    @property
    def password(self) -> bytes:
        """What PACE derives its password key from: f(MRZ)."""
        return mrz_seed(self.information)


AccessSecret = Can | MrzKey
"""What opens a chip: typed, scanned, or cut from the citizen number."""


def _with_odd_parity(key: bytes) -> bytes:
    # DES ignores the lowest bit of every octet; the worked examples print it as odd parity.
    return bytes((octet & 0xFE) | ((octet & 0xFE).bit_count() & 1 ^ 1) for octet in key)
