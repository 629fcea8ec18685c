"""The chip's side of secure messaging (ICAO 9303-11, 9.8), in AES and 3DES."""

from __future__ import annotations

from hmac import compare_digest
from typing import Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from issuance_backend.virtual_card.icc_commands import (
    EXTENDED_MAX_EXPECTED,
    SHORT_MAX_EXPECTED,
    SW_PROTECTION_INCORRECT,
    SW_PROTECTION_MISSING,
    Answer,
    Command,
    CommandRefused,
    data_objects,
)
from verification.chip.keys import SessionKeys, Suite
from verification.encoding.tlv import build

_CRYPTOGRAM = 0x87
_CRYPTOGRAM_ODD_INS = 0x85
_EXPECTED_LENGTH = 0x97
_STATUS_WORD = 0x99
_CHECKSUM = 0x8E
_CHECKSUM_LENGTH = 8
# Padding-content indicator: ISO/IEC 7816-4 padding.
_PADDED = b"\x01"


class SessionCipher(Protocol):
    """One session's two keys; messages come in whole blocks."""

    block: int

    def encrypt(self, counter: bytes, plain: bytes) -> bytes:
        """Encrypt the padded data of one message."""
        ...

    def decrypt(self, counter: bytes, cryptogram: bytes) -> bytes:
        """Decrypt the data of one message."""
        ...

    def checksum(self, message: bytes) -> bytes:
        """Eight bytes over a padded message."""
        ...


class AesCipher:
    """CBC under an IV that is the encrypted counter; CMAC (ICAO 9303-11, 9.8.6)."""

    block = 16

    def __init__(self, keys: SessionKeys) -> None:
        self._key = algorithms.AES(keys.encryption)
        # One block, the counter, never the same twice: what ECB is right for.
        self._counter_encryptor = Cipher(self._key, modes.ECB()).encryptor()  # noqa: S305
        self._cmac = CMAC(algorithms.AES(keys.checksum))

    def encrypt(self, counter: bytes, plain: bytes) -> bytes:
        """Encrypt the padded data of one message."""
        return Cipher(self._key, self._mode(counter)).encryptor().update(plain)

    def decrypt(self, counter: bytes, cryptogram: bytes) -> bytes:
        """Decrypt the data of one message."""
        return Cipher(self._key, self._mode(counter)).decryptor().update(cryptogram)

    def checksum(self, message: bytes) -> bytes:
        """CMAC cut to eight bytes."""
        cmac = self._cmac.copy()
        cmac.update(message)
        return cmac.finalize()[:_CHECKSUM_LENGTH]

    def _mode(self, counter: bytes) -> modes.CBC:
        return modes.CBC(self._counter_encryptor.update(counter))


class TripleDesCipher:
    """CBC under a zero IV; retail MAC, ISO/IEC 9797-1 algorithm 3 (ICAO 9303-11, 9.8.7)."""

    block = 8

    def __init__(self, keys: SessionKeys) -> None:
        self._key = _two_key(keys.encryption)
        self._chain_key = TripleDES(keys.checksum[:8] * 3)
        self._final_key = _two_key(keys.checksum)

    def encrypt(self, counter: bytes, plain: bytes) -> bytes:  # noqa: ARG002 - the IV is zero here
        """Encrypt the padded data of one message."""
        return Cipher(self._key, modes.CBC(bytes(8))).encryptor().update(plain)

    def decrypt(self, counter: bytes, cryptogram: bytes) -> bytes:  # noqa: ARG002
        """Decrypt the data of one message."""
        return Cipher(self._key, modes.CBC(bytes(8))).decryptor().update(cryptogram)

    def checksum(self, message: bytes) -> bytes:
        """Single DES through all blocks but the last, which goes through both keys."""
        chain = Cipher(self._chain_key, modes.CBC(bytes(8))).encryptor().update(message[:-8])
        return Cipher(self._final_key, modes.CBC(chain[-8:] or bytes(8))).encryptor().update(message[-8:])


def _two_key(key: bytes) -> TripleDES:
    return TripleDES(key + key[:8])


def block_cipher(suite: Suite, key: bytes) -> TripleDES | algorithms.AES:
    """The block cipher of ``suite`` under one key, for the protocols before a session."""
    return _two_key(key) if suite is Suite.TRIPLE_DES else algorithms.AES(key)


