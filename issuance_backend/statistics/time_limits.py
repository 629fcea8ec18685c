"""The time limit of one subject, for those who say by when."""

from __future__ import annotations

from sqlalchemy import Connection

from issuance_backend.statistics import repository, roll_up
from issuance_backend.statistics.clocks import ClockRun

WHOLE_DOSSIER = "total"
"""The clock that runs from the capture until the card is at the office, where it waits for its holder."""


def time_limit(connection: Connection, subject: str, clock: str = WHOLE_DOSSIER) -> ClockRun | None:
    """One time limit of a subject as it stands; None where it has none, or while it is counted again."""
    if not roll_up.is_current(connection):
        return None
    standing = repository.standing(connection, [subject]).get(subject)
    return standing[1].clocks.get(clock) if standing else None
