"""How lists are read from tables: what lies in an area, and one page of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, and_, tuple_

from issuance_backend.paging import Entry, Page, PageAsked, page_of


def lies_in(column: ColumnElement[Any], area: str) -> ColumnElement[bool]:
    """Whether a name is the area's or goes on behind its dot, as a unit's does: one range of an index.

    ``/`` is the character behind the dot; names are of digits, small letters and dots.
    """
    return and_(column >= area, column < f"{area}/")


def read_page(
    connection: Connection,
    question: Select[Any],
    key: tuple[Column[Any], ...],
    asked: PageAsked,
    read: Callable[[RowMapping], Entry],
    *,
    newest_first: bool = False,
) -> Page[Entry]:
    """A page of what is asked for, in the order of the key; nobody else has the same."""
    if asked.after:
        place = tuple_(*key)
        question = question.where(place < asked.after if newest_first else place > asked.after)
    question = question.order_by(*(column.desc() if newest_first else column for column in key))
    rows = connection.execute(question.limit(asked.limit + 1)).mappings().all()
    page = page_of(rows, asked, lambda row: tuple(row[column.name] for column in key))
    return Page(tuple(read(row) for row in page.entries), page.cursor)