def session_cipher(suite: Suite, keys: SessionKeys) -> SessionCipher:
    """Return the cipher of ``suite``."""
    return TripleDesCipher(keys) if suite is Suite.TRIPLE_DES else AesCipher(keys)


def authentication_token(suite: Suite, keys: SessionKeys, message: bytes) -> bytes:
    """PACE's token: the session's checksum over a public key (ICAO 9303-11, 4.4.3.4).

    3DES pads the message; CMAC takes it as it is.
    """
    cipher = session_cipher(suite, keys)
    return cipher.checksum(pad(message, 8) if suite is Suite.TRIPLE_DES else message)


def pad(data: bytes, block: int) -> bytes:
    """ISO/IEC 9797-1 padding method 2."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


class CardSecureMessaging:
    """Takes the protection off commands and puts it on answers; the counter goes on with each."""

    def __init__(self, suite: Suite, keys: SessionKeys, counter: int = 0) -> None:
        self._cipher = session_cipher(suite, keys)
        self._counter = counter
        self._odd_ins = False

    def open(self, command: Command) -> Command:
        """Return the command inside; raises CommandRefused (6987, 6988), which ends the session."""
        try:
            parts = {part.tag: part for part in data_objects(command.data)}
        except CommandRefused:
            raise CommandRefused(SW_PROTECTION_MISSING) from None
        if _CHECKSUM not in parts:
            raise CommandRefused(SW_PROTECTION_MISSING)
        counter = self._next_counter()
        covered = b"".join(part.encoded for tag, part in parts.items() if tag != _CHECKSUM)
        message = counter + pad(bytes(command[:4]), self._cipher.block)
        if covered:
            message += pad(covered, self._cipher.block)
        if not compare_digest(self._cipher.checksum(message), parts[_CHECKSUM].value):
            raise CommandRefused(SW_PROTECTION_INCORRECT)
        self._odd_ins = bool(command.ins & 1)
        cryptogram = parts[_CRYPTOGRAM].value if _CRYPTOGRAM in parts else None
        if _CRYPTOGRAM_ODD_INS in parts and self._odd_ins:
            cryptogram = _PADDED + parts[_CRYPTOGRAM_ODD_INS].value
        data = b"" if cryptogram is None else self._decrypt(counter, cryptogram)
        expected = _expected_length(parts[_EXPECTED_LENGTH].value) if _EXPECTED_LENGTH in parts else 0
        return command._replace(cla=command.cla & ~0x0C, data=data, expected=expected)

    def close(self, answer: Answer) -> bytes:
        """Return the protected response APDU."""
        counter = self._next_counter()
        protected = b""
        if answer.data:
            cryptogram = self._cipher.encrypt(counter, pad(answer.data, self._cipher.block))
            if self._odd_ins:
                protected = build(_CRYPTOGRAM_ODD_INS, cryptogram)
            else:
                protected = build(_CRYPTOGRAM, _PADDED + cryptogram)
        status_word = answer.status_word.to_bytes(2, "big")
        protected += build(_STATUS_WORD, status_word)
        checksum = self._cipher.checksum(counter + pad(protected, self._cipher.block))
        return protected + build(_CHECKSUM, checksum) + status_word

    def _next_counter(self) -> bytes:
        self._counter = (self._counter + 1) % (1 << 8 * self._cipher.block)
        return self._counter.to_bytes(self._cipher.block, "big")

    def _decrypt(self, counter: bytes, cryptogram: bytes) -> bytes:
        body = cryptogram[1:]
        if cryptogram[:1] != _PADDED or not body or len(body) % self._cipher.block:
            raise CommandRefused(SW_PROTECTION_INCORRECT)
        plain, mark, zeros = self._cipher.decrypt(counter, body).rpartition(b"\x80")
        if not mark or zeros.strip(b"\x00"):
            raise CommandRefused(SW_PROTECTION_INCORRECT)
        return plain


def _expected_length(value: bytes) -> int:
    if len(value) not in {1, 2}:
        raise CommandRefused(SW_PROTECTION_INCORRECT)
    maximum = SHORT_MAX_EXPECTED if len(value) == 1 else EXTENDED_MAX_EXPECTED
    return int.from_bytes(value, "big") or maximum
