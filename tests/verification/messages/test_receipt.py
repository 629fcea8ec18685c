"""Receipts: checked with nothing but the key, and every character of them counts."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from verification.errors import ReceiptInvalid, SignatureInvalid
from verification.messages import merkle
from verification.messages.receipt import (
    RECEIPT_TYPE,
    Checkpoint,
    LogEntry,
    Receipt,
    read_checkpoint,
    read_receipt,
    receipt_payload,
    sign_receipt,
    signed_checkpoint,
)
from verification.messages.signing_key import (
    PublicKey,
    SigningKey,
    algorithm_of,
    b64url,
    from_b64url,
    public_jwk,
    public_key_of,
    thumbprint,
)

P256, ED25519 = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
ORIGIN = "test.gateway/log"
LEAF_BEFORE_CARDS_WERE_BOUND = "654012fb457bb1f3ad800b6d1e05b40a8a9535a82377780fdfe6fd644233c3e3"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def entry(sequence: int = 0) -> LogEntry:
    return LogEntry(
        sequence=sequence, previous="", recorded_at="2026-11-21T09:00:00.000+00:00",
        action="verification.decided", actor="agent:agent-one", partner="bank-one",
        purpose="bank.counter.identify", session="vs_1", subject="abc", evidence="00" * 32,
        outcome="refused", code="CARD_LOST", assurance={"chip": "chip-live-gateway"},
        checks=(("sod_signature", "successful", None),), policy="bank.counter.identify@1",
    )  # fmt: skip


def receipt(key: SigningKey = P256, *, size: int = 5, at: int = 3, **changes: object) -> str:
    leaves = [merkle.leaf_hash(entry(index).encoded()) for index in range(size)]
    nodes = {}
    for index, leaf in enumerate(leaves):
        nodes[0, index] = leaf
        for level, position in merkle.completed_by(index):
            nodes[level, position] = merkle.node_hash(
                nodes[level - 1, 2 * position], nodes[level - 1, 2 * position + 1]
            )
    root = merkle.fold(merkle.cover(0, size), nodes)
    proof = tuple(b64url(merkle.fold(cover, nodes)) for cover in merkle.inclusion_covers(at, size))
    made = Receipt(
        iss=ORIGIN,
        iat=1_795_251_600,
        entry=entry(at),
        inclusion=proof,
        checkpoint=signed_checkpoint(Checkpoint(ORIGIN, size, root), key),
    )
    return sign_receipt(msgspec.structs.replace(made, **changes), key)


def trusted(*keys: SigningKey) -> dict[str, PublicKey]:
    return {thumbprint(key.public_key()): key.public_key() for key in keys}


@pytest.mark.parametrize("key", [P256, ED25519])
def test_a_receipt_says_what_was_logged(key: SigningKey) -> None:
    assert read_receipt(receipt(key), trusted(P256, ED25519)).entry == entry(3)


@pytest.mark.parametrize("key", [P256, ED25519])
def test_another_program_verifies_the_signature(key: SigningKey) -> None:
    """joserfc as an independent verifier of what was written by hand."""
    jwk = public_jwk(key.public_key())
    jose = (ECKey if jwk["kty"] == "EC" else OKPKey).import_key(jwk)
    verified = jws.deserialize_compact(receipt(key), jose, algorithms=[algorithm_of(key.public_key())])
    assert json.loads(verified.payload)["iss"] == ORIGIN
    assert verified.headers()["kid"] == jose.thumbprint()


def test_every_character_counts() -> None:
    token = receipt()
    keys = trusted(P256)
    for position, character in enumerate(token):
        other = ALPHABET[(ALPHABET.find(character) + 1) % 64] if character != "." else "A"
        with pytest.raises(ReceiptInvalid):
            read_receipt(token[:position] + other + token[position + 1 :], keys)


def test_no_other_spelling_of_the_same_bytes_is_accepted() -> None:
    token = receipt()
    for other in (token + "=", token + "\n", " " + token, token.replace(".", ".\n", 1)):
        with pytest.raises(ReceiptInvalid):
            read_receipt(other, trusted(P256))


@pytest.mark.parametrize("length", [0, 1, 10, 100, -1, -10])
def test_a_cut_receipt_is_refused(length: int) -> None:
    with pytest.raises(ReceiptInvalid):
        read_receipt(receipt()[:length], trusted(P256))


def test_another_key_is_not_trusted() -> None:
    with pytest.raises(ReceiptInvalid, match="no trusted key"):
        read_receipt(receipt(P256), trusted(ED25519))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": RECEIPT_TYPE},
        {"alg": "HS256", "kid": thumbprint(P256.public_key()), "typ": RECEIPT_TYPE},
        {"alg": "ES256", "kid": thumbprint(P256.public_key()), "typ": "JWT"},
        {"alg": "ES256", "kid": thumbprint(P256.public_key()), "typ": RECEIPT_TYPE, "crit": ["x"]},
        {"alg": "ES256", "jwk": public_jwk(ED25519.public_key()), "typ": RECEIPT_TYPE},
        {"alg": "Ed25519", "kid": thumbprint(P256.public_key()), "typ": RECEIPT_TYPE},
    ],
)
def test_no_header_but_the_keys_own_is_accepted(header: dict[str, object]) -> None:
    _, payload, signature = receipt().split(".")
    forged = b64url(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    for tail in (signature, ""):
        with pytest.raises(ReceiptInvalid):
            read_receipt(f"{forged}.{payload}.{tail}", trusted(P256))


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": msgspec.structs.replace(entry(3), outcome="verified", code=None)},
        {"entry": msgspec.structs.replace(entry(3), sequence=2)},
        {"iss": "another.log"},
        {"inclusion": ()},
        {"inclusion": ("not base64url!",)},
        {"checkpoint": "nothing"},
        {"checkpoint": signed_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), P256)},
        {"checkpoint": signed_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), ED25519)},
    ],
)
def test_a_signed_receipt_whose_proof_does_not_hold_is_refused(changes: dict[str, object]) -> None:
    """Even the gateway's own key cannot make a receipt for what is not in the log."""
    with pytest.raises(ReceiptInvalid):
        read_receipt(receipt(**changes), trusted(P256, ED25519))


