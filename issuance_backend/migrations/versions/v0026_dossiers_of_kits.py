"""What a kit is to capture again, and what came since a moment, found without all that it ever sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_RETURNED = sa.text("kit IS NOT NULL AND state = 'returned'")


def upgrade() -> None:
    """Name the kit of each dossier that stands on a packet, and make the indexes."""
    op.add_column("dossiers", sa.Column("kit", sa.String(40)))
    op.execute(
        "UPDATE dossiers SET kit = (SELECT kit FROM packets WHERE packet = dossiers.packet_sha256)"
        " WHERE packet_sha256 IN (SELECT packet FROM packets)"
    )
    op.create_index(
        "dossiers_returned_to_kit",
        "dossiers",
        ["kit", "updated_at", "id"],
        sqlite_where=_RETURNED,
        postgresql_where=_RETURNED,
    )
    op.create_index("packets_by_announcement", "packets", ["state", "announced_at", "packet"])


def downgrade() -> None:
    """Forget the kits."""
    op.drop_index("packets_by_announcement", table_name="packets")
    op.drop_index("dossiers_returned_to_kit", table_name="dossiers")
    op.drop_column("dossiers", "kit")
