"""Persons, one row a citizen number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "persons",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("full_name", sa.String(120), nullable=False),
        sa.Column("date_of_birth", sa.Date, nullable=False),
        sa.Column("sex", sa.String(1), nullable=False),
        sa.Column("nationality", sa.String(60), nullable=False),
        sa.Column("ethnicity", sa.String(40), nullable=False),
        sa.Column("religion", sa.String(60), nullable=False),
        sa.Column("birth_registration_place", sa.String(200), nullable=False),
        sa.Column("place_of_origin", sa.String(200), nullable=False),
        sa.Column("permanent_residence", sa.String(200), nullable=False),
        sa.Column("current_residence", sa.String(200), nullable=False),
        sa.Column("identification", sa.String(200), nullable=False),
        sa.Column("blood_group", sa.String(4)),
        sa.Column("marital_status", sa.String(20), nullable=False),
        sa.Column("occupation", sa.String(80), nullable=False),
        sa.Column("education", sa.String(40), nullable=False),
        sa.Column("phone", sa.String(20)),
        sa.Column("father", sa.String(120), nullable=False),
        sa.Column("mother", sa.String(120), nullable=False),
        sa.Column("spouse", sa.String(120)),
        sa.Column("household_head", sa.String(120), nullable=False),
        sa.Column("relation_to_head", sa.String(40), nullable=False),
        sa.Column("old_id", sa.String(9), unique=True),
        sa.Column("life_status", sa.String(10), nullable=False),
        sa.Column("life_status_since", sa.Date),
        sa.Column("recorded_at", sa.String(32), nullable=False),
    )
    op.create_index("persons_by_name", "persons", ["full_name", "date_of_birth"])


def downgrade() -> None:
    """Remove the table with everything in it."""
    op.drop_table("persons")
