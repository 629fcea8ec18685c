"""Secure messaging: commands sealed, answers proven (ICAO 9303-11, 9.8)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from verification.encoding.tlv import build
from verification.errors import SecureMessagingFailed
from verification.iso7816 import status_word
from verification.iso7816.block_cipher import (
    AesCmac,
    CbcCipher,
    Checksum,
    RetailMac,
    pad,
    triple_des,
    unpad,
)
from verification.iso7816.command import CLA_SECURE_MESSAGING, SHORT_MAX_DATA, CommandApdu

_ENCRYPTED = 0x87  # starts with the padding indicator
_ENCRYPTED_ODD = 0x85  # for odd instructions: no padding indicator
_EXPECTED_LENGTH = 0x97
_STATUS_HEADER = b"\x99\x02"
_CHECKSUM_HEADER = b"\x8e\x08"
_PADDING_METHOD_2 = b"\x01"
# What a chip answers in plain that has dropped its session keys.
_KEYS_ARE_GONE = frozenset(
    {
        status_word.SECURE_MESSAGING_UNSUPPORTED,
        status_word.SECURE_MESSAGING_OBJECT_MISSING,
        status_word.SECURE_MESSAGING_OBJECT_INCORRECT,
    }
)
_STATUS_SIZE = 4
_CHECKSUM_SIZE = 10


class SecureMessaging(ABC):
    """One session: the keys, the send sequence counter, and whether the session still lives.

    Not for use by two threads. A session that met an unproven answer is over: the chip has
    dropped its keys or somebody interferes, and ``is_alive`` says so.
    """

    def __init__(self, cipher: CbcCipher, checksum: Checksum, counter: int) -> None:
        self.is_alive = True
        self._cipher = cipher
        self._checksum = checksum
        self._block = checksum.block
        self._counter = counter
        self._counter_limit = 1 << (8 * self._block)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def protect(self, command: CommandApdu) -> bytes:
        """The protected command; raises SecureMessagingFailed when the session is over."""
        if not self.is_alive:
            raise SecureMessagingFailed("the session is over")
        counter = self._count()
        header = bytes((command.cla | CLA_SECURE_MESSAGING, *command[1:4]))
        body = self._sealed_data(command, counter) + _expected_length(command.expected)
        # A command without data objects is padded once, not twice (9.8.4).
        sealed = pad(header, self._block) + body if body else header
        checksum = self._checksum.compute(pad(counter + sealed, self._block))
        body += _CHECKSUM_HEADER + checksum
        if len(body) > SHORT_MAX_DATA or command.is_extended:
            return header + b"\x00" + len(body).to_bytes(2, "big") + body + b"\x00\x00"
        return header + bytes((len(body),)) + body + b"\x00"

    def unprotect(self, response: bytes) -> tuple[bytes, int]:
        """The data and status word of a protected answer.

        A bare error status passes as what it says, but ends the session.
        Raises SecureMessagingFailed for anything else without a valid checksum.
        """
        counter = self._count()
        outer = int.from_bytes(response[-2:], "big")
        if len(response) <= 2:
            return self._unprotected(outer)
        body, checksum = response[: -2 - _CHECKSUM_SIZE], response[-2 - _CHECKSUM_SIZE : -2]
        expected = _CHECKSUM_HEADER + self._checksum.compute(pad(counter + body, self._block))
        if not compare_digest(expected, checksum):
            raise self._over("no valid checksum")
        objects, status = body[:-_STATUS_SIZE], body[-_STATUS_SIZE:]
        if status != _STATUS_HEADER + response[-2:]:
            raise self._over("the status word is not the protected one")
        return self._opened(objects, counter) if objects else b"", outer

    def _unprotected(self, outer: int) -> tuple[bytes, int]:
        self.is_alive = False
        if outer in _KEYS_ARE_GONE or not status_word.is_error(outer):
            raise SecureMessagingFailed("the answer is not protected")
        return b"", outer

    def _sealed_data(self, command: CommandApdu, counter: bytes) -> bytes:
        if not command.data:
            return b""
        encrypted = self._cipher.encrypt(self._vector(counter), pad(command.data, self._block))
        if command.ins & 1:
            return build(_ENCRYPTED_ODD, encrypted)
        return build(_ENCRYPTED, _PADDING_METHOD_2 + encrypted)

    def _opened(self, objects: bytes, counter: bytes) -> bytes:
        encrypted = _encrypted_value(objects)
        if encrypted is None:
            raise self._over("data objects are not those of the standard")
        try:
            return unpad(self._cipher.decrypt(self._vector(counter), encrypted))
        except ValueError:
            raise self._over("the padding is wrong") from None

    @abstractmethod
    def _vector(self, counter: bytes) -> bytes:
        """The initial vector of the cipher at this counter."""

    def _count(self) -> bytes:
        self._counter = (self._counter + 1) % self._counter_limit
        return self._counter.to_bytes(self._block, "big")

    def _over(self, reason: str) -> SecureMessagingFailed:
        self.is_alive = False
        return SecureMessagingFailed(reason)


class AesSecureMessaging(SecureMessaging):
    """AES-CBC with the enciphered counter as vector, and CMAC (ICAO 9303-11, 9.8.6.2)."""

    def __init__(self, k_enc: bytes, k_mac: bytes, ssc: int = 0) -> None:
        super().__init__(CbcCipher(AES(k_enc)), AesCmac(k_mac), ssc)
        # A single block: the vector is E(K_Enc, SSC).
        self._encipher: Callable[[bytes], bytes] = Cipher(AES(k_enc), ECB()).encryptor().update  # noqa: S305

    def _vector(self, counter: bytes) -> bytes:
        return self._encipher(counter)


class TripleDesSecureMessaging(SecureMessaging):
    """Two-key 3DES-CBC with a zero vector, and the retail MAC (ICAO 9303-11, 9.8.6.3)."""

    def __init__(self, k_enc: bytes, k_mac: bytes, ssc: int = 0) -> None:
        super().__init__(CbcCipher(triple_des(k_enc)), RetailMac(k_mac), ssc)

    def _vector(self, counter: bytes) -> bytes:
        return bytes(len(counter))


def _expected_length(expected: int | None) -> bytes:
    if expected is None:
        return b""
    if expected <= 256:
        return bytes((_EXPECTED_LENGTH, 1, expected & 0xFF))
    return bytes((_EXPECTED_LENGTH, 2)) + (expected & 0xFFFF).to_bytes(2, "big")


def _encrypted_value(objects: bytes) -> bytes | None:
    """The ciphertext where ``objects`` is exactly one data object 87 or 85, else None."""
    tag, first = objects[0], objects[1] if len(objects) > 1 else 0x80
    start = 2 if first < 0x80 else 2 + (first & 0x7F)
    length = first if first < 0x80 else int.from_bytes(objects[2:start], "big")
    if first == 0x80 or start > 5 or len(objects) != start + length:
        return None
    if tag == _ENCRYPTED and objects[start : start + 1] == _PADDING_METHOD_2:
        return objects[start + 1 :]
    return objects[start:] if tag == _ENCRYPTED_ODD else None
