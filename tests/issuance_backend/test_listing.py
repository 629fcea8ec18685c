"""What lies in an area, and pages of lists, as both engines find them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, literal, select

from issuance_backend import unit_codes
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import PageAsked, page_asked
from monitoring.database import Database
from tests.support.engines import Engine

UNITS = st.from_regex(r"\A[0-9]{2,3}(\.[0-9]{1,6}){0,2}\Z")
LINES = Table(
    "lines",
    MetaData(),
    Column("at", String(5), primary_key=True),
    Column("id", String(1), primary_key=True),
)
IN_ORDER = [(at, name) for at in ("08:00", "09:00", "10:00") for name in "abcd"]


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.new())


@given(UNITS, UNITS)
def test_a_table_agrees_with_the_domain_on_what_lies_in_an_area(unit: str, area: str) -> None:
    with create_engine("sqlite://").connect() as connection:
        for name in (unit, f"{area}.{unit}", area, f"{area}0"):
            found = connection.execute(select(lies_in(literal(name), area))).scalar_one()
            assert bool(found) is unit_codes.lies_in(name, area), name


def test_both_engines_agree_on_what_lies_in_an_area(database: Database) -> None:
    with database.reading() as connection:
        for name, is_inside in {
            "001": True,
            "001.02": True,
            "0010": False,
            "002": False,
            "00": False,
        }.items():
            assert bool(connection.execute(select(lies_in(literal(name), "001"))).scalar_one()) is is_inside


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_together_are_the_whole_list_in_its_order(database: Database, newest_first: bool) -> None:
    asked: PageAsked | None = PageAsked(limit=5)
    found: list[tuple[str, str]] = []
    with database.writing() as connection:
        LINES.create(connection)
        connection.execute(insert(LINES), [{"at": at, "id": name} for at, name in reversed(IN_ORDER)])
        while asked is not None:
            page = read_page(
                connection,
                select(LINES),
                (LINES.c.at, LINES.c.id),
                asked,
                lambda row: (row["at"], row["id"]),
                newest_first=newest_first,
            )
            assert len(page.entries) <= 5
            found += page.entries
            asked = page_asked("5", page.cursor, 2) if page.cursor else None
    assert found == (IN_ORDER[::-1] if newest_first else IN_ORDER)
