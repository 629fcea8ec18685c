"""Commands to a card over any transport: chaining, the rest of long answers, secure messaging."""

from __future__ import annotations

from collections.abc import Iterator

from verification.errors import CardUnresponsive, UnexpectedStatusWord
from verification.iso7816 import status_word
from verification.iso7816.command import (
    CLA_CHAINING,
    INS_GET_RESPONSE,
    SHORT_MAX_DATA,
    SHORT_MAX_EXPECTED,
    CommandApdu,
)
from verification.iso7816.secure_messaging import SecureMessaging
from verification.iso7816.transport import CardTransport

_MAX_ANSWER = 65_538  # extended length and the status word


class Channel:
    """Sends commands and gives back data and status word.

    ``extended_length`` says whether long command data go in one extended APDU or as a chain;
    a long Le asks for extended length by itself.
    """

    def __init__(self, transport: CardTransport, *, extended_length: bool = False) -> None:
        self.extended_length = extended_length
        self.apdu_count = 0
        self._transport = transport
        self._secure_messaging: SecureMessaging | None = None

    @property
    def secure_messaging(self) -> SecureMessaging | None:
        """The session in force, None while commands go in plain."""
        return self._secure_messaging

    @property
    def is_session_lost(self) -> bool:
        """Whether there was a session and the card or a fault ended it."""
        return self._secure_messaging is not None and not self._secure_messaging.is_alive

    def secure(self, session_keys: SecureMessaging | None) -> None:
        """Protect everything from now on with this session; None goes back to plain."""
        self._secure_messaging = session_keys

    def send(self, command: CommandApdu) -> bytes:
        """The data of a successful answer.

        Raises UnexpectedStatusWord for any status but 9000, SecureMessagingFailed for an
        answer that proves nothing, and what the transport raises.
        """
        data, status = self.exchange(command)
        if status != status_word.SUCCESS:
            raise UnexpectedStatusWord(command.name, status)
        return data

    def exchange(self, command: CommandApdu) -> tuple[bytes, int]:
        """The data and status word, whatever it is; 61xx and 6Cxx are dealt with here."""
        *links, last = self._chain(command)
        for link in links:
            data, status = self._exchange_once(link)
            if status != status_word.SUCCESS:
                return data, status
        data, status = self._exchange_once(last)
        if status_word.wrong_expected_length(status) and last.expected is not None:
            right = status & 0xFF or SHORT_MAX_EXPECTED
            return self._exchange_once(last._replace(expected=right))
        return data, status

    def transmit_raw(self, encoded: bytes) -> bytes:
        """Octets to the card as they are, its whole answer back.

        The rest of a long answer is fetched (ISO/IEC 7816-4, 5.3.4); raises CardUnresponsive
        where the answer is no response APDU.
        """
        response = self._transmit(encoded)
        answer, status = response[:-2], int.from_bytes(response[-2:], "big")
        while status_word.more_data(status):
            # The rest is fetched in plain even under secure messaging: it is transport.
            response = self._transmit(bytes((0x00, INS_GET_RESPONSE, 0x00, 0x00, status & 0xFF)))
            answer, status = answer + response[:-2], int.from_bytes(response[-2:], "big")
            if len(answer) > _MAX_ANSWER or (len(response) == 2 and status_word.more_data(status)):
                raise CardUnresponsive("an answer that does not end")
        return answer + response[-2:]

    def _transmit(self, encoded: bytes) -> bytes:
        self.apdu_count += 1
        response = self._transport.transmit(encoded)
        if len(response) < 2:
            raise CardUnresponsive("an answer without a status word")
        return response

    def _exchange_once(self, command: CommandApdu) -> tuple[bytes, int]:
        if self._secure_messaging is None:
            response = self.transmit_raw(command.encode())
            return response[:-2], int.from_bytes(response[-2:], "big")
        protected = self._secure_messaging.protect(command)
        return self._secure_messaging.unprotect(self.transmit_raw(protected))

    def _chain(self, command: CommandApdu) -> Iterator[CommandApdu]:
        if len(command.data) <= SHORT_MAX_DATA or self.extended_length:
            yield command
            return
        # ISO/IEC 7816-4, 5.3.3: only the last link asks for an answer.
        starts = range(0, len(command.data), SHORT_MAX_DATA)
        for start in starts[:-1]:
            part = command.data[start : start + SHORT_MAX_DATA]
            yield command._replace(cla=command.cla | CLA_CHAINING, data=part, expected=None)
        yield command._replace(data=command.data[starts[-1] :])
