"""The code on a citizen's appointment slip, by which anybody who holds the slip asks where things stand.

It follows from the hash of what was captured: a kit prints it with no network, and the centre makes the same
one when the packet arrives. Fifteen of its characters are 75 bits, which nobody guesses and which lead back
to no packet; the last is the remainder of a sum over GF(32) that notices any one wrong character, and any
two that changed places. No character looks like another: there is no I, O, 0 or 1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LENGTH = 19
"""As it is printed: four groups of four, hyphens between."""

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_BITS = 5
_RANDOM_CHARACTERS = 15
_GROUP = 4
_POLYNOMIAL = 0b100101
"""x^5 + x^2 + 1 is primitive: up to 31 places each count with a weight of their own."""

_MAX_TYPED = 80
_BETWEEN = re.compile(r"[\s.\-\u2010-\u2015]+")
_PLAIN = re.compile(f"[{_ALPHABET}]{{{_RANDOM_CHARACTERS + 1}}}")


def receipt_code(packet_hash: str) -> str:
    """The code of a capture, as it is printed; ``packet_hash`` is what identifies the capture."""
    digest = hashlib.sha256(f"receipt-code|{packet_hash}".encode()).digest()
    number = int.from_bytes(digest) >> (8 * len(digest) - _BITS * _RANDOM_CHARACTERS)
    places = range(_BITS * (_RANDOM_CHARACTERS - 1), -1, -_BITS)
    values = [number >> place & (1 << _BITS) - 1 for place in places]
    return _printed("".join(_ALPHABET[value] for value in (*values, _times_x(_remainder(values)))))


def read_receipt_code(typed: str) -> str | None:
    """The code that somebody typed or scanned, as it is printed; None for what is no code."""
    plain = _BETWEEN.sub("", typed[:_MAX_TYPED]).upper()
    if not _PLAIN.fullmatch(plain) or _remainder(_ALPHABET.index(each) for each in plain):
        return None
    return _printed(plain)


def status_link(address: str, code: str) -> str:
    """What the QR code on a slip holds: the public page at ``address``, asked for this code."""
    return f"{address}?code={code}"


def _remainder(values: Iterable[int]) -> int:
    sum_ = 0
    for value in values:
        sum_ = _times_x(sum_) ^ value
    return sum_


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ _POLYNOMIAL if doubled >> _BITS else doubled


def _printed(plain: str) -> str:
    return "-".join(plain[first : first + _GROUP] for first in range(0, len(plain), _GROUP))
