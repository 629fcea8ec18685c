"""The index of demographic matching."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXED = ("old_id", "born", "whole_year", "whole_day", "head", "ends", "tail")


def upgrade() -> None:
    """Make the tables; the entries are indexed by ``matching refresh``."""
    op.create_table(
        "match_entries",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("old_id", sa.String(9), nullable=False),
        sa.Column("sex", sa.String(1), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("father", sa.String(200), nullable=False),
        sa.Column("mother", sa.String(200), nullable=False),
        sa.Column("origin", sa.String(250), nullable=False),
        sa.Column("residence", sa.String(250), nullable=False),
        sa.Column("born", sa.Integer, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("whole_year", "whole_day", "head", "ends", "tail", "source")
        ),
    )
    for name in _INDEXED:
        op.create_index(f"match_entries_{name}", "match_entries", [name])
    op.create_table(
        "match_words",
        sa.Column("word", sa.String(60), primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Remove the index; nothing of the registry is in it alone."""
    op.drop_table("match_words")
    op.drop_table("match_entries")
