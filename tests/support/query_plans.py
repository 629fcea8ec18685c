"""How SQLite finds what a program asks it for, and where it reads a whole table to do so."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Connection, Engine, event

TESTS = Path(__file__).parents[1]
_EXPLAINED = ("SELECT", "UPDATE", "DELETE")


@contextmanager
def plans_of(package: str) -> Iterator[dict[str, tuple[str, ...]]]:
    """The lines of each plan by statement, of those that a package itself asks SQLite and no test does."""
    plans: dict[str, tuple[str, ...]] = {}

    def explain(
        connection: Connection, cursor: Any, statement: str, parameters: Any, _context: object, is_many: bool
    ) -> None:
        if statement in plans or not statement.startswith(_EXPLAINED) or not _is_asked_by(package):
            return
        if connection.dialect.name != "sqlite":
            return
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if is_many else parameters)
        plans[statement] = tuple(row[3] for row in asking.fetchall())

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def whole_tables_read(plans: Mapping[str, tuple[str, ...]], growing: Set[str]) -> dict[str, list[str]]:
    """The statements that read every row of a table that grows, each with what its plan says of it."""
    found = {}
    for statement, plan in plans.items():
        scanned = [(line, re.match(r"SCAN (\w+)", line)) for line in plan]
        if lines := [line for line, table in scanned if table and table[1] in growing]:
            found[statement] = lines
    return found


def _is_asked_by(package: str) -> bool:
    """Whether the innermost line of ours on the way here is the package's."""
    product = TESTS.parent / package
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if product in path.parents:
            return True
        if TESTS in path.parents:
            return False
        frame = frame.f_back
    return False
