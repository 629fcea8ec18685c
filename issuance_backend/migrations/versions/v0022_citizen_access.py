"""Citizens at an office's counter who ask for their own record, and what they complain about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_CLOSED = sa.text("state IN ('completed', 'rejected', 'withdrawn')")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "citizen_visits",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("session", sa.String(80), nullable=False, unique=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("unit", sa.String(20)),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
    )
    op.create_index("citizen_visits_by_number", "citizen_visits", ["citizen_number", "opened_at"])
    op.create_index("citizen_visits_by_time", "citizen_visits", ["opened_at"])
    op.create_table(
        "complaints",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("receipt_code", sa.String(19), nullable=False, unique=True),
        sa.Column("visit", sa.String(16), nullable=False),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("unit", sa.String(20)),
        sa.Column("subject", sa.String(12), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("concerned", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("filed_by", sa.String(40), nullable=False),
        sa.Column("filed_at", sa.String(32), nullable=False),
        sa.Column("answered_by", sa.String(40)),
        sa.Column("answered_at", sa.String(32)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("answer", sa.Text),
    )
    op.create_index("complaints_by_state", "complaints", ["state", "filed_at", "id"])
    op.create_index("complaints_by_number", "complaints", ["citizen_number", "filed_at"])
    op.create_index("complaints_by_visit", "complaints", ["visit"])
    op.create_index(
        "closed_dossiers_by_number",
        "dossiers",
        ["citizen_number"],
        sqlite_where=_CLOSED,
        postgresql_where=_CLOSED,
    )


def downgrade() -> None:
    """Remove them, unless a complaint stands there: its answer is owed."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM complaints")).scalar_one():
        raise RuntimeError("citizens have complained: this version must stay")
    op.drop_index("closed_dossiers_by_number", table_name="dossiers")
    op.drop_table("complaints")
    op.drop_table("citizen_visits")
