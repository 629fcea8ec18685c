"""Forms DC01 without a number are compared by name and year of birth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column and its index; forms of before get their key before the next comparison."""
    op.add_column("dc01_forms", sa.Column("likeness", sa.BigInteger))
    op.create_index("dc01_forms_by_likeness", "dc01_forms", ["likeness", "id"])


def downgrade() -> None:
    """Remove them: a form without a number is compared with nobody."""
    op.drop_index("dc01_forms_by_likeness", table_name="dc01_forms")
    op.drop_column("dc01_forms", "likeness")
