"""Merges are proposed by one officer and signed by another; publications are listed by state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the index; merges of before stand as they are, and are taken back like others."""
    op.create_index("publications_by_state", "publications", ["state", "changed_at", "id"])
    op.create_table(
        "merge_proposals",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("act", sa.String(10), nullable=False),
        sa.Column("kept", sa.String(12), nullable=False),
        sa.Column("merged", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(30), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("proposed_by", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(40)),
        sa.Column("refusal", sa.String(30)),
        sa.Column("merge_id", sa.String(16)),
    )
    undecided = sa.text("state = 'proposed'")
    op.create_index(
        "one_open_proposal",
        "merge_proposals",
        ["merged"],
        unique=True,
        sqlite_where=undecided,
        postgresql_where=undecided,
    )
    op.create_index("merge_proposals_by_state", "merge_proposals", ["state", "changed_at", "id"])


def downgrade() -> None:
    """Remove them; refused once something was proposed, or nobody would know who decided."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM merge_proposals")).scalar_one():
        raise RuntimeError("merges were proposed: this version must stay")
    op.drop_table("merge_proposals")
    op.drop_index("publications_by_state", table_name="publications")
