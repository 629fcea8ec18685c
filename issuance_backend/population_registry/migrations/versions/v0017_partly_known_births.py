"""An entry made of a form may know of a birth no more than its year, or year and month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say of each date how far it is known: those of before are whole."""
    op.add_column("persons", sa.Column("birth_known", sa.String(5), nullable=False, server_default="day"))


def downgrade() -> None:
    """Keep whole dates alone; refused once one is known in part, or a day would be made up."""
    partly = sa.text("SELECT count(*) FROM persons WHERE birth_known <> 'day'")
    if op.get_bind().execute(partly).scalar_one():
        raise RuntimeError("entries have dates that are known in part: this version must stay")
    op.drop_column("persons", "birth_known")
