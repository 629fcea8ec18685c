"""The proof of a decision that can be checked years later, offline.

A receipt is a compact JWS over the log entry of the decision, the signed head of the log at that
moment, and the way from the entry to that head. Whoever holds the log's public key can check that
the gateway decided this, then, and that it stood in the log: no service is asked.
It names no person: the subject is a keyed hash, different for every partner.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verification.errors import ReceiptInvalid, SignatureInvalid
from verification.messages import merkle
from verification.messages.canonical import canonical_json
from verification.messages.compact_signature import protected_header, read_statement, sign_statement
from verification.messages.signing_key import (
    PublicKey,
    SigningKey,
    from_b64url,
    public_jwk,
    require_signature,
    sign,
)

RECEIPT_TYPE = "verification-receipt+jws"
MAX_RECEIPT = 65_536


class LogEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One decision as the evidence log keeps it.

    ``previous`` is the leaf hash of the entry before it, ``evidence`` the SHA-256 of the evidence as
    received, ``subject`` a keyed hash of the citizen number, ``checks`` outcome and code by check.
    ``card`` is the card's status key, where the purpose is about this very card and no other; it is
    left out of the bytes otherwise, so that entries from before it have the leaves they had.
    """

    sequence: int
    previous: str
    recorded_at: str
    action: str
    actor: str
    partner: str
    purpose: str
    session: str
    subject: str
    evidence: str
    outcome: str
    code: str | None
    assurance: dict[str, str]
    checks: tuple[tuple[str, str, str | None], ...]
    policy: str
    card: str | None = None

    def encoded(self) -> bytes:
        """The bytes that the leaf hash is taken over."""
        return canonical_json(msgspec.to_builtins(self))


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payload of a receipt; hashes are base64url, ``checkpoint`` is the head as a signed note."""

    iss: str
    iat: int
    entry: LogEntry
    inclusion: tuple[str, ...]
    checkpoint: str


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of a log: its name, how many entries, and the hash over them all."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def signed_checkpoint(head: Checkpoint, key: SigningKey) -> str:
    """The head as a signed note (C2SP signed-note): the text, an empty line, one signature line."""
    text = head.text()
    mark = _note_key_hash(head.origin, key.public_key()) + sign(key, text.encode())
    return f"{text}\n\u2014 {head.origin} {base64.b64encode(mark).decode()}\n"


def read_checkpoint(note: str, key: PublicKey) -> Checkpoint:
    """The head, if this key signed it; raises ReceiptInvalid."""
    head, mark = _parse_note(note)
    if mark[:4] != _note_key_hash(head.origin, key):
        raise ReceiptInvalid("the log's head is signed by another key")
    try:
        require_signature(key, mark[4:], head.text().encode())
    except SignatureInvalid:
        raise ReceiptInvalid("the signature over the log's head does not verify") from None
    return head


def sign_receipt(receipt: Receipt, key: SigningKey) -> str:
    """The receipt as a compact JWS (RFC 7515, 7.1)."""
    return sign_statement(msgspec.json.encode(receipt), RECEIPT_TYPE, key)


def read_receipt(token: str, keys: Mapping[str, PublicKey]) -> Receipt:
    """The receipt, if one of the trusted keys (by thumbprint) signed it and its proof holds.

    Raises ReceiptInvalid.
    """
    if len(token) > MAX_RECEIPT or token.count(".") != 2:
        raise ReceiptInvalid("not a compact JWS")
    header = token.partition(".")[0]
    signers = {name: key for name, key in keys.items() if protected_header(key, RECEIPT_TYPE) == header}
    try:
        receipt = msgspec.json.decode(read_statement(token, RECEIPT_TYPE, signers), type=Receipt)
    except SignatureInvalid as fault:
        raise ReceiptInvalid(str(fault)) from None
    except ValueError:
        raise ReceiptInvalid("what was signed is no receipt") from None
    for key in signers.values():
        _require_logged(receipt, key)
    return receipt


def receipt_payload(token: str) -> dict[str, Any]:
    """What a receipt says, unverified: for showing, never for deciding. Raises ReceiptInvalid."""
    try:
        said: dict[str, Any] = msgspec.json.decode(from_b64url(token.split(".")[1]), type=dict[str, Any])
    except (ValueError, IndexError):
        raise ReceiptInvalid("not a compact JWS") from None
    return said


def _require_logged(receipt: Receipt, key: PublicKey) -> None:
    head = read_checkpoint(receipt.checkpoint, key)
    if head.origin != receipt.iss:
        raise ReceiptInvalid("the receipt and the log's head name different logs")
    try:
        proof = [from_b64url(sibling) for sibling in receipt.inclusion]
    except ValueError:
        raise ReceiptInvalid("the inclusion proof is not base64url") from None
    leaf = merkle.leaf_hash(receipt.entry.encoded())
    merkle.require_inclusion(leaf, receipt.entry.sequence, head.size, proof, head.root)


def _parse_note(note: str) -> tuple[Checkpoint, bytes]:
    lines = note.split("\n")
    if len(lines) != 6 or lines[3] or lines[5]:
        raise ReceiptInvalid("the log's head is not a signed note with one signature")
    prefix = f"\u2014 {lines[0]} "
    if not lines[4].startswith(prefix):
        raise ReceiptInvalid("the log's head is signed under another name")
    try:
        root = base64.b64decode(lines[2], validate=True)
        mark = base64.b64decode(lines[4][len(prefix) :], validate=True)
        head = Checkpoint(lines[0], int(lines[1]), root)
    except (binascii.Error, ValueError):
        raise ReceiptInvalid("the log's head is malformed") from None
    if f"{head.text()}\n{prefix}{base64.b64encode(mark).decode()}\n" != note:
        raise ReceiptInvalid("the log's head is not spelt canonically")
    return head, mark


def _note_key_hash(origin: str, key: PublicKey) -> bytes:
    """The key's short name in a note: a hash over the log's name, the kind of key, and the key."""
    kind = b"\x01" if isinstance(key, Ed25519PublicKey) else b"\x02"
    return hashlib.sha256(origin.encode() + b"\n" + kind + canonical_json({**public_jwk(key)})).digest()[:4]
