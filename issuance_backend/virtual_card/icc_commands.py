"""Command APDUs as the chip takes them, and the status words it answers with (ISO/IEC 7816-4, 5)."""

from __future__ import annotations

from typing import NamedTuple

from verification.encoding.tlv import Tlv, children
from verification.errors import MalformedDocument

INS_MANAGE_SECURITY_ENVIRONMENT = 0x22
INS_PERFORM_SECURITY_OPERATION = 0x2A
INS_EXTERNAL_AUTHENTICATE = 0x82
INS_GET_CHALLENGE = 0x84
INS_GENERAL_AUTHENTICATE = 0x86
INS_INTERNAL_AUTHENTICATE = 0x88
INS_SELECT = 0xA4
INS_READ_BINARY = 0xB0
INS_READ_BINARY_ODD = 0xB1
INS_GET_RESPONSE = 0xC0

CLA_CHAINED = 0x10
CLA_PROTECTED = 0x0C

SW_OK = 0x9000
SW_MORE_DATA = 0x6100  # and how much, in the lower octet
SW_END_OF_FILE = 0x6282
SW_AUTHENTICATION_FAILED = 0x6300
SW_ERRORS = 0x6400  # from here on nothing was done
SW_WRONG_LENGTH = 0x6700
SW_SECURE_MESSAGING_UNSUPPORTED = 0x6882
SW_LAST_OF_CHAIN_EXPECTED = 0x6883
SW_CHAINING_UNSUPPORTED = 0x6884
SW_SECURITY_STATUS_NOT_SATISFIED = 0x6982
SW_CONDITIONS_NOT_SATISFIED = 0x6985
SW_NO_CURRENT_FILE = 0x6986
SW_PROTECTION_MISSING = 0x6987
SW_PROTECTION_INCORRECT = 0x6988
SW_DATA_INCORRECT = 0x6A80
SW_FILE_NOT_FOUND = 0x6A82
SW_PARAMETERS_INCORRECT = 0x6A86
SW_REFERENCE_NOT_FOUND = 0x6A88
SW_OFFSET_OUTSIDE_FILE = 0x6B00
SW_OTHER_LENGTH = 0x6C00  # and which, in the lower octet
SW_INSTRUCTION_UNSUPPORTED = 0x6D00
SW_CLASS_UNSUPPORTED = 0x6E00

SHORT_MAX_EXPECTED = 256
EXTENDED_MAX_EXPECTED = 65_536


class CommandRefused(Exception):
    """The chip answers this status word and no data."""

    def __init__(self, status_word: int) -> None:
        super().__init__(f"{status_word:04X}")
        self.status_word = status_word


class Answer(NamedTuple):
    """Response data and status word, before any protection."""

    data: bytes = b""
    status_word: int = SW_OK

    def encode(self) -> bytes:
        """Write the response APDU."""
        return self.data + self.status_word.to_bytes(2, "big")


class Command(NamedTuple):
    """One command; ``expected`` is Ne, 0 where the command carries no Le field."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int = 0
    extended: bool = False

    @property
    def parameters(self) -> int:
        """P1 and P2 as one number."""
        return self.p1 << 8 | self.p2

    @property
    def is_chained(self) -> bool:
        """Whether another command continues this one (ISO/IEC 7816-4, 5.3.3)."""
        return bool(self.cla & CLA_CHAINED)

    @property
    def takes_what_there_is(self) -> bool:
        """Whether Le is all zeros: as much as the file holds, up to the maximum."""
        return self.expected in {SHORT_MAX_EXPECTED, EXTENDED_MAX_EXPECTED}


def parse_command(encoded: bytes) -> Command:
    """Read a command APDU in any of its seven forms; raises CommandRefused (6700)."""
    if len(encoded) < 4:
        raise CommandRefused(SW_WRONG_LENGTH)
    body = encoded[4:]
    extended = len(body) > 2 and body[0] == 0
    data, expected = _extended_body(body) if extended else _short_body(body)
    cla, ins, p1, p2 = encoded[:4]
    return Command(cla, ins, p1, p2, data, expected, extended)


def data_objects(data: bytes) -> list[Tlv]:
    """Split command data into its data objects; raises CommandRefused (6A80)."""
    try:
        return children(data)
    except MalformedDocument:
        raise CommandRefused(SW_DATA_INCORRECT) from None


def _short_body(body: bytes) -> tuple[bytes, int]:
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or SHORT_MAX_EXPECTED
    end = 1 + body[0]
    le = body[end:]
    if body[0] == 0 or len(body) < end or len(le) > 1:
        raise CommandRefused(SW_WRONG_LENGTH)
    return body[1:end], (le[0] or SHORT_MAX_EXPECTED) if le else 0


def _extended_body(body: bytes) -> tuple[bytes, int]:
    number = int.from_bytes(body[1:3], "big")
    if len(body) == 3:
        return b"", number or EXTENDED_MAX_EXPECTED
    end = 3 + number
    le = body[end:]
    if number == 0 or len(body) < end or len(le) not in {0, 2}:
        raise CommandRefused(SW_WRONG_LENGTH)
    return body[3:end], (int.from_bytes(le, "big") or EXTENDED_MAX_EXPECTED) if le else 0
