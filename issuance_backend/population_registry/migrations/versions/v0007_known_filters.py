"""What kits take along: the filters of everybody, and people found by where they live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the index."""
    op.create_table(
        "known_filters",
        sa.Column("as_of", sa.String(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("match_entries_residence", "match_entries", ["residence"])


def downgrade() -> None:
    """Remove them; filters are made again whenever they are asked for."""
    op.drop_index("match_entries_residence", table_name="match_entries")
    op.drop_table("known_filters")
