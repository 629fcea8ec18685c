"""What kind of people this database holds: real ones, or invented ones."""

from __future__ import annotations

from alembic import op

from issuance_backend.journal_tables import create_store_profile

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; whoever works with the database next decides."""
    create_store_profile()


def downgrade() -> None:
    """Remove it; nothing keeps the two kinds apart then."""
    op.drop_table("store_profile")
