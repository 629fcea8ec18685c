"""Administrative units, and DC01 forms with their batches, checks and counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_units()
    _make_batches()
    _make_forms()
    _make_checks()
    _make_counts()


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for table in ("dc01_counts", "dc01_standings", "dc01_rechecks", "dc01_keyings", "dc01_forms"):
        op.drop_table(table)
    for table in ("dc01_batches", "unit_staffing", "unit_successions", "administrative_units"):
        op.drop_table(table)


def _make_units() -> None:
    op.create_table(
        "administrative_units",
        sa.Column("code", sa.String(20), primary_key=True),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("legal_basis", sa.String(120), nullable=False),
    )
    op.create_table(
        "unit_successions",
        sa.Column("code", sa.String(20), primary_key=True),
        sa.Column("successor", sa.String(20), primary_key=True),
        sa.Column("on_day", sa.Date, primary_key=True),
        sa.Column("legal_basis", sa.String(120), nullable=False),
    )
    op.create_table(
        "unit_staffing",
        sa.Column("code", sa.String(20), primary_key=True),
        sa.Column("counted_on", sa.Date, primary_key=True),
        sa.Column("officers", sa.Integer, nullable=False),
    )


def _make_batches() -> None:
    op.create_table(
        "dc01_batches",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("aql", sa.String(4), nullable=False),
        sa.Column("level", sa.String(3), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("sample_size", sa.Integer),
        sa.Column("acceptance", sa.Integer),
        sa.Column("wrong", sa.Integer),
        sa.Column("first_verdict", sa.String(10)),
        sa.Column("first_verdict_at", sa.String(32)),
        sa.Column("opened_at", sa.String(32), nullable=False),
    )
    op.create_index("dc01_batches_by_unit", "dc01_batches", ["unit", "first_verdict_at"])
    op.create_index("dc01_batches_by_state", "dc01_batches", ["state", "id"])


def _make_forms() -> None:
    op.create_table(
        "dc01_forms",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("barcode", sa.String(40), nullable=False, unique=True),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("batch", sa.String(16), sa.ForeignKey("dc01_batches.id")),
        sa.Column("collected_on", sa.Date),
        sa.Column("scan", sa.String(64)),
        sa.Column("particulars", sa.Text),
        sa.Column("citizen_number", sa.String(12)),
        sa.Column("keyed_by", sa.String(40)),
        sa.Column("keyed_round", sa.Integer, nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("missing", sa.Text, nullable=False),
        sa.Column("checked_right", sa.Boolean),
        sa.Column("conflicts", sa.Text, nullable=False),
        sa.Column("corrected_by", sa.String(40)),
        sa.Column("confirmed_on", sa.Date),
    )
    op.create_index("dc01_forms_by_batch", "dc01_forms", ["batch", "state"])
    op.create_index("dc01_forms_by_state", "dc01_forms", ["state", "id"])
    op.create_index("dc01_forms_by_number", "dc01_forms", ["citizen_number"])
    op.create_index("dc01_forms_by_unit", "dc01_forms", ["unit", "id"])


def _make_checks() -> None:
    op.create_table(
        "dc01_keyings",
        sa.Column("form", sa.String(16), sa.ForeignKey("dc01_forms.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("particulars", sa.Text, nullable=False),
        sa.Column("keyed_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "dc01_rechecks",
        sa.Column("form", sa.String(16), sa.ForeignKey("dc01_forms.id"), primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("batch", sa.String(16), sa.ForeignKey("dc01_batches.id"), nullable=False),
        sa.Column("first_clerk", sa.String(40), nullable=False),
        sa.Column("second_clerk", sa.String(40)),
        sa.Column("second_values", sa.Text),
        sa.Column("differing", sa.Text, nullable=False),
        sa.Column("decided_by", sa.String(40)),
        sa.Column("first_wrong", sa.Text),
    )
    op.create_index("dc01_rechecks_by_batch", "dc01_rechecks", ["batch", "round"])
    op.create_index("dc01_rechecks_by_clerk", "dc01_rechecks", ["first_clerk"])


def _make_counts() -> None:
    op.create_table(
        "dc01_standings",
        sa.Column("form", sa.String(16), sa.ForeignKey("dc01_forms.id"), primary_key=True),
        sa.Column("from_day", sa.Date, primary_key=True),
        sa.Column("to_day", sa.Date, nullable=False),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("collected", sa.Boolean, nullable=False),
        sa.Column("keyed", sa.Boolean, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("checked_right", sa.Boolean),
        sa.Column("clean", sa.Boolean, nullable=False),
        sa.Column("confirmed_on", sa.Date),
        sa.Column("reasons", sa.Text, nullable=False),
    )
    op.create_index("dc01_standings_by_unit", "dc01_standings", ["unit", "form"])
    op.create_table(
        "dc01_counts",
        sa.Column("unit", sa.String(20), primary_key=True),
        sa.Column("measure", sa.String(12), primary_key=True),
        sa.Column("recorded_on", sa.Date, primary_key=True),
        sa.Column("confirmed_on", sa.Date, primary_key=True),
        sa.Column("amount", sa.Integer, nullable=False),
    )
