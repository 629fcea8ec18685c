"""Commands longer than one APDU, and answers longer than one (ISO/IEC 7816-4, 5.3.3 and 5.3.4)."""

from __future__ import annotations

from issuance_backend.virtual_card.icc_commands import (
    INS_EXTERNAL_AUTHENTICATE,
    INS_GET_RESPONSE,
    INS_MANAGE_SECURITY_ENVIRONMENT,
    INS_PERFORM_SECURITY_OPERATION,
    SHORT_MAX_EXPECTED,
    SW_CHAINING_UNSUPPORTED,
    SW_LAST_OF_CHAIN_EXPECTED,
    SW_MORE_DATA,
    SW_WRONG_LENGTH,
    Answer,
    Command,
    CommandRefused,
)

# GENERAL AUTHENTICATE carries the chaining bit as well; there every link has an answer of its own.
_CHAINABLE = frozenset(
    {INS_MANAGE_SECURITY_ENVIRONMENT, INS_PERFORM_SECURITY_OPERATION, INS_EXTERNAL_AUTHENTICATE}
)
_MAX_DATA = 4096


class CommandChain:
    """Collects the links of one command."""

    def __init__(self) -> None:
        self._links: list[Command] = []

    def forget(self) -> None:
        """Drop an unfinished chain."""
        self._links = []

    def join(self, command: Command) -> Command | None:
        """The whole command once its last link is here, None before.

        Raises CommandRefused: 6884 for a command that comes whole only, 6883 where another
        command interrupts the chain, 6700 for more data than the chip takes.
        """
        links, self._links = [*self._links, command], []
        if command.is_chained and command.ins not in _CHAINABLE:
            raise CommandRefused(SW_CHAINING_UNSUPPORTED)
        if any((link.ins, link.parameters) != (command.ins, command.parameters) for link in links):
            raise CommandRefused(SW_LAST_OF_CHAIN_EXPECTED)
        data = b"".join(link.data for link in links)
        if len(links) > 1 and len(data) > _MAX_DATA:
            raise CommandRefused(SW_WRONG_LENGTH)
        if command.is_chained:
            self._links = links
            return None
        return command._replace(data=data)


class AnswerParts:
    """Gives a long answer to a short command piece by piece, as chips without a longer buffer do."""

    def __init__(self) -> None:
        self._rest = b""

    def forget(self) -> None:
        """Drop what was not fetched."""
        self._rest = b""

    def is_request(self, encoded: bytes) -> bool:
        """Whether this is the GET RESPONSE that fetches the rest."""
        return bool(self._rest) and encoded[:4] == bytes((0x00, INS_GET_RESPONSE, 0x00, 0x00))

    def next(self, encoded: bytes) -> bytes:
        """The next piece; it asks for at most what 61xx offered or for what there is (Le 00)."""
        if len(encoded) != 5:
            return Answer(status_word=SW_WRONG_LENGTH).encode()
        rest, self._rest = self._rest, b""
        return self.first(rest, encoded[4] or SHORT_MAX_EXPECTED)

    def first(self, response: bytes, most: int = SHORT_MAX_EXPECTED) -> bytes:
        """A response APDU, or its first piece and how much is left."""
        if len(response) - 2 <= most:
            return response
        piece, self._rest = response[:most], response[most:]
        left = len(self._rest) - 2
        # Zero says that 256 octets or more are left.
        return piece + (SW_MORE_DATA | (left if left < SHORT_MAX_EXPECTED else 0)).to_bytes(2, "big")
