"""The chip's side of basic access control (ICAO 9303-11, 4.3)."""

from __future__ import annotations

from hmac import compare_digest

from issuance_backend.virtual_card.icc_commands import (
    SW_AUTHENTICATION_FAILED,
    SW_CONDITIONS_NOT_SATISFIED,
    SW_WRONG_LENGTH,
    CommandRefused,
)
from issuance_backend.virtual_card.icc_data_objects import Established
from issuance_backend.virtual_card.icc_random import Random
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging, TripleDesCipher, pad
from verification.chip.keys import Suite, mrz_seed, session_keys

CHALLENGE = 8
_MESSAGE = 32
# Date of birth and date of expiry with their check digits, behind the document number.
_AFTER_DOCUMENT_NUMBER = 14


class BasicAccess:
    """BAC: two random numbers and two key halves under keys from the MRZ."""

    def __init__(self, mrz_information: str, random: Random) -> None:
        seed = mrz_seed(mrz_information)[:16]
        self._cipher = TripleDesCipher(session_keys(seed, Suite.TRIPLE_DES))
        self._document_number = mrz_information[:-_AFTER_DOCUMENT_NUMBER].encode("ascii")
        self._random = random
        self._challenge: bytes | None = None

    def challenge(self) -> bytes:
        """Return RND.IC, good for one attempt."""
        self._challenge = self._random(CHALLENGE)
        return self._challenge

    def forget(self) -> None:
        """Drop the challenge."""
        self._challenge = None

    def authenticate(self, data: bytes) -> Established:
        """Check the terminal's message; raises CommandRefused (6300 for a wrong MRZ)."""
        challenge, self._challenge = self._challenge, None
        if len(data) != _MESSAGE + 8:
            raise CommandRefused(SW_WRONG_LENGTH)
        if challenge is None:
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        cryptogram, checksum = data[:_MESSAGE], data[_MESSAGE:]
        if not compare_digest(self._cipher.checksum(pad(cryptogram, 8)), checksum):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        message = self._cipher.decrypt(b"", cryptogram)
        terminal_random, returned, terminal_key = message[:8], message[8:16], message[16:]
        if not compare_digest(returned, challenge):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        own_key = self._random(16)
        reply = self._cipher.encrypt(b"", challenge + terminal_random + own_key)
        seed = bytes(a ^ b for a, b in zip(terminal_key, own_key, strict=True))
        counter = int.from_bytes(challenge[4:] + terminal_random[4:], "big")
        session = CardSecureMessaging(Suite.TRIPLE_DES, session_keys(seed, Suite.TRIPLE_DES), counter)
        # After BAC the document number with its check digit is the chip's identity (7.1.2).
        answer = reply + self._cipher.checksum(pad(reply, 8))
        return Established(answer, session, card_identity=self._document_number)
