"""The issuer mended what it had told of replaced cards that were destroyed: it is heard again."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Listen from the first event: what is known stays until its last word comes again."""
    op.execute("UPDATE card_events SET position = 0, mark = '', heard_at_ms = NULL")


def downgrade() -> None:
    """What was heard is as good for the older version."""
