"""Boxes, proofs of hand-over, destructions, suspended cards, holds, electronic accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LONG_STATES = ("credentials", "events")


def upgrade() -> None:
    """Make the tables; a card that was ``lost`` is suspended for loss from now on."""
    for name, length in (("unit", 20), ("reason", 24), ("place", 64), ("box", 16)):
        op.add_column("credentials", sa.Column(name, sa.String(length)))
    # SQLite holds texts to no length; PostgreSQL does, and "returned_to_centre" has eighteen letters.
    if op.get_bind().dialect.name == "postgresql":
        for table in _LONG_STATES:
            op.alter_column(table, "state", type_=sa.String(24))
    op.execute("UPDATE credentials SET state = 'suspended', reason = 'loss' WHERE state = 'lost'")
    op.execute(
        "UPDATE credentials SET place = CASE WHEN state IN ('active', 'suspended', 'replaced')"
        " THEN 'holder' ELSE 'centre' END WHERE state != 'ordered'"
    )
    op.create_index("credentials_by_state", "credentials", ["state", "since", "id"])
    op.create_index("credentials_by_box", "credentials", ["box"])
    _boxes()
    _proofs()
    _holders()


def downgrade() -> None:
    """Remove the tables; refused while a card is in a state that was not there before."""
    known = "('ordered', 'personalising', 'personalised', 'qa_passed', 'qa_failed', 'spoiled',"
    known += " 'active', 'suspended', 'replaced')"
    asked = f"SELECT count(*) FROM credentials WHERE state NOT IN {known}"  # noqa: S608 - our own words
    if op.get_bind().execute(sa.text(asked)).scalar_one():
        raise RuntimeError("cards are on their way to offices: this version must stay")
    op.execute("UPDATE credentials SET state = 'lost' WHERE state = 'suspended'")
    for name in (
        "accounts",
        "followed_feeds",
        "holder_holds",
        "card_destructions",
        "handover_proofs",
        "card_boxes",
    ):
        op.drop_table(name)
    op.drop_index("credentials_by_state", "credentials")
    op.drop_index("credentials_by_box", "credentials")
    for name in ("unit", "reason", "place", "box"):
        op.drop_column("credentials", name)


def _boxes() -> None:
    op.create_table(
        "card_boxes",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("unit", sa.String(20), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("packed_by", sa.String(40), nullable=False),
        sa.Column("courier", sa.String(40)),
        sa.Column("received_by", sa.String(40)),
        sa.Column("missing", sa.Integer, nullable=False),
        sa.Column("packed_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    op.create_index("boxes_by_state", "card_boxes", ["state", "updated_at", "id"])


def _proofs() -> None:
    op.create_table(
        "handover_proofs",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("card", sa.String(16), sa.ForeignKey("credentials.id"), nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("used_at", sa.String(32)),
    )
    op.create_index("proofs_by_card", "handover_proofs", ["card", "made_at"])
    op.create_table(
        "card_destructions",
        sa.Column("card", sa.String(16), sa.ForeignKey("credentials.id"), primary_key=True),
        sa.Column("first_officer", sa.String(40), nullable=False),
        sa.Column("first_at", sa.String(32), nullable=False),
        sa.Column("second_officer", sa.String(40)),
        sa.Column("second_at", sa.String(32)),
    )


def _holders() -> None:
    op.create_table(
        "holder_holds",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
    op.create_table(
        "followed_feeds",
        sa.Column("feed", sa.String(40), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("ordered_by", sa.String(40), nullable=False),
        sa.Column("approved_by", sa.String(40)),
        sa.Column("reason", sa.String(24)),
        sa.Column("held_in", sa.String(16)),
        sa.Column("unit", sa.String(20)),
        sa.Column("since", sa.String(32), nullable=False),
    )
    op.create_index(
        "one_open_account",
        "accounts",
        ["citizen_number"],
        unique=True,
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )
    op.create_index("accounts_by_dossier", "accounts", ["dossier"])
