"""The tables of figures: read models of the recorded events, made in each event's own transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, String, Table, Text, text

from issuance_backend.schema import METADATA

STILL_THERE = "ended_by IS NULL"
WAS_MISSING = "came IS NULL OR came <> since"
IS_RANGE = "further > 0"

FIGURE_MOVES = Table(
    "figure_moves",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    # The moment of recording, never before the one of the line before: order by number is order by time.
    Column("at", String(32), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("state", String(24), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    # The move that took the subject out of this state again.
    Column("ended_by", Integer),
    Column("counted", Text, nullable=False),
    Column("clocks", Text, nullable=False),
    # Which figures this move changed, each by the subject's size: ``unit:figure``, spaces around.
    Column("marks", Text, nullable=False),
    # Seconds in the state that this move ended, and the amount of the measure that its step named.
    Column("spent", BigInteger, nullable=False, server_default="0"),
    Column("measured", BigInteger, nullable=False, server_default="0"),
    Index("figure_moves_by_subject", "subject", "sequence"),
    Index(
        "figure_moves_still_there",
        "kind",
        "state",
        "sequence",
        sqlite_where=text(STILL_THERE),
        postgresql_where=text(STILL_THERE),
    ),
)

FIGURE_UNITS = Table(
    "figure_units",
    METADATA,
    Column("unit", String(20), primary_key=True),
    Column("parent", String(20), nullable=False),
    Index("figure_units_by_parent", "parent", "unit"),
)

FIGURE_DAYS = Table(
    "figure_days",
    METADATA,
    Column("figure", String(60), primary_key=True),
    Column("unit", String(20), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    # Everything up to the end of this day.
    Column("balance", BigInteger, nullable=False),
)

FIGURE_DUES = Table(
    "figure_dues",
    METADATA,
    Column("clock", String(24), primary_key=True),
    Column("unit", String(20), primary_key=True),
    Column("due_on", Date, primary_key=True),
    # How many became due on this day, and how many of these were done with by then.
    Column("due", BigInteger, nullable=False),
    Column("cleared", BigInteger, nullable=False),
)

FIGURE_NUMBERS = Table(
    "figure_numbers",
    METADATA,
    Column("kit", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("unit", String(20), nullable=False),
    # The recorded steps in which it was known to be used, its packet came, and a case gave it up.
    Column("since", Integer, nullable=False),
    Column("came", Integer),
    Column("closed", Integer),
    # So many more numbers right behind this one, of which the same is known.
    Column("further", Integer, nullable=False, server_default="0"),
    Index(
        "figure_numbers_missing",
        "unit",
        "kit",
        "number",
        sqlite_where=text(WAS_MISSING),
        postgresql_where=text(WAS_MISSING),
    ),
    Index(
        "figure_numbers_ranges",
        "kit",
        "number",
        sqlite_where=text(IS_RANGE),
        postgresql_where=text(IS_RANGE),
    ),
)

FIGURE_RULES = Table(
    "figure_rules",
    METADATA,
    # One row: the rules by which everything above was counted, and whether that is done.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False),
    Column("is_whole", Boolean, nullable=False),
)

FIGURE_CHECKS = Table(
    "figure_checks",
    METADATA,
    # One row: how the last check against the recorded events ended.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("checked_at", String(32), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("compared", BigInteger, nullable=False),
    Column("differing", BigInteger, nullable=False),
    # JSON: figures and units, the first of those that differ.
    Column("named", Text, nullable=False),
)

FIGURE_TARGETS = Table(
    "figure_targets",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("definition", String(40), nullable=False),
    Column("unit", String(20), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("basis", String(200), nullable=False),
    Column("set_at", String(32), nullable=False),
    Column("set_by", String(80), nullable=False),
    Index("figure_targets_by_unit", "unit", "definition", "id"),
)
