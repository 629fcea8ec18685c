"""How the last check of the figures ended, for whoever watches the program: numbers alone."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from issuance_backend.moments import parse_moment
from issuance_backend.statistics.record_check import RecordCheckDesk
from monitoring.metrics import FIGURES_CHECKED, FIGURES_DIFFERING
from monitoring.refusals import DatabaseBusy


def measure(desk: RecordCheckDesk) -> None:
    """Set the gauges; a database that does not answer leaves them as they were."""
    with suppress(SQLAlchemyError, DatabaseBusy):
        last = desk.last()
        if last.checked_at is not None:
            FIGURES_DIFFERING.set(last.differing)
            FIGURES_CHECKED.set(parse_moment(last.checked_at).timestamp())
