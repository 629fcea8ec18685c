"""Retention: what ended applications hold is found, and who else names a picture, without reading tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_HOLDS_ENDED_BODY = sa.text("state IN ('rejected', 'withdrawn') AND portrait <> 'erased'")
_INDEXES = (
    ("dossiers_by_portrait", "dossiers", "portrait"),
    ("prints_by_picture", "dossier_prints", "picture"),
    ("packet_items_by_picture", "packet_items", "picture"),
    ("former_pictures_by_picture", "former_pictures", "picture"),
    ("packets_by_dossier", "packets", "dossier"),
)


def upgrade() -> None:
    """Make the indexes; the next round of housekeeping erases what is due."""
    op.create_index(
        "dossiers_to_erase",
        "dossiers",
        ["state", "updated_at", "id"],
        sqlite_where=_HOLDS_ENDED_BODY,
        postgresql_where=_HOLDS_ENDED_BODY,
    )
    op.create_table(
        "former_pictures",
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), primary_key=True),
        sa.Column("picture", sa.String(64), sa.ForeignKey("portraits.name"), primary_key=True),
    )
    for name, table, column in _INDEXES:
        op.create_index(name, table, [column])


def downgrade() -> None:
    """Remove them; what was erased stays so."""
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_table("former_pictures")
    op.drop_index("dossiers_to_erase", table_name="dossiers")
