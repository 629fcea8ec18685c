"""Who is being captured on a kit, and which return an answer is for: nobody is captured twice meanwhile.

A number is kept as a mark that says nothing without the store's key, until the centre has the packet.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, Connection, ForeignKey, String, Table, UniqueConstraint, delete, insert, select
from sqlalchemy.exc import IntegrityError

from enrollment_admin.station.kit_store import METADATA
from enrollment_admin.station.refusals import CapturedAlready
from verification.messages.kit_returns import ReturnedCapture

CLAIMED_NUMBERS = Table(
    "claimed_numbers",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("mark", String, nullable=False, unique=True),
)
ANSWERS = Table(
    "answers",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("dossier", String, nullable=False),
    Column("returned_at", String, nullable=False),
    UniqueConstraint("dossier", "returned_at", name="one_answer_a_return"),
)

Mark = Callable[[str], str]
"""What a number is kept as."""


class ClaimStore:
    """Reads and writes in the transaction that it is given."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark

    def claim(self, connection: Connection, draft: int, citizen_number: str) -> None:
        """This capture is of this number; raises CapturedAlready where another one in hand is."""
        _add(connection, CLAIMED_NUMBERS, draft=draft, mark=self._mark(citizen_number))

    def answer(self, connection: Connection, draft: int, returned: ReturnedCapture) -> None:
        """This capture answers this return; raises CapturedAlready where another one does."""
        _add(connection, ANSWERS, draft=draft, dossier=returned.dossier, returned_at=returned.returned_at)

    def answered(self, connection: Connection) -> set[tuple[str, str]]:
        """The returns that were answered, or are being: dossier, and when it was returned."""
        asked = select(ANSWERS.c.dossier, ANSWERS.c.returned_at)
        return {(row.dossier, row.returned_at) for row in connection.execute(asked)}

    def release(self, connection: Connection, draft: int) -> None:
        """The centre answers for whoever this is."""
        connection.execute(delete(CLAIMED_NUMBERS).where(CLAIMED_NUMBERS.c.draft == draft))

    def take_back(self, connection: Connection, draft: int) -> None:
        """The capture was withdrawn: it is of nobody, and answers nothing."""
        self.release(connection, draft)
        connection.execute(delete(ANSWERS).where(ANSWERS.c.draft == draft))


def _add(connection: Connection, table: Table, **values: object) -> None:
    try:
        connection.execute(insert(table).values(values))
    except IntegrityError:
        raise CapturedAlready("another capture stands") from None
