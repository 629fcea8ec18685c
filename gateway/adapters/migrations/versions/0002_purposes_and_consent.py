"""Purposes by partner; with a session, how the holder agreed and the partner's sealed reference."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Until now every partner could ask for each of these: none loses one by the upgrade.
_SO_FAR = "bank.counter.identify bank.counter.identify.passive hospital.check_in"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("partners", sa.Column("purposes", sa.Text, nullable=False, server_default=_SO_FAR))
    op.add_column("sessions", sa.Column("consent", sa.String(64), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("partner_ref", sa.LargeBinary))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("sessions", "partner_ref")
    op.drop_column("sessions", "consent")
    op.drop_column("partners", "purposes")
