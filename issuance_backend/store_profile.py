"""Invented and real people never share a database: whoever comes first decides for good (invariant I12).

Commands that invent people claim it for demonstrations, and so does a program that is started for one. A
program of a production claims it for that; either then refuses what the other has claimed.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, String, Table, select, text

from issuance_backend.schema import METADATA
from monitoring.environment import ConfigurationFault

DEMO, PRODUCTION = "demo", "production"
PROFILES = (DEMO, PRODUCTION)

STORE_PROFILE = Table(
    "store_profile",
    METADATA,
    # There is one row, or none yet.
    Column("id", Integer, autoincrement=False, primary_key=True),
    Column("profile", String(16), nullable=False),
)

# Both engines know the sentence. Of two that claim a new database at once, one finds the other's claim.
_CLAIM = text("INSERT INTO store_profile (id, profile) VALUES (1, :profile) ON CONFLICT (id) DO NOTHING")


def claim(connection: Connection, profile: str) -> None:
    """Take a database for a profile; raises ConfigurationFault where it holds the other kind of people."""
    connection.execute(_CLAIM, {"profile": profile})
    held = connection.execute(select(STORE_PROFILE.c.profile)).scalar_one()
    if held != profile:
        raise ConfigurationFault(f"this database is one of the profile {held}, not of {profile}")


def require_profile(variable: str, profile: str) -> None:
    """Raise ConfigurationFault for one that is none: a misspelt one must not run as a demonstration."""
    if profile not in PROFILES:
        raise ConfigurationFault(f"{variable}: must be one of {', '.join(PROFILES)}")
