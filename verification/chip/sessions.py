"""Secure messaging sessions and checksums by cipher suite."""

from __future__ import annotations

from verification.chip.keys import SessionKeys, Suite
from verification.iso7816.block_cipher import AesCmac, Checksum, RetailMac
from verification.iso7816.secure_messaging import (
    AesSecureMessaging,
    SecureMessaging,
    TripleDesSecureMessaging,
)

SUITE_BY_OID_ARC = {
    1: Suite.TRIPLE_DES,
    2: Suite.AES_128,
    3: Suite.AES_192,
    4: Suite.AES_256,
}
"""The last arc of PACE and chip authentication protocols (BSI TR-03110-3, A.1)."""


def open_session(suite: Suite, keys: SessionKeys, counter: int = 0) -> SecureMessaging:
    """A session with fresh keys; PACE and chip authentication start counting at zero."""
    if suite is Suite.TRIPLE_DES:
        return TripleDesSecureMessaging(keys.encryption, keys.checksum, counter)
    return AesSecureMessaging(keys.encryption, keys.checksum, counter)


def checksum(suite: Suite, key: bytes) -> Checksum:
    """The message authentication code of a suite."""
    return RetailMac(key) if suite is Suite.TRIPLE_DES else AesCmac(key)
