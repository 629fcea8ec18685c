"""The state of an issued card, asked by a key that only a holder of the chip's data can know."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec


class CredentialState(StrEnum):
    """States a relying party can meet; ``unknown`` means this issuer made no such card."""

    ISSUED = "issued"
    ACTIVE = "active"
    LOST = "lost"
    SUSPENDED = "suspended"
    REPLACED = "replaced"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class CredentialStatusQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``status_key`` as made by :func:`status_key`."""

    status_key: str


class CredentialStatusAnswer(msgspec.Struct, frozen=True):
    """The state and since when (RFC 3339)."""

    state: CredentialState
    since: str | None = None


def status_key(sod_signature: bytes) -> str:
    """First 8 bytes, in hex, of SHA-256 over the signature value in EF.SOD.

    A stolen status list cannot be searched by citizen number: the key needs the chip's data.
    """
    return hashlib.sha256(sod_signature).digest()[:8].hex()
