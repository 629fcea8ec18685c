"""Captures by their officer, cards that were taken back, and no ended case among the open ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_WITHDRAWN = sa.text("state IN ('replaced', 'revoked') AND place >= 'withdrawn:' AND place < 'withdrawn;'")


def upgrade() -> None:
    """Add the indexes, and say anew which cases are open."""
    op.create_index("captures_by_officer", "captures", ["officer", "dossier"])
    op.create_index(
        "credentials_withdrawn",
        "credentials",
        ["since", "id"],
        sqlite_where=_WITHDRAWN,
        postgresql_where=_WITHDRAWN,
    )
    _open_cases("state NOT IN ('decided', 'superseded')")


def downgrade() -> None:
    """Remove them; what was superseded counts as open again."""
    _open_cases("state != 'decided'")
    op.drop_index("credentials_withdrawn", table_name="credentials")
    op.drop_index("captures_by_officer", table_name="captures")


def _open_cases(which: str) -> None:
    is_open = sa.text(which)
    op.drop_index("open_cases", table_name="adjudication_cases")
    op.create_index(
        "open_cases",
        "adjudication_cases",
        ["opened_at", "id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
