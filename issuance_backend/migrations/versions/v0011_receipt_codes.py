"""Receipt codes: what a citizen's slip says leads to the dossier, or to the packet before there is one.

How a code is made stands here as it was made on the day: slips were printed with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AT_ONCE = 1000

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_PLACES = range(70, -1, -5)
"""Of fifteen characters of five bits, the highest first."""


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
    if capture_id == content_sha256:
        return capture_id
    return hashlib.sha256(f"{capture_id}|{content_sha256}".encode()).hexdigest()


def _receipt_code(capture_hash: str) -> str:
    number = int.from_bytes(hashlib.sha256(f"receipt-code|{capture_hash}".encode()).digest()) >> 181
    values = [number >> place & 31 for place in _PLACES]
    check = 0
    for value in (*values, 0):
        check = _times_x(check) ^ value
    plain = "".join(_ALPHABET[value] for value in (*values, check))
    return "-".join(plain[first : first + 4] for first in range(0, 16, 4))


def _times_x(value: int) -> int:
    """In GF(32) of x^5 + x^2 + 1."""
    return value << 1 if value < 16 else value << 1 ^ 0b100101


def _add(name: str, columns: Sequence[str], hash_of: Callable[..., str]) -> None:
    op.add_column(name, sa.Column("receipt_code", sa.String(19)))
    connection = op.get_bind()
    table = sa.table(name, *(sa.column(each) for each in (*columns, "receipt_code")))
    key = table.c[columns[0]]
    read = sa.select(*(table.c[each] for each in columns)).order_by(key).limit(_AT_ONCE)
    save = sa.update(table).where(key == sa.bindparam("which")).values(receipt_code=sa.bindparam("code"))
    last = ""
    while rows := connection.execute(read.where(key > last)).all():
        connection.execute(save, [{"which": row[0], "code": _receipt_code(hash_of(*row))} for row in rows])
        last = rows[-1][0]
    op.create_index(f"{name}_by_receipt", name, ["receipt_code"], unique=True)
