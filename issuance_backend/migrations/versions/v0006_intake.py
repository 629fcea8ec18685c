"""Kits, the keys that sign their packets, packets on their way, numbers that were given up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _kits()
    _packets()


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for name in ("closed_gaps", "packet_items", "packets", "packet_signers", "kits"):
        op.drop_table(name)


def _kits() -> None:
    op.create_table(
        "kits",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("unit", sa.String(20)),
        sa.Column("settled", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64)),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("registered_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "packet_signers",
        sa.Column("thumbprint", sa.String(43), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
        sa.Column("valid_from", sa.String(32), nullable=False),
        sa.Column("valid_until", sa.String(32)),
        sa.Column("revoked_at", sa.String(32)),
        sa.Column("revoked_case", sa.String(64)),
    )
    op.create_index("signers_by_owner", "packet_signers", ["kind", "owner"])
    op.create_table(
        "closed_gaps",
        sa.Column("kit", sa.String(40), sa.ForeignKey("kits.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("named", sa.String(64)),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("closed_at", sa.String(32), nullable=False),
    )


def _packets() -> None:
    op.create_table(
        "packets",
        sa.Column("packet", sa.String(64), primary_key=True),
        sa.Column("kit", sa.String(40), sa.ForeignKey("kits.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("metadata", sa.LargeBinary, nullable=False),
        sa.Column("announced_at", sa.String(32), nullable=False),
        sa.Column("received_at", sa.String(32)),
        sa.Column("receipt", sa.Text),
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id")),
        sa.Column("code", sa.String(48)),
        sa.Column("case_id", sa.String(64)),
        sa.UniqueConstraint("kit", "sequence", name="one_packet_a_number"),
    )
    op.create_index("packets_by_state", "packets", ["state", "kit", "sequence"])
    op.create_table(
        "packet_items",
        sa.Column("packet", sa.String(64), sa.ForeignKey("packets.packet"), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("picture", sa.String(64), sa.ForeignKey("portraits.name"), nullable=False),
    )
