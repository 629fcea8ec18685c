"""Integrated mapping of PACE: from two nonces to a generator (ICAO 9303-11, 4.4.3.3.2)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused
from issuance_backend.virtual_card.icc_groups import Group
from issuance_backend.virtual_card.icc_secure_messaging import block_cipher
from verification.chip.keys import Suite

# c0 makes the next key, c1 the next output; by the length of the chip's nonce.
_CONSTANTS = {
    16: ("a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"),
    32: (
        "d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676",
        "54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517",
    ),
}
# So much longer than the prime that the remainder tells nothing of where it was cut.
_SURPLUS_BITS = 64


def nonce_length(suite: Suite) -> int:
    """Octets of the chip's nonce: whole AES blocks, as many as the key needs."""
    return 16 if suite.key_length == 16 else 32


def integrated_generator(group: Group, suite: Suite, nonce: bytes, terminal_nonce: bytes) -> bytes:
    """The generator of this run; raises CommandRefused (6A80) for a nonce of the wrong length."""
    if len(terminal_nonce) != suite.key_length:
        raise CommandRefused(SW_DATA_INCORRECT)
    return group.from_field(pseudo_random(group.prime, suite, nonce, terminal_nonce) % group.prime)


def pseudo_random(prime: int, suite: Suite, nonce: bytes, terminal_nonce: bytes) -> int:
    """R(s,t) before it is reduced modulo the prime."""
    next_key, output = (bytes.fromhex(constant) for constant in _CONSTANTS[len(nonce)])
    key = _encrypt(suite, terminal_nonce, nonce)
    found = b""
    while 8 * len(found) < prime.bit_length() + _SURPLUS_BITS:
        found += _encrypt(suite, key, output)
        key = _encrypt(suite, key, next_key)
    return int.from_bytes(found, "big")


def _encrypt(suite: Suite, key: bytes, data: bytes) -> bytes:
    # The output of a round is the key of the next; AES-192 takes its first 24 octets.
    cipher = block_cipher(suite, key[: suite.key_length])
    return Cipher(cipher, modes.CBC(bytes(cipher.block_size // 8))).encryptor().update(data)
