"""Dossiers through local approval, search and central approval; units of officers; captured prints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN_DOSSIER = sa.text("state NOT IN ('completed', 'rejected', 'withdrawn')")
_FORMER_OPEN_DOSSIER = sa.text("state IN ('captured', 'validated', 'returned', 'approved')")
_TO_ENROL = sa.text("enrolment_due")
_NEW = ("unit", "packet_sha256", "search", "search_task", "held_in", "rejection", "lookup", "enrolment_due")


def upgrade() -> None:
    """Add what the whole life cycle needs; a dossier that one officer approved was approved centrally."""
    _officers()
    _columns()
    op.drop_index("one_open_dossier", table_name="dossiers")
    op.execute(
        "UPDATE dossiers SET state = 'central_approved', search = 'no_gallery' WHERE state = 'approved'"
    )
    # A dossier has sixteen characters of id: enough to tell its one capture from every other.
    op.execute("UPDATE dossiers SET packet_sha256 = id")
    _unique("one_open_dossier", "citizen_number", _OPEN_DOSSIER)
    op.create_index("dossiers_by_unit", "dossiers", ["unit", "state", "updated_at"])
    op.create_index("dossiers_by_task", "dossiers", ["search_task"])
    op.create_index(
        "dossiers_to_enrol", "dossiers", ["id"], sqlite_where=_TO_ENROL, postgresql_where=_TO_ENROL
    )
    op.create_table(
        "dossier_prints",
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("picture", sa.String(64), sa.ForeignKey("portraits.name"), nullable=False),
    )


def downgrade() -> None:
    """Remove it again; possible while no dossier is in a state that was not known before."""
    op.drop_table("dossier_prints")
    for name in ("dossiers_to_enrol", "dossiers_by_task", "dossiers_by_unit", "one_open_dossier"):
        op.drop_index(name, table_name="dossiers")
    op.execute("UPDATE dossiers SET state = 'approved' WHERE state = 'central_approved'")
    _unique("one_open_dossier", "citizen_number", _FORMER_OPEN_DOSSIER)
    for name in _NEW:
        op.drop_column("dossiers", name)
    op.drop_column("officers", "unit")


def _officers() -> None:
    op.add_column("officers", sa.Column("unit", sa.String(20)))
    if op.get_bind().dialect.name == "postgresql":
        # SQLite keeps texts of any length.
        op.alter_column("officers", "roles", type_=sa.String(240))


def _columns() -> None:
    op.add_column("dossiers", sa.Column("unit", sa.String(20)))
    op.add_column("dossiers", sa.Column("packet_sha256", sa.String(64), nullable=False, server_default=""))
    op.add_column("dossiers", sa.Column("search", sa.String(16)))
    op.add_column("dossiers", sa.Column("search_task", sa.String(100)))
    op.add_column("dossiers", sa.Column("held_in", sa.String(16)))
    op.add_column("dossiers", sa.Column("rejection", sa.Text))
    op.add_column("dossiers", sa.Column("lookup", sa.Text))
    op.add_column(
        "dossiers", sa.Column("enrolment_due", sa.Boolean, nullable=False, server_default=sa.false())
    )


def _unique(name: str, column: str, where: sa.TextClause) -> None:
    op.create_index(name, "dossiers", [column], unique=True, sqlite_where=where, postgresql_where=where)
