"""A form DC01 knows whose it is, and an identity that rests on one bears its barcode."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_CLEAN = "state IN ('clean', 'live', 'stale')"


def upgrade() -> None:
    """Make the column; clean forms of before whose number the registry holds are those persons'."""
    op.add_column("dc01_forms", sa.Column("person", sa.String(12)))
    # Alike are the number of an entry and that of an older card: what leads nowhere stays nobody's.
    for column in ("citizen_number", "old_id"):
        held = f"SELECT p.citizen_number FROM persons p WHERE p.{column} = dc01_forms.citizen_number"  # noqa: S608
        op.execute(f"UPDATE dc01_forms SET person = ({held}) WHERE {_CLEAN} AND person IS NULL")  # noqa: S608
    op.create_index("dc01_forms_by_person", "dc01_forms", ["person"])
    _resize(20, 40)


def downgrade() -> None:
    """Remove it; refused once an identity rests on a form whose barcode would not fit."""
    longer = sa.text("SELECT count(*) FROM identities WHERE length(document_number) > 20")
    if op.get_bind().execute(longer).scalar_one():
        raise RuntimeError("identities bear longer numbers: this version must stay")
    _resize(40, 20)
    op.drop_index("dc01_forms_by_person", table_name="dc01_forms")
    op.drop_column("dc01_forms", "person")


def _resize(before: int, after: int) -> None:
    with op.batch_alter_table("identities") as table:
        table.alter_column(
            "document_number",
            existing_type=sa.String(before),
            existing_nullable=True,
            type_=sa.String(after),
        )
