"""Block ciphers and checksums of the chip protocols, each on one long-lived context.

Making an OpenSSL context costs many times what enciphering one APDU costs, so a key gets its
contexts once. CBC with a new initialisation vector on a running context is had by adding the
difference between the vector and the last ciphertext block to the first block.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

CHECKSUM_LENGTH = 8


def pad(data: bytes, block: int) -> bytes:
    """Padding method 2 of ISO/IEC 9797-1: 80, then zeros to a whole block."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def unpad(data: bytes) -> bytes:
    """Remove padding method 2; raises ValueError where there is none."""
    stripped = data.rstrip(b"\x00")
    if not stripped or stripped[-1] != 0x80:
        raise ValueError("no padding of method 2")
    return stripped[:-1]


def triple_des(key: bytes) -> TripleDES:
    """Two-key 3DES (16 octets) or single DES (8 octets) as the 24 octets the library asks for."""
    if len(key) == 16:
        return TripleDES(key + key[:8])
    if len(key) == 8:
        return TripleDES(key * 3)
    raise ValueError("a DES key has 8 octets, a two-key 3DES key 16")


class CbcCipher:
    """CBC under one key, each message with its own initialisation vector."""

    __slots__ = ("_block", "_decrypt", "_encrypt", "_last_decrypted", "_last_encrypted")

    def __init__(self, algorithm: BlockCipherAlgorithm) -> None:
        self._block = algorithm.block_size // 8
        start = bytes(self._block)
        cipher = Cipher(algorithm, CBC(start))
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update
        self._last_encrypted = start
        self._last_decrypted = start

    def encrypt(self, vector: bytes, plain: bytes) -> bytes:
        """The ciphertext of whole blocks; raises ValueError for anything else."""
        first = self._first_block(plain)
        shifted = _xor(_xor(first, vector), self._last_encrypted) + plain[self._block :]
        encrypted = self._encrypt(shifted)
        self._last_encrypted = encrypted[-self._block :]
        return encrypted

    def decrypt(self, vector: bytes, encrypted: bytes) -> bytes:
        """The plaintext of whole blocks; raises ValueError for anything else."""
        self._first_block(encrypted)
        shifted = self._decrypt(encrypted)
        first = _xor(_xor(shifted[: self._block], self._last_decrypted), vector)
        self._last_decrypted = encrypted[-self._block :]
        return first + shifted[self._block :]

    def _first_block(self, data: bytes) -> bytes:
        # A part of a block would stay in the running context and spoil every later message.
        if not data or len(data) % self._block:
            raise ValueError("CBC takes whole blocks")
        return data[: self._block]


class Checksum(Protocol):
    """An eight-octet message authentication code; the retail MAC takes whole blocks only."""

    block: int

    def compute(self, data: bytes) -> bytes:
        """The checksum."""
        ...


class RetailMac:
    """MAC algorithm 3 of ISO/IEC 9797-1 with DES, zero vector (ICAO 9303-11, 9.8.6.3)."""

    block = 8
    __slots__ = ("_chain", "_last")

    def __init__(self, key: bytes) -> None:
        # DES-CBC over all blocks but the last, then EDE on the last: what the algorithm's
        # final decryption and encryption amount to, in two calls instead of one a block.
        self._chain = CbcCipher(triple_des(key[:8]))
        self._last = Cipher(triple_des(key), ECB()).encryptor().update  # noqa: S305 - one block of a MAC

    def compute(self, data: bytes) -> bytes:
        """The checksum of whole blocks."""
        head, last = data[:-8], data[-8:]
        if head:
            last = _xor(self._chain.encrypt(bytes(8), head)[-8:], last)
        return self._last(last)


class AesCmac:
    """AES-CMAC cut to eight octets (ICAO 9303-11, 9.8.6.2)."""

    block = 16
    __slots__ = ("_cmac",)

    def __init__(self, key: bytes) -> None:
        self._cmac = CMAC(AES(key))

    def compute(self, data: bytes) -> bytes:
        """The checksum; copying a keyed context is cheaper than keying one."""
        cmac = self._cmac.copy()
        cmac.update(data)
        return cmac.finalize()[:CHECKSUM_LENGTH]


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")
