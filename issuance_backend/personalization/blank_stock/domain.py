"""Blank cards as a book keeps them: what leaves one account arrives in another, and none is ever lost.

supplier   what was delivered, with the other sign
stock      in the safe
issued     taken for a card: being written, good, or in somebody's hands
spoiled    unusable, waits to be destroyed
destroyed  by two officers
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from issuance_backend.state_table import StateTable
from verification.errors import FieldsRefused

MAX_RANGE = 100_000
"""Blanks of one delivery; more come as several."""

_SERIAL = re.compile(r"([A-Z]{2,4})([0-9]{9})")


class Account(StrEnum):
    """Where blanks are in the books."""

    SUPPLIER = "supplier"
    STOCK = "stock"
    ISSUED = "issued"
    SPOILED = "spoiled"
    DESTROYED = "destroyed"


class Movement(StrEnum):
    """What happens to blanks."""

    RECEIVE = "receive"
    ISSUE = "issue"
    SPOIL = "spoil"
    WRITE_OFF = "write_off"
    DESTROY = "destroy"
    DESTROY_CARD = "destroy_card"


LEGS: Mapping[Movement, tuple[Account, Account]] = {
    Movement.RECEIVE: (Account.SUPPLIER, Account.STOCK),
    Movement.ISSUE: (Account.STOCK, Account.ISSUED),
    Movement.SPOIL: (Account.ISSUED, Account.SPOILED),
    Movement.WRITE_OFF: (Account.STOCK, Account.SPOILED),
    Movement.DESTROY: (Account.SPOILED, Account.DESTROYED),
    # A good card that nobody fetched.
    Movement.DESTROY_CARD: (Account.ISSUED, Account.DESTROYED),
}
"""From which account to which: the two legs of each movement."""


class DestructionState(StrEnum):
    """Where a destruction stands."""

    PROPOSED = "proposed"  # a second officer destroys them with the first one, or nobody does
    DESTROYED = "destroyed"
    CANCELLED = "cancelled"


class DestructionEvent(StrEnum):
    """What two officers do."""

    PROPOSE = "propose"
    CONFIRM = "confirm"
    CANCEL = "cancel"


DESTRUCTIONS: StateTable[DestructionState, DestructionEvent] = StateTable(
    {
        (None, DestructionEvent.PROPOSE): DestructionState.PROPOSED,
        (DestructionState.PROPOSED, DestructionEvent.CONFIRM): DestructionState.DESTROYED,
        (DestructionState.PROPOSED, DestructionEvent.CANCEL): DestructionState.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class SerialRange:
    """Blanks that follow each other in one series."""

    series: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


def serial_number(series: str, number: int) -> str:
    """A serial as it is printed on a blank."""
    return f"{series}{number:09}"


def read_serial(text: str) -> tuple[str, int] | None:
    """Series and number of a serial; None for what is none."""
    found = _SERIAL.fullmatch(text)
    return (found[1], int(found[2])) if found else None


def serial_range(first: str, last: str) -> SerialRange:
    """The range between two serials; raises FieldsRefused."""
    one, other = read_serial(first), read_serial(last)
    faults = {name: "FIELD_CHARACTERS" for name, read in (("first", one), ("last", other)) if read is None}
    if one is None or other is None:
        raise FieldsRefused(faults)
    found = SerialRange(one[0], one[1], other[1])
    if other[0] != one[0] or not 0 < found.count <= MAX_RANGE:
        raise FieldsRefused({"last": "FIELD_CHARACTERS"})
    return found
