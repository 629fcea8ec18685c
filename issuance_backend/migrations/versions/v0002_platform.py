"""What every slice stands on: sealed pictures, notices, repeated requests, blocked officers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from issuance_backend.journal_tables import create_notices, create_repeated_requests

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let a portrait lie in the store of sealed pictures instead of its row."""
    _blobs()
    create_notices()
    create_repeated_requests()
    op.add_column("officers", sa.Column("suspended_at", sa.String(32)))
    # A sealed picture is named by a keyed hash: the column is no SHA-256 of it any more.
    op.execute("ALTER TABLE portraits RENAME COLUMN sha256 TO name")
    op.create_index("dossiers_by_change", "dossiers", ["updated_at", "id"])


def downgrade() -> None:
    """Take it all back; refused while a picture lies in the store, or it would be lost."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM blobs")).scalar_one():
        raise RuntimeError("pictures lie in the store of sealed pictures: this version must stay")
    op.drop_index("dossiers_by_change", "dossiers")
    op.execute("ALTER TABLE portraits RENAME COLUMN name TO sha256")
    op.drop_column("officers", "suspended_at")
    for name in ("idempotent_requests", "event_consumers", "notices", "blobs"):
        op.drop_table(name)


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column("address", sa.String(64), primary_key=True),
        sa.Column("object_name", sa.String(100), nullable=False, unique=True),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("stored_at", sa.String(32), nullable=False),
    )
    op.create_index("blobs_by_key", "blobs", ["key_id", "address"])
