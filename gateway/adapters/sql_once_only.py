"""What may be used once, in SQL: a unique row decides, whatever a cache believes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from gateway.adapters.sql_schema import used_nonces
from gateway.ports import Clock
from monitoring.database import Database


class SqlOnceOnly:
    """The OnceOnly port. Insert first, ask never: a check before the insert would race."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def take(self, owner: str, nonce: str, expires: datetime) -> bool:
        """Whether this is the first time; remembered until ``expires``."""
        forgotten = delete(used_nonces).where(used_nonces.c.expires < int(self._clock().timestamp()))
        row = {"owner": owner, "nonce": nonce, "expires": int(expires.timestamp()) + 1}
        try:
            with self._database.writing() as connection:
                connection.execute(forgotten)
                connection.execute(insert(used_nonces).values(row))
        except IntegrityError:
            return False
        return True
