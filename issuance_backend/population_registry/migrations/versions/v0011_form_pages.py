"""Pictures of forms DC01 lie sealed in the registry's own store, and who looks at one is recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; of forms that were scanned before the picture stays outside, under its reference."""
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
    op.create_table(
        "forgotten_objects",
        sa.Column("object_name", sa.String(100), primary_key=True),
        sa.Column("forgotten_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "dc01_scan_pages",
        sa.Column("form", sa.String(16), sa.ForeignKey("dc01_forms.id"), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("address", sa.String(64), sa.ForeignKey("blobs.address")),
        sa.Column("scanned_at", sa.String(32), nullable=False),
    )
    op.create_index("dc01_scan_pages_by_address", "dc01_scan_pages", ["address"])
    op.create_index("dc01_scan_pages_by_time", "dc01_scan_pages", ["scanned_at", "form"])
    op.add_column("dc01_forms", sa.Column("pages", sa.Integer, nullable=False, server_default="0"))
    with op.batch_alter_table("person_reads") as table:
        table.alter_column("citizen_number", existing_type=sa.String(12), nullable=True)
        table.add_column(sa.Column("form", sa.String(16)))
    op.create_index("person_reads_by_form", "person_reads", ["form"])


def downgrade() -> None:
    """Remove them: nobody is told any more who looked at a form, and its pages are not found."""
    op.drop_index("person_reads_by_form", table_name="person_reads")
    op.execute("DELETE FROM person_reads WHERE citizen_number IS NULL")
    with op.batch_alter_table("person_reads") as table:
        table.drop_column("form")
        table.alter_column("citizen_number", existing_type=sa.String(12), nullable=False)
    op.drop_column("dc01_forms", "pages")
    for table_name in ("dc01_scan_pages", "forgotten_objects", "blobs"):
        op.drop_table(table_name)
