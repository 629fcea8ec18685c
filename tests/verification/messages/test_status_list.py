"""Lists of card states: exact, compact, the same bytes for the same keys, and every byte of them counts."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import StatusListInvalid
from verification.messages.compact_signature import sign_statement
from verification.messages.receipt import RECEIPT_TYPE
from verification.messages.signing_key import thumbprint
from verification.messages.status_list import (
    KEY_BITS,
    StatusListDelta,
    StatusListHead,
    decode_keys,
    encode_keys,
    holds,
    read_head,
    require_content,
    short_key,
    sign_head,
    updated,
)

KEYS = st.sets(st.integers(0, 2**KEY_BITS - 1), max_size=400)
SIGNER = ec.generate_private_key(ec.SECP256R1())
TRUSTED = {thumbprint(SIGNER.public_key()): SIGNER.public_key()}


def reader(content: bytes):
    return lambda start, length: content[start : start + length]


def head(content: bytes, **changes: object) -> StatusListHead:
    made = StatusListHead(
        iss="test.gateway/log",
        epoch=7,
        as_of="2026-11-21T09:00:00+00:00",
        cards=1,
        known=2,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return msgspec.structs.replace(made, **changes)


@given(KEYS, KEYS)
def test_a_list_holds_its_keys_and_no_others(keys: set[int], others: set[int]) -> None:
    content = encode_keys(keys)
    assert decode_keys(content) == sorted(keys)
    assert encode_keys(sorted(keys, reverse=True)) == content
    for key in keys | others:
        assert holds(reader(content), key) is (key in keys)


@given(KEYS, KEYS)
def test_the_next_list_comes_out_of_the_one_before(before: set[int], after: set[int]) -> None:
    newer = encode_keys(after)
    delta = StatusListDelta(8, encode_keys(after - before), encode_keys(before - after))
    assert updated(encode_keys(before), [delta], head(newer)) == newer
    if before != after:
        with pytest.raises(StatusListInvalid):
            updated(encode_keys(before), [], head(newer))


@given(st.lists(st.integers(0, 2**KEY_BITS - 1), min_size=1, max_size=60), st.data())
def test_a_dense_or_sparse_bucket_is_read_like_any_other(keys: list[int], data: st.DataObject) -> None:
    """Neighbours in one bucket, and gaps far longer than the code was chosen for."""
    near = {min(keys[0] + step, 2**KEY_BITS - 1) for step in range(data.draw(st.integers(1, 80)))}
    content = encode_keys(near | set(keys))
    assert decode_keys(content) == sorted(near | set(keys))


def test_every_byte_counts() -> None:
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(200)]
    content = encode_keys(map(short_key, digests))
    signed = head(content)
    require_content(content, signed)
    for position in range(len(content)):
        for bit in (1, 0x80):
            altered = bytearray(content)
            altered[position] ^= bit
            with pytest.raises(StatusListInvalid):
                require_content(bytes(altered), signed)
            with pytest.raises(StatusListInvalid):
                decode_same(bytes(altered), content)


def decode_same(altered: bytes, original: bytes) -> None:
    """Some altered bytes are the list of other keys: those the signed digest refuses."""
    if decode_keys(altered) != decode_keys(original):
        raise StatusListInvalid("other keys")


def test_cut_off_anywhere_is_refused() -> None:
    content = encode_keys(range(0, 2**KEY_BITS, 2**33))
    for length in range(len(content)):
        with pytest.raises(StatusListInvalid):
            decode_keys(content[:length])


def test_a_head_is_believed_from_a_trusted_key_and_as_a_head_only() -> None:
    made = head(b"")
    token = sign_head(made, SIGNER)
    assert read_head(token, TRUSTED) == made
    stranger = ed25519.Ed25519PrivateKey.generate()
    as_receipt = sign_statement(msgspec.json.encode(made), RECEIPT_TYPE, SIGNER)
    no_head = sign_statement(b"{}", "card-status-list+jws", SIGNER)
    for wrong in (sign_head(made, stranger), as_receipt, no_head, "", "a.b", token + "." * 5_000):
        with pytest.raises(StatusListInvalid):
            read_head(wrong, TRUSTED)
    for position in range(len(token)):
        flipped = "B" if token[position] == "A" else "A"
        with pytest.raises(StatusListInvalid):
            read_head(token[:position] + flipped + token[position + 1 :], TRUSTED)


def test_a_key_is_the_beginning_of_the_status_key() -> None:
    assert short_key("00000000ffffffff") == 0xFF
    assert short_key("ffffffffff000000") == 2**KEY_BITS - 1
