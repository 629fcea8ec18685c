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
# The longest answer in pieces of 256 octets; a card that gives it octet by octet would hold the
# counter for minutes.
_MAX_PIECES = 256
# Sixteen files of 65,535 octets in blocks of 112 are 9,400 commands; a genuine card takes about 150.
MAX_COMMANDS = 12_000
# Data that stay under 255 octets when padded, with the data objects of secure messaging around them.
_PROTECTED_MAX_DATA = 223


class Channel:
    """Sends commands and gives back data and status word.

    ``extended_length`` says whether the card was found to carry it: then long command data go in
    one APDU, else as a chain. A long Le asks for extended length by itself.
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
        """The data and status word, whatever it is; 61xx and 6Cxx are dealt with here.

        6Cxx is given back where the card ended secure messaging with it.
        """
        *links, last = self._chain(command)
        for link in links:
            data, status = self._exchange_once(link)
            if status != status_word.SUCCESS:
                return data, status
        data, status = self._exchange_once(last)
        if not status_word.wrong_expected_length(status) or last.expected is None or self.is_session_lost:
            return data, status
        right = status & 0xFF or SHORT_MAX_EXPECTED
        return self._exchange_once(last._replace(expected=right))

    def try_extended_length(self, command: CommandApdu) -> None:
        """Learn what the card carries from a command that changes nothing, sent in plain and extended."""
        self.extended_length = self.transmit_raw(command.encode_extended())[-2:] == b"\x90\x00"

    def transmit_raw(self, encoded: bytes) -> bytes:
        """Octets to the card as they are, its whole answer back.

        The rest of a long answer is fetched (ISO/IEC 7816-4, 5.3.4); raises CardUnresponsive
        where the answer is no response APDU, or one that does not end.
        """
        response = self._transmit(encoded)
        answer = bytearray(response[:-2])
        for _ in range(_MAX_PIECES):
            status = int.from_bytes(response[-2:], "big")
            if not status_word.more_data(status):
                return bytes(answer) + response[-2:]
            # The rest is fetched in plain even under secure messaging: it is transport.
            response = self._transmit(bytes((0x00, INS_GET_RESPONSE, 0x00, 0x00, status & 0xFF)))
            answer += response[:-2]
            gives_nothing = len(response) == 2 and status_word.more_data(int.from_bytes(response, "big"))
            if gives_nothing or len(answer) > _MAX_ANSWER:
                break
        raise CardUnresponsive("an answer that does not end")

    def _transmit(self, encoded: bytes) -> bytes:
        if self.apdu_count >= MAX_COMMANDS:
            raise CardUnresponsive("more commands than any card takes")
        self.apdu_count += 1
        response = self._transport.transmit(encoded)
        if not 2 <= len(response) <= _MAX_ANSWER:
            raise CardUnresponsive(f"an answer of {len(response)} octets")
        return response

    def _exchange_once(self, command: CommandApdu) -> tuple[bytes, int]:
        if self._secure_messaging is None:
            response = self.transmit_raw(command.encode())
            return response[:-2], int.from_bytes(response[-2:], "big")
        protected = self._secure_messaging.protect(command)
        return self._secure_messaging.unprotect(self.transmit_raw(protected))

    def _chain(self, command: CommandApdu) -> Iterator[CommandApdu]:
        room = SHORT_MAX_DATA if self._secure_messaging is None else _PROTECTED_MAX_DATA
        if len(command.data) <= room or self.extended_length:
            yield command
            return
        # ISO/IEC 7816-4, 5.3.3: only the last link asks for an answer.
        starts = range(0, len(command.data), room)
        for start in starts[:-1]:
            part = command.data[start : start + room]
            yield command._replace(cla=command.cla | CLA_CHAINING, data=part, expected=None)
        yield command._replace(data=command.data[starts[-1] :])
