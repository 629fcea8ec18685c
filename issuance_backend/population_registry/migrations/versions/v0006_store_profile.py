"""What kind of people this database holds, real ones or invented ones; states of events may be longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from issuance_backend.journal_tables import create_store_profile

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; whoever works with the database next decides."""
    create_store_profile()
    # As in the office, whose chain of events has the same form. SQLite holds texts to no length.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("events", "state", type_=sa.String(24))


def downgrade() -> None:
    """Remove it; nothing keeps the two kinds apart then. No state that was recorded is cut."""
    op.drop_table("store_profile")
