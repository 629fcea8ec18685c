"""Requests that may come again, and what they were answered."""

from __future__ import annotations

from alembic import op

from issuance_backend.journal_tables import create_repeated_requests

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    create_repeated_requests()


def downgrade() -> None:
    """Remove it; what is lost is only how requests of the last day were answered."""
    op.drop_table("idempotent_requests")
