"""A card that was destroyed after a newer one took its place is told as replaced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_CARDS = """
UPDATE credentials SET reason = 'replaced' WHERE state = 'destroyed'
AND 'card/' || id IN (SELECT subject FROM events WHERE event = 'replace')
"""
_WORDS = """
UPDATE notices SET data = replace(data, :former, :now) WHERE sequence IN (
    SELECT sequence FROM events WHERE event = 'destroy'
    AND subject IN (SELECT subject FROM events WHERE event = 'replace'))
"""
_REVOKED, _REPLACED = '"state":"revoked"', '"state":"replaced"'


def upgrade() -> None:
    """Give these cards their reason, and mend the last word on them for whoever hears it again."""
    op.execute(_CARDS)
    op.get_bind().execute(sa.text(_WORDS), {"former": _REVOKED, "now": _REPLACED})


def downgrade() -> None:
    """Say of them again what is said of every destroyed card."""
    op.get_bind().execute(sa.text(_WORDS), {"former": _REPLACED, "now": _REVOKED})
    op.execute("UPDATE credentials SET reason = NULL WHERE reason = 'replaced'")
