"""What the issuer told of its cards, how far it was heard, and the lists made of it for counters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and the one row of how far the issuer was heard."""
    op.create_table(
        "card_states",
        sa.Column("status_key", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    events = op.create_table(
        "card_events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("heard_at_ms", sa.BigInteger),
        sa.Column("worker", sa.String(64)),
        sa.Column("seat_until_ms", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(events, [{"id": 1, "position": 0, "seat_until_ms": 0}])
    op.create_table(
        "status_lists",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("added", sa.LargeBinary, nullable=False),
        sa.Column("removed", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables; everything in them can be heard again."""
    for name in ("status_lists", "card_events", "card_states"):
        op.drop_table(name)
