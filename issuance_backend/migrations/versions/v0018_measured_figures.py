"""Figures: how long states took, what was measured, the numbers of kits, and by which rules it was counted.

What was counted before is not what these rules count: it is counted again before anybody is told of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WAS_MISSING = sa.text("came IS NULL OR came <> since")


def upgrade() -> None:
    """Make the columns and tables."""
    for name in ("spent", "measured"):
        op.add_column("figure_moves", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "figure_numbers",
        sa.Column("kit", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("came", sa.Integer),
        sa.Column("closed", sa.Integer),
    )
    op.create_index(
        "figure_numbers_missing",
        "figure_numbers",
        ["unit", "kit", "number"],
        sqlite_where=_WAS_MISSING,
        postgresql_where=_WAS_MISSING,
    )
    op.create_table(
        "figure_rules",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("is_whole", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Remove them; every figure can be made again from the events."""
    op.drop_table("figure_rules")
    op.drop_index("figure_numbers_missing", table_name="figure_numbers")
    op.drop_table("figure_numbers")
    for name in ("measured", "spent"):
        op.drop_column("figure_moves", name)
