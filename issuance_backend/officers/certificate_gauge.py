"""How many officers' certificates are about to end, for whoever watches the program: numbers alone."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from issuance_backend.moments import Clock
from issuance_backend.officers import certificate_repository as certificates
from issuance_backend.officers.certificates import Level
from issuance_backend.paging import PageAsked, page_asked
from monitoring.database import Database
from monitoring.metrics import CERTIFICATES_ENDING
from monitoring.refusals import DatabaseBusy
from verification.messages.national_time import vietnam_date

WITHIN = timedelta(days=30)
_COUNTED_FOR = timedelta(minutes=10)


class CertificateGauge:
    """Counted when the metrics are read, and not again for ten minutes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counted_at: datetime | None = None

    def measure(self) -> None:
        """Set the gauge; a database that does not answer leaves it as it was."""
        now = self._clock()
        if self._counted_at is not None and now - self._counted_at < _COUNTED_FOR:
            return
        with suppress(SQLAlchemyError, DatabaseBusy):
            counts = self._ending(now)
            for level in Level:
                CERTIFICATES_ENDING.labels(level.value).set(counts[level])
            self._counted_at = now

    def _ending(self, now: datetime) -> Counter[Level]:
        today = vietnam_date(now)
        days = today.isoformat(), (today + WITHIN).isoformat()
        counts: Counter[Level] = Counter()
        asked: PageAsked | None = PageAsked()
        with self._database.reading() as connection:
            while asked is not None:
                page = certificates.ending(connection, None, *days, asked)
                counts.update(each.level for each in page.entries)
                asked = page_asked(None, page.cursor, certificates.LIST_KEY) if page.cursor else None
        return counts
