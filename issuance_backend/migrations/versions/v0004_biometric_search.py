"""Galleries, search tasks, adjudication."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _galleries()
    _tasks()
    _adjudication()


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for name in (
        "adjudication_decisions",
        "adjudication_cases",
        "search_tasks",
        "gallery_audit",
        "gallery_enrolments",
        "galleries",
    ):
        op.drop_table(name)


def _galleries() -> None:
    op.create_table(
        "galleries",
        sa.Column("code", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("province", sa.String(8)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("audit_sequence", sa.Integer, nullable=False),
        sa.Column("audit_mac", sa.String(64), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "gallery_enrolments",
        sa.Column("gallery", sa.String(32), sa.ForeignKey("galleries.code"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("removed", sa.Integer),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_index("enrolments_by_reference", "gallery_enrolments", ["gallery", "reference"])
    op.create_index("enrolments_by_removal", "gallery_enrolments", ["gallery", "removed"])
    op.create_table(
        "gallery_audit",
        sa.Column("gallery", sa.String(32), sa.ForeignKey("galleries.code"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "search_tasks",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("task_id", sa.String(100), nullable=False, unique=True),
        sa.Column("gallery", sa.String(32), sa.ForeignKey("galleries.code"), nullable=False),
        sa.Column("operation", sa.String(16), nullable=False),
        sa.Column("caller", sa.String(80), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("changes_gallery", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sealed_request", sa.LargeBinary),
        sa.Column("sealed_answer", sa.LargeBinary),
        sa.Column("outcome", sa.String(16)),
        sa.Column("failure", sa.String(48)),
        sa.Column("gallery_size", sa.Integer),
        sa.Column("released_by", sa.String(40)),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("lease_until", sa.String(32)),
    )
    op.create_index("search_tasks_waiting", "search_tasks", ["state", "sequence"])
    op.create_index(
        "search_tasks_of_gallery", "search_tasks", ["gallery", "state", "changes_gallery", "sequence"]
    )


def _adjudication() -> None:
    op.create_table(
        "adjudication_cases",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("probe_encounter", sa.String(64), nullable=False),
        sa.Column("candidate_encounter", sa.String(64), nullable=False),
        sa.Column("took_part", sa.Text, nullable=False),
        sa.Column("likenesses", sa.Text, nullable=False),
        sa.Column("truth", sa.Boolean),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(24)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("probe_encounter", "candidate_encounter", name="one_case_a_pair"),
    )
    op.create_index("cases_by_state", "adjudication_cases", ["state", "opened_at"])
    op.create_table(
        "adjudication_decisions",
        sa.Column("case_id", sa.String(16), sa.ForeignKey("adjudication_cases.id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("examiner", sa.String(40), nullable=False),
        sa.Column("finding", sa.String(24), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint("case_id", "examiner", name="one_decision_an_examiner"),
    )
