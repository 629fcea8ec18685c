"""Figures: what each recorded step changed, sums by unit and day, what falls due when, and targets.

The steps that were recorded before are counted with the first step that is recorded after.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STILL_THERE = sa.text("ended_by IS NULL")


def upgrade() -> None:
    """Make the tables."""
    _moves()
    _sums()
    _targets()


def downgrade() -> None:
    """Remove the tables; targets are lost, every figure can be made again from the events."""
    for name in ("figure_targets", "figure_dues", "figure_days", "figure_units", "figure_moves"):
        op.drop_table(name)


def _moves() -> None:
    op.create_table(
        "figure_moves",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("ended_by", sa.Integer),
        sa.Column("counted", sa.Text, nullable=False),
        sa.Column("clocks", sa.Text, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
    )
    op.create_index("figure_moves_by_subject", "figure_moves", ["subject", "sequence"])
    op.create_index(
        "figure_moves_still_there",
        "figure_moves",
        ["kind", "state", "sequence"],
        sqlite_where=_STILL_THERE,
        postgresql_where=_STILL_THERE,
    )


def _sums() -> None:
    op.create_table(
        "figure_units",
        sa.Column("unit", sa.String(20), primary_key=True),
        sa.Column("parent", sa.String(20), nullable=False),
    )
    op.create_index("figure_units_by_parent", "figure_units", ["parent", "unit"])
    op.create_table(
        "figure_days",
        sa.Column("figure", sa.String(60), primary_key=True),
        sa.Column("unit", sa.String(20), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "figure_dues",
        sa.Column("clock", sa.String(24), primary_key=True),
        sa.Column("unit", sa.String(20), primary_key=True),
        sa.Column("due_on", sa.Date, primary_key=True),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("cleared", sa.BigInteger, nullable=False),
    )


def _targets() -> None:
    op.create_table(
        "figure_targets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("definition", sa.String(40), nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("set_at", sa.String(32), nullable=False),
        sa.Column("set_by", sa.String(80), nullable=False),
    )
    op.create_index("figure_targets_by_unit", "figure_targets", ["unit", "definition", "id"])