def test_every_character_of_a_signed_head_counts() -> None:
    note = signed_checkpoint(Checkpoint(ORIGIN, 7, bytes(range(32))), P256)
    assert read_checkpoint(note, P256.public_key()) == Checkpoint(ORIGIN, 7, bytes(range(32)))
    for position, character in enumerate(note):
        other = "B" if character != "B" else "C"
        with pytest.raises(ReceiptInvalid):
            read_checkpoint(note[:position] + other + note[position + 1 :], P256.public_key())


def test_a_head_is_not_accepted_from_another_key() -> None:
    note = signed_checkpoint(Checkpoint(ORIGIN, 7, bytes(32)), P256)
    with pytest.raises(ReceiptInvalid, match="another key"):
        read_checkpoint(note, ED25519.public_key())


def test_the_payload_can_be_shown_unverified() -> None:
    assert receipt_payload(receipt())["entry"]["outcome"] == "refused"
    for broken in ("", "a", "a.!.b", f"a.{base64.b64encode(b'[]').decode().rstrip('=')}.b"):
        with pytest.raises(ReceiptInvalid):
            receipt_payload(broken)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": b64url(bytes(32)), "y": b64url(bytes(32))},
        {"kty": "EC", "crv": "P-256", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "====", "d": "AA"},
        {"kty": "oct", "k": "AAAA"},
    ],
)
def test_only_whole_public_keys_of_our_kinds_are_taken(jwk: dict[str, object]) -> None:
    with pytest.raises(SignatureInvalid):
        public_key_of(jwk)


@pytest.mark.parametrize("key", [P256, ED25519])
def test_a_key_survives_its_jwk(key: SigningKey) -> None:
    again = public_key_of(public_jwk(key.public_key()))
    assert thumbprint(again) == thumbprint(key.public_key())


def test_base64url_has_one_spelling() -> None:
    assert from_b64url("AA") == b"\x00"
    for other in ("AB", "AA==", "A", "A+", "AA\n"):
        with pytest.raises(ValueError, match="base64url"):
            from_b64url(other)


def test_an_entry_that_binds_no_card_has_the_bytes_it_always_had() -> None:
    """Leaves of years ago must come out again: a field that is not there is not written."""
    assert b'"card"' not in entry().encoded()
    assert merkle.leaf_hash(entry().encoded()).hex() == LEAF_BEFORE_CARDS_WERE_BOUND
    bound = msgspec.structs.replace(entry(), card="00112233aabbccdd")
    assert b'"card":"00112233aabbccdd"' in bound.encoded()
