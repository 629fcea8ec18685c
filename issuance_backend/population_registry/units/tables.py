"""The tables of administrative units, and of how many officers serve in each."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, String, Table

from issuance_backend.population_registry.tables import METADATA

UNITS = Table(
    "administrative_units",
    METADATA,
    Column("code", String(20), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    # The first day on which the unit, or this name of it, was no more.
    Column("valid_to", Date, nullable=False),
    Column("level", String(10), nullable=False),
    Column("name", String(120), nullable=False),
    Column("legal_basis", String(120), nullable=False),
)

SUCCESSIONS = Table(
    "unit_successions",
    METADATA,
    Column("code", String(20), primary_key=True),
    Column("successor", String(20), primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("legal_basis", String(120), nullable=False),
)

STAFFING = Table(
    "unit_staffing",
    METADATA,
    Column("code", String(20), primary_key=True),
    Column("counted_on", Date, primary_key=True),
    Column("officers", Integer, nullable=False),
)
