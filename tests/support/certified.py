"""Officers who have learned to capture, for whoever asks about something else."""

from __future__ import annotations

import secrets

from issuance_backend.officers import certificate_repository as certificates
from issuance_backend.officers.certificates import Certificate, Level
from monitoring.database import Database


def certify(
    database: Database,
    *officers: str,
    level: Level = Level.CAPTURE,
    since: str = "2020-01-01",
    until: str = "2035-12-31",
) -> None:
    """Give officers a certificate, for capture unless it says otherwise, without anybody's record of it."""
    with database.writing() as connection:
        for officer in officers:
            made = Certificate(
                id=secrets.token_hex(8),
                officer=officer,
                level=level,
                valid_from=since,
                valid_until=until,
                issuer="C06",
                certified_by="system",
                certified_at="2020-01-01T00:00:00.000000Z",
            )
            certificates.add(connection, made)
