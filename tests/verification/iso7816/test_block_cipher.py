"""CBC on a running context equals CBC on a fresh one, whatever went before."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from verification.iso7816.block_cipher import CbcCipher, RetailMac, pad, triple_des, unpad

KEY = bytes(range(16))
VECTOR = st.binary(min_size=16, max_size=16)
MESSAGE = st.integers(1, 5).flatmap(lambda blocks: st.binary(min_size=16 * blocks, max_size=16 * blocks))


@given(st.lists(st.tuples(st.booleans(), VECTOR, MESSAGE), max_size=6))
def test_running_context_equals_fresh_contexts(messages: list[tuple[bool, bytes, bytes]]) -> None:
    running = CbcCipher(AES(KEY))
    for encrypts, vector, message in messages:
        fresh = Cipher(AES(KEY), CBC(vector))
        if encrypts:
            assert running.encrypt(vector, message) == fresh.encryptor().update(message)
        else:
            assert running.decrypt(vector, message) == fresh.decryptor().update(message)


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(17)])
def test_a_part_of_a_block_is_refused_and_spoils_nothing(data: bytes) -> None:
    running = CbcCipher(AES(KEY))
    with pytest.raises(ValueError, match="whole blocks"):
        running.decrypt(bytes(16), data)
    with pytest.raises(ValueError, match="whole blocks"):
        running.encrypt(bytes(16), data)
    fresh = Cipher(AES(KEY), CBC(bytes(16))).encryptor()
    assert running.encrypt(bytes(16), bytes(32)) == fresh.update(bytes(32))


@given(st.binary(min_size=8, max_size=64).filter(lambda data: len(data) % 8 == 0))
def test_retail_mac_is_the_algorithm_block_by_block(data: bytes) -> None:
    """ISO/IEC 9797-1, MAC algorithm 3, written out with single blocks."""
    key = KEY

    def des(part: bytes, block: bytes, *, decrypts: bool = False) -> bytes:
        cipher = Cipher(triple_des(part), CBC(bytes(8)))
        return (cipher.decryptor() if decrypts else cipher.encryptor()).update(block)

    state = bytes(8)
    for start in range(0, len(data), 8):
        block = bytes(a ^ b for a, b in zip(state, data[start : start + 8], strict=True))
        state = des(key[:8], block)
    state = des(key[:8], des(key[8:], state, decrypts=True))
    mac = RetailMac(key)
    assert [mac.compute(data), mac.compute(data)] == [state, state]


@given(st.binary(max_size=40))
def test_padding_comes_off_again(data: bytes) -> None:
    padded = pad(data, 16)
    assert len(padded) % 16 == 0
    assert unpad(padded) == data


@pytest.mark.parametrize("data", [b"", bytes(16), b"\x01" * 16])
def test_what_is_not_padded_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="padding"):
        unpad(data)


def test_other_key_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        triple_des(bytes(24))
