"""A kit's secrets: the key of its store, its own keys under that, and each officer's under a passphrase.

The key of the store lies in a file of its own, which is carried apart from the kit: without it a kit's disk
says nothing about anybody, and cannot speak for the kit.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from enrollment_admin.station.durable_files import disk, write_whole
from enrollment_admin.station.refusals import KitStoreAltered
from monitoring.environment import ConfigurationFault
from verification.messages.seal import KEY_BYTES, derive_key

Random = Callable[[int], bytes]

_NONCE_BYTES = 12


class KitCipher:
    """Encrypts what a kit keeps of people (AES-256-GCM); each content opens in its own place alone."""

    def __init__(self, secret: bytes, random: Random) -> None:
        self._cipher = AESGCM(derive_key(secret, "kit store"))
        self._marking = derive_key(secret, "kit marks")
        self._random = random

    def seal(self, content: bytes, place: str) -> bytes:
        """The content, encrypted for a place."""
        nonce = self._random(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place.encode())

    def mark(self, text: str) -> str:
        """What can be compared with itself, and says nothing without the key (HMAC-SHA256)."""
        return hmac.digest(self._marking, text.encode(), "sha256").hex()

    def open(self, sealed: bytes, place: str) -> bytes:
        """The content; raises KitStoreAltered."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise KitStoreAltered("what the kit keeps does not open") from None


def read_store_key(path: Path) -> bytes:
    """The 32 bytes that a kit's store is encrypted with; raises ConfigurationFault.

    A file that others on the machine can read is refused.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationFault(f"store key {path.name}: others may read it; set mode 600")
        secret = path.read_bytes()
    except OSError as fault:
        raise ConfigurationFault(f"store key {path.name}: {type(fault).__name__}") from None
    if len(secret) != KEY_BYTES:
        raise ConfigurationFault(f"store key {path.name}: not {KEY_BYTES} bytes")
    return secret


def write_key(path: Path, key: ec.EllipticCurvePrivateKey, password: bytes) -> None:
    """Keep a private key, encrypted."""
    protected = BestAvailableEncryption(password)
    write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protected))


def read_key(path: Path, password: bytes) -> ec.EllipticCurvePrivateKey | None:
    """The private key, or None where the password is not the one."""
    with disk():
        content = path.read_bytes()
    try:
        key = load_pem_private_key(content, password)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None
