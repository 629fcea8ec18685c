"""A kit's missing numbers that follow one another are one row of figures, however many they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_IS_RANGE = sa.text("further > 0")


def upgrade() -> None:
    """Every row that stands is of one number."""
    op.add_column("figure_numbers", sa.Column("further", sa.Integer, nullable=False, server_default="0"))
    op.create_index(
        "figure_numbers_ranges",
        "figure_numbers",
        ["kit", "number"],
        sqlite_where=_IS_RANGE,
        postgresql_where=_IS_RANGE,
    )


def downgrade() -> None:
    """Remove it, and have every figure counted again: of a range only the first number would stand."""
    op.drop_index("figure_numbers_ranges", table_name="figure_numbers")
    op.drop_column("figure_numbers", "further")
    op.execute("DELETE FROM figure_rules")
