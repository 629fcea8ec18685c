"""Captures at a counter before they are sealed; dossiers of before stay as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "counter_captures",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("capture_id", sa.String(64), nullable=False, unique=True),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("unit", sa.String(20)),
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.Text),
        sa.Column("exceptions", sa.Text, nullable=False),
        sa.Column("portrait", sa.String(64), sa.ForeignKey("portraits.name")),
        sa.Column("form", sa.Text),
        sa.Column("language", sa.String(40)),
        sa.Column("signature", sa.String(64), sa.ForeignKey("portraits.name")),
        sa.Column("unsigned", sa.String(40)),
        sa.Column("answered_by", sa.String(40)),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    op.create_index("counter_captures_by_state", "counter_captures", ["state", "updated_at", "id"])
    op.create_index("counter_captures_by_dossier", "counter_captures", ["dossier"])
    op.create_index("counter_captures_by_portrait", "counter_captures", ["portrait"])
    op.create_index("counter_captures_by_signature", "counter_captures", ["signature"])


def downgrade() -> None:
    """Remove it, with what was captured and not sealed."""
    op.drop_table("counter_captures")
