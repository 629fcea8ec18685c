"""Receipt codes: what a citizen's slip says leads to the dossier, or to the packet before there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

from issuance_backend.dossiers.particulars import capture_key
from verification.messages.receipt_code import receipt_code

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def upgrade() -> None:
    """Add the columns, and give every capture and packet the code that it would have been given."""
    _add("captures", ("capture_id", "content_sha256"), _capture_hash)
    _add("packets", ("packet",), str)


def downgrade() -> None:
    """Remove them; slips that were printed lead nowhere then."""
    for table in ("captures", "packets"):
        op.drop_index(f"{table}_by_receipt", table_name=table)
        op.drop_column(table, "receipt_code")


def _capture_hash(capture_id: str, content_sha256: str) -> str:
    # A packet's capture is known by the packet's hash, and so is its content.
    return capture_id if capture_id == content_sha256 else capture_key(capture_id, content_sha256)


def _add(name: str, columns: Sequence[str], hash_of: Callable[..., str]) -> None:
    op.add_column(name, sa.Column("receipt_code", sa.String(19)))
    connection = op.get_bind()
    table = sa.table(name, *(sa.column(each) for each in (*columns, "receipt_code")))
    key = table.c[columns[0]]
    read = sa.select(*(table.c[each] for each in columns)).order_by(key).limit(_AT_ONCE)
    save = sa.update(table).where(key == sa.bindparam("which")).values(receipt_code=sa.bindparam("code"))
    last = ""
    while rows := connection.execute(read.where(key > last)).all():
        connection.execute(save, [{"which": row[0], "code": receipt_code(hash_of(*row))} for row in rows])
        last = rows[-1][0]
    op.create_index(f"{name}_by_receipt", name, ["receipt_code"], unique=True)
