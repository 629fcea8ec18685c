"""The SQL of notices."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, text, update

from issuance_backend.dossiers.notices.tables import REJECTION_NOTICES

# Both engines know the sentence. Two officers may ask for the same notice at once.
_ADD = text(
    "INSERT INTO rejection_notices (dossier, content, sha256, made_at)"
    " VALUES (:dossier, :content, :sha256, :made_at) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was made."""

    dossier: str
    content: bytes
    sha256: str
    made_at: str


def add(connection: Connection, notice: Notice) -> bool:
    """Write a notice; False where somebody else was quicker."""
    return bool(connection.execute(_ADD, asdict(notice)).rowcount)


def find(connection: Connection, dossier: str) -> Notice | None:
    """The notice of a dossier, once it was made."""
    columns = REJECTION_NOTICES.c
    question = select(columns.dossier, columns.content, columns.sha256, columns.made_at)
    row = connection.execute(question.where(columns.dossier == dossier)).one_or_none()
    return Notice(row.dossier, bytes(row.content), row.sha256, row.made_at) if row else None


def hand_over(connection: Connection, dossier: str, at: str) -> bool:
    """Write that a notice was handed over; False where it was before, or was never made."""
    columns = REJECTION_NOTICES.c
    waits = update(REJECTION_NOTICES).where(columns.dossier == dossier, columns.handed_over_at.is_(None))
    return bool(connection.execute(waits.values(handed_over_at=at)).rowcount)
