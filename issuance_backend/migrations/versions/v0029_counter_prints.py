"""Prints of captures at counters, and the scan of the paper; captures of before had no scanner."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_CAPTURES = sa.table(
    "counter_captures",
    sa.column("id", sa.String),
    sa.column("exceptions", sa.Text),
    sa.column("print_reasons", sa.Text),
)
_NO_SCANNER = "no_scanner"
_REASON = json.dumps([{"item": "fingerprints", "code": _NO_SCANNER.upper()}])


def upgrade() -> None:
    """Add what is kept of prints; that there was no scanner becomes a reason as it is stated now."""
    op.add_column("counter_captures", sa.Column("fingers", sa.Text, nullable=False, server_default=""))
    op.add_column("counter_captures", sa.Column("print_reasons", sa.Text))
    op.add_column("counter_captures", sa.Column("paper", sa.Text))
    op.create_table(
        "counter_items",
        sa.Column("capture", sa.String(16), sa.ForeignKey("counter_captures.id"), primary_key=True),
        sa.Column("item", sa.String(40), primary_key=True),
        sa.Column("picture", sa.String(64), sa.ForeignKey("portraits.name"), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("is_again", sa.Boolean, nullable=False),
    )
    op.create_index("counter_items_by_picture", "counter_items", ["picture"])
    rows = sa.select(_CAPTURES.c.id, _CAPTURES.c.exceptions).where(
        _CAPTURES.c.exceptions.contains(_NO_SCANNER)
    )
    connection = op.get_bind()
    for row in connection.execute(rows).all():
        others = " ".join(code for code in row.exceptions.split() if code != _NO_SCANNER)
        change = sa.update(_CAPTURES).where(_CAPTURES.c.id == row.id)
        connection.execute(change.values(exceptions=others, print_reasons=_REASON))


def downgrade() -> None:
    """Remove it, with what was captured of fingers and not sealed; reasons stay as codes of the capture."""
    connection = op.get_bind()
    rows = sa.select(_CAPTURES).where(_CAPTURES.c.print_reasons.is_not(None))
    for row in connection.execute(rows).all():
        codes = {*row.exceptions.split(), *(each["code"].lower() for each in json.loads(row.print_reasons))}
        change = sa.update(_CAPTURES).where(_CAPTURES.c.id == row.id)
        connection.execute(change.values(exceptions=" ".join(sorted(codes))))
    op.drop_table("counter_items")
    for name in ("paper", "print_reasons", "fingers"):
        op.drop_column("counter_captures", name)
