"""The schema is written once for SQLite and PostgreSQL: every table compiles for both, by the same rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Index, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from gateway.adapters.sql_schema import metadata as gateway
from issuance_backend.population_registry.tables import METADATA as REGISTRY
from issuance_backend.schema import METADATA as ISSUANCE

ROOT = Path(__file__).parents[2]
SCHEMAS = {"gateway": gateway, "issuance": ISSUANCE, "registry": REGISTRY}
TABLES = [table for schema in SCHEMAS.values() for table in schema.sorted_tables]
SQL_CODE = [
    path for name in ("gateway", "issuance_backend", "monitoring") for path in (ROOT / name).rglob("*.py")
]
ONE_ENGINE = re.compile(r"PRAGMA|sqlite_(?!where|master)|INSERT OR|dialects|BEGIN IMMEDIATE|isolation_level")


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_every_table_can_be_made(table: Table, dialect: Dialect) -> None:
    made = str(CreateTable(table).compile(dialect=dialect))
    assert all(column.name in made for column in table.columns)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_rule_that_one_engine_holds_the_other_holds_too(schema: MetaData) -> None:
    def condition(index: Index, dialect: Dialect) -> str:
        return str(CreateIndex(index).compile(dialect=dialect)).partition("WHERE")[2]

    for table in schema.sorted_tables:
        for index in table.indexes:
            assert condition(index, sqlite.dialect()) == condition(index, postgresql.dialect()), index.name


def test_what_only_one_engine_knows_is_said_in_one_place() -> None:
    found = {str(path.relative_to(ROOT)) for path in SQL_CODE if ONE_ENGINE.search(path.read_text())}
    assert found == {"monitoring/database.py"}
