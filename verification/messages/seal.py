"""Tokens that their maker hands out and takes back: sealed, bound to a context, and short-lived.

AES-256-GCM over the content; the context (which session, which use), the key's name and the time
of expiry are authenticated with it. What is sealed for one use cannot be opened for another.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from verification.errors import SealBroken

KEY_BYTES = 32
_VERSION = 1
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER = struct.Struct(">B4sQ")
"""Version, name of the key, expiry in seconds since 1970."""


class Sealer:
    """Seals with the newest key and opens with any of them.

    ``secrets`` are 32 bytes each, newest first; ``use`` separates what is sealed for different
    purposes under one secret (HKDF, RFC 5869).
    """

    def __init__(self, secrets: tuple[bytes, ...], use: str, random: Callable[[int], bytes]) -> None:
        if not secrets or any(len(secret) != KEY_BYTES for secret in secrets):
            raise ValueError("a sealing secret is 32 bytes")
        self._ciphers: Mapping[bytes, AESGCM] = {
            _name(secret): AESGCM(derive_key(secret, use)) for secret in secrets
        }
        self._newest = _name(secrets[0])
        self._random = random

    def seal(self, content: bytes, context: str, expires: datetime) -> bytes:
        """The sealed token; it opens only under the same ``context`` and until ``expires``."""
        header = _HEADER.pack(_VERSION, self._newest, int(expires.timestamp()))
        nonce = self._random(_NONCE_BYTES)
        cipher = self._ciphers[self._newest]
        return header + nonce + cipher.encrypt(nonce, content, header + context.encode())

    def open(self, token: bytes, context: str, now: datetime) -> bytes:
        """The content; raises SealBroken when altered, run out, or sealed for another context."""
        if len(token) < _HEADER.size + _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken("too short for a sealed token")
        header, rest = token[: _HEADER.size], token[_HEADER.size :]
        version, name, expires = _HEADER.unpack(header)
        cipher = self._ciphers.get(name)
        if version != _VERSION or cipher is None:
            raise SealBroken("sealed in another form or under an unknown key")
        try:
            content = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + context.encode())
        except InvalidTag:
            raise SealBroken("the seal does not verify") from None
        if now.astimezone(UTC).timestamp() >= expires:
            raise SealBroken("the sealed token has run out")
        return content


def derive_key(secret: bytes, use: str) -> bytes:
    """A 32-byte key for one use of a secret (HKDF-SHA256)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=use.encode()).derive(secret)


def _name(secret: bytes) -> bytes:
    return hashlib.sha256(b"sealing key" + secret).digest()[:4]
