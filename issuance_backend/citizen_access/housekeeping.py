"""What is forgotten of citizens' visits and complaints when its time is over."""

from __future__ import annotations

from datetime import datetime

from issuance_backend.citizen_access import domain, repository
from monitoring.database import Database


def forget_visits(database: Database, moment: datetime) -> int:
    """Forget visits of long ago; how many there were."""
    with database.writing() as connection:
        return repository.forget_visits(connection, moment - domain.VISITS_KEPT)


def erase_complaints(database: Database, moment: datetime) -> int:
    """Erase the words of complaints that were answered long ago; how many there were."""
    with database.writing() as connection:
        return repository.erase_texts(connection, moment - domain.TEXTS_KEPT)
