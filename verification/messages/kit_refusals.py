"""Which packets of a kit the centre refused for good: a small signed list beside what it returned.

It names packets and codes and nobody, so it travels readable. A refusal is final: no list outdates another.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.signing_key import PublicKey, SigningKey

REFUSALS_TYPE = "kit-refusals+jws"
MAX_REFUSALS = 5_000
"""The latest of a kit: more than it captures from one asking to the next. What it was told, it keeps."""

MAX_LIST = 4 * 1024 * 1024


class RefusedPacket(msgspec.Struct, frozen=True):
    """A packet that will be no dossier; ``code`` says why, ``refused_at`` is the centre's time."""

    packet: str
    sequence: int
    refused_at: str
    code: str | None


class KitRefusals(msgspec.Struct, frozen=True):
    """The refused packets of one kit, the latest numbers first; what a later centre adds is passed over."""

    kit: str
    refused: tuple[RefusedPacket, ...]


def refusals_file(kit: str) -> str:
    """How a kit's list is called on a stick."""
    return f"{kit}-refusals.jws"


def sign_refusals(refusals: KitRefusals, key: SigningKey) -> str:
    """The list as a compact JWS."""
    return sign_statement(msgspec.json.encode(refusals), REFUSALS_TYPE, key)


def read_refusals(token: str, centre: Mapping[str, PublicKey], kit: str) -> KitRefusals:
    """The list, if the centre (keys by thumbprint) signed it for this kit.

    Raises LimitExceeded and SignatureInvalid.
    """
    if len(token) > MAX_LIST:
        raise LimitExceeded(f"a list of {len(token)} bytes")
    try:
        refusals = msgspec.json.decode(read_statement(token, REFUSALS_TYPE, centre), type=KitRefusals)
    except msgspec.DecodeError:
        raise SignatureInvalid("no list of refused packets") from None
    if refusals.kit != kit:
        raise SignatureInvalid("the list of another kit")
    return refusals
