"""Who read a person's entry, for what and when: the person may ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what was read before is not known."""
    op.create_table(
        "person_reads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("read_at", sa.String(32), nullable=False),
        sa.Column("reader", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(80), nullable=False),
        sa.Column("agency", sa.String(80)),
        sa.Column("unit", sa.String(20)),
        sa.Column("roles", sa.String(240)),
        sa.Column("officer", sa.String(40)),
    )
    op.create_index("person_reads_by_person", "person_reads", ["citizen_number", "id"])
    op.create_index("person_reads_by_time", "person_reads", ["read_at"])


def downgrade() -> None:
    """Remove it: nobody is told who read."""
    op.drop_table("person_reads")
