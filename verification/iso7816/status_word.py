"""Status words by the names of ISO/IEC 7816-4, 5.1.3."""

from __future__ import annotations

SUCCESS = 0x9000
END_OF_FILE = 0x6282
AUTHENTICATION_FAILED = 0x6300
WRONG_LENGTH = 0x6700
SECURE_MESSAGING_UNSUPPORTED = 0x6882
SECURITY_STATUS_NOT_SATISFIED = 0x6982
AUTHENTICATION_BLOCKED = 0x6983
CONDITIONS_NOT_SATISFIED = 0x6985
NO_CURRENT_FILE = 0x6986
SECURE_MESSAGING_OBJECT_MISSING = 0x6987
SECURE_MESSAGING_OBJECT_INCORRECT = 0x6988
WRONG_DATA = 0x6A80
FILE_NOT_FOUND = 0x6A82
REFERENCED_DATA_NOT_FOUND = 0x6A88
OFFSET_OUTSIDE_FILE = 0x6B00
INSTRUCTION_NOT_SUPPORTED = 0x6D00

CLOSED = frozenset({SECURITY_STATUS_NOT_SATISFIED, CONDITIONS_NOT_SATISFIED})
"""What chips answer to a reader that may not have a file."""

_MORE_DATA = 0x61
_WRONG_LE = 0x6C
_COUNTER = 0x63C0
# What cards are known to answer to a wrong key or token besides 6300 and 63Cx.
_REFUSALS = frozenset(
    {
        SECURITY_STATUS_NOT_SATISFIED,
        AUTHENTICATION_BLOCKED,
        CONDITIONS_NOT_SATISFIED,
        SECURE_MESSAGING_OBJECT_INCORRECT,
        WRONG_DATA,
    }
)


def more_data(status_word: int) -> bool:
    """61xx: the rest of the answer waits for GET RESPONSE."""
    return status_word >> 8 == _MORE_DATA


def wrong_expected_length(status_word: int) -> bool:
    """6Cxx: ask again; the second octet is the right Le."""
    return status_word >> 8 == _WRONG_LE


def says_wrong_secret(status_word: int) -> bool:
    """6300 or 63Cx: an authentication failed, with x tries left where the card counts them."""
    return status_word == AUTHENTICATION_FAILED or status_word & 0xFFF0 == _COUNTER


def refuses_secret(status_word: int) -> bool:
    """The last step of BAC or PACE was answered as cards answer a wrong secret."""
    return says_wrong_secret(status_word) or status_word in _REFUSALS


def is_error(status_word: int) -> bool:
    """An execution or checking error: neither success nor a warning nor 61xx."""
    return 0x6400 <= status_word < 0x7000
