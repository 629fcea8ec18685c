"""Production: batches of orders, blanks, and the books of every movement of blanks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ACCOUNTS = ("supplier", "stock", "issued", "spoiled", "destroyed")


def upgrade() -> None:
    """Make the tables; every account begins with nothing in it."""
    _batches()
    _blanks()
    _books()


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for name in (
        "blank_counts",
        "blank_postings",
        "blank_movements",
        "blank_accounts",
        "blanks",
        "blank_destructions",
        "blank_ranges",
        "production_tasks",
        "production_batches",
    ):
        op.drop_table(name)


def _batches() -> None:
    op.create_table(
        "production_batches",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("operator", sa.String(40), nullable=False),
        sa.Column("unit", sa.String(20)),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    op.create_index("production_batches_by_time", "production_batches", ["made_at", "id"])
    op.create_table(
        "production_tasks",
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), primary_key=True),
        sa.Column("batch", sa.String(16), sa.ForeignKey("production_batches.id"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("spoiled", sa.Integer, nullable=False),
        sa.Column("code", sa.String(48)),
        sa.Column("queued_at", sa.String(32), nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("lease_until", sa.String(32)),
    )
    op.create_index("production_tasks_waiting", "production_tasks", ["state", "queued_at"])
    op.create_index("production_tasks_of_batch", "production_tasks", ["batch", "dossier"])


def _blanks() -> None:
    op.create_table(
        "blank_ranges",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("series", sa.String(4), nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("next", sa.Integer, nullable=False),
        sa.Column("received_by", sa.String(40), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
    )
    op.create_index("blank_ranges_by_series", "blank_ranges", ["series", "first"])
    op.create_table(
        "blank_destructions",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposed_by", sa.String(40), nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("confirmed_by", sa.String(40)),
        sa.Column("confirmed_at", sa.String(32)),
    )
    op.create_table(
        "blanks",
        sa.Column("serial", sa.String(16), primary_key=True),
        sa.Column("range", sa.String(16), sa.ForeignKey("blank_ranges.id"), nullable=False),
        sa.Column("card", sa.String(16), sa.ForeignKey("credentials.id"), unique=True),
        sa.Column("account", sa.String(16), nullable=False),
        sa.Column("destruction", sa.String(16), sa.ForeignKey("blank_destructions.id")),
    )
    op.create_index("blanks_by_account", "blanks", ["account", "serial"])
    op.create_index("blanks_by_destruction", "blanks", ["destruction"])


def _books() -> None:
    accounts = op.create_table(
        "blank_accounts",
        sa.Column("account", sa.String(16), primary_key=True),
        sa.Column("balance", sa.Integer, nullable=False),
    )
    op.bulk_insert(accounts, [{"account": account, "balance": 0} for account in _ACCOUNTS])
    op.create_table(
        "blank_movements",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(16), nullable=False),
    )
    op.create_table(
        "blank_postings",
        sa.Column("movement", sa.Integer, sa.ForeignKey("blank_movements.number"), primary_key=True),
        sa.Column("account", sa.String(16), sa.ForeignKey("blank_accounts.account"), primary_key=True),
        sa.Column("amount", sa.Integer, nullable=False),
    )
    op.create_table(
        "blank_counts",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("counted", sa.Integer, nullable=False),
        sa.Column("booked", sa.Integer, nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
