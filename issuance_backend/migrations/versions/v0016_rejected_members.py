"""Whoever was rejected after the central approval is forgotten by the gallery as well."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Name those who are still enrolled, so that the search's next turn forgets them."""
    op.execute(
        "UPDATE dossiers SET pending_member = citizen_number, version = version + 1"
        " WHERE state = 'rejected' AND pending_member IS NULL"
        " AND EXISTS (SELECT 1 FROM search_tasks WHERE task_id = 'enrol-' || dossiers.packet_sha256)"
    )


def downgrade() -> None:
    """Nothing to take back: whoever was forgotten stays so."""
