"""Archives of older cards often know no more than the year of birth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the date as text: whole dates stay yyyy-mm-dd."""
    with op.batch_alter_table("legacy_records") as table:
        table.alter_column(
            "date_of_birth",
            existing_type=sa.Date,
            existing_nullable=False,
            type_=sa.String(10),
            postgresql_using="to_char(date_of_birth, 'YYYY-MM-DD')",
        )


def downgrade() -> None:
    """Keep days again; refused once a date is known in part, or it would be made up."""
    partly = sa.text("SELECT count(*) FROM legacy_records WHERE length(date_of_birth) < 10")
    if op.get_bind().execute(partly).scalar_one():
        raise RuntimeError("records have dates that are known in part: this version must stay")
    # SQLite holds days as the same texts.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "legacy_records", "date_of_birth", type_=sa.Date, postgresql_using="date_of_birth::date"
        )
