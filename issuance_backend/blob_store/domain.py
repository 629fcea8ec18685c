"""The envelope of a content: AES-256-GCM under a key of its own, bound to its address, kind and size."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from issuance_backend.refusals import BlobAltered

MAX_BLOB_BYTES = 32 * 1024 * 1024
"""More than the largest thing that is captured: a frame of ten raw fingerprints."""

_FORMAT = b"IDVB\x01"
_NONCE = 12
_TAG = 16
OVERHEAD = len(_FORMAT) + _NONCE + _TAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A content in the store: what it is, where it lies and its wrapped key."""

    address: str
    object_name: str
    media_type: str
    size: int
    key_id: str
    wrapped_key: bytes
    stored_at: str


def seal(content: bytes, bound_to: bytes, data_key: bytes, nonce: bytes) -> bytes:
    """The sealed content; a data key seals one content and never another."""
    return _FORMAT + nonce + AESGCM(data_key).encrypt(nonce, content, _FORMAT + bound_to)


def unseal(sealed: bytes, bound_to: bytes, data_key: bytes) -> bytes:
    """The content; raises BlobAltered for anything that was not sealed just so."""
    if len(sealed) < OVERHEAD or not sealed.startswith(_FORMAT):
        raise BlobAltered("not a sealed content")
    start = len(_FORMAT) + _NONCE
    try:
        return AESGCM(data_key).decrypt(sealed[len(_FORMAT) : start], sealed[start:], _FORMAT + bound_to)
    except InvalidTag:
        raise BlobAltered("the seal does not hold") from None


def bound_to(address: str, media_type: str, size: int) -> bytes:
    """What a seal holds together: a content that is moved under another address does not open."""
    return f"{address}|{media_type}|{size}".encode()
