"""Which commune's people a kit took along: who lived there may ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; which extracts were taken before is not known."""
    op.create_table(
        "commune_reads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("commune", sa.String(20), nullable=False),
        sa.Column("read_at", sa.String(32), nullable=False),
        sa.Column("reader", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(80), nullable=False),
        sa.Column("kit", sa.String(40)),
        sa.Column("until", sa.String(32)),
    )
    op.create_index("commune_reads_by_commune", "commune_reads", ["commune", "read_at"])
    op.create_index("commune_reads_by_time", "commune_reads", ["read_at"])


def downgrade() -> None:
    """Remove it: nobody is told which kit held their entry."""
    op.drop_table("commune_reads")
