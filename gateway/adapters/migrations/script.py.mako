"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Say what changes, and why."""
    ${upgrades if upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    """Say what is lost."""
    ${downgrades if downgrades else "raise NotImplementedError"}
