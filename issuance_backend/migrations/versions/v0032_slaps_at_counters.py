"""Counters take slaps: what a capture answers, and which scanner is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was open to answer a return of prints before asks no slap: nobody could take one there."""
    with op.batch_alter_table("counter_captures") as table:
        table.add_column(sa.Column("sent_back", sa.Text))
        table.add_column(sa.Column("slap_scanner", sa.Boolean))
    op.create_index("counter_captures_by_officer", "counter_captures", ["officer", "opened_at"])
    op.execute(
        "UPDATE counter_captures SET sent_back = '' "
        "WHERE dossier IS NOT NULL AND state IN ('draft', 'form_checked')"
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_index("counter_captures_by_officer", table_name="counter_captures")
    with op.batch_alter_table("counter_captures") as table:
        table.drop_column("slap_scanner")
        table.drop_column("sent_back")
