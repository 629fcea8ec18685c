"""Lists of local approvals: what an approver stood for in one act, signed, and which dossiers that were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; ``dossiers list-former`` signs for what was approved before there were lists."""
    op.create_table(
        "approval_lists",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("unit", sa.String(20)),
        sa.Column("approver", sa.String(40), nullable=False),
        sa.Column("as_of", sa.String(32), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("signer", sa.String(43), nullable=False),
        sa.Column("token", sa.Text, nullable=False),
    )
    op.create_index("approval_lists_by_time", "approval_lists", ["as_of", "id"])
    op.create_table(
        "listed_approvals",
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), primary_key=True),
        sa.Column("packet_sha256", sa.String(64), primary_key=True),
        sa.Column("list", sa.String(16), sa.ForeignKey("approval_lists.id"), primary_key=True),
    )
    op.create_index("listed_by_list", "listed_approvals", ["list"])


def downgrade() -> None:
    """Remove them; nobody asks for a list then."""
    op.drop_table("listed_approvals")
    op.drop_table("approval_lists")
