"""The SQL of whether a complaint was filed, for whoever cites it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from issuance_backend.schema import EVENTS


def is_recorded(connection: Connection, subject: str) -> bool:
    """Whether anything was recorded under this name."""
    question = select(EVENTS.c.sequence).where(EVENTS.c.subject == subject).limit(1)
    return connection.execute(question).first() is not None
