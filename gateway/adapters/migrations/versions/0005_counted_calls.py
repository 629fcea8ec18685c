"""Calls of partners counted by result and time, and at which facility a counter stands."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_VIETNAM = timezone(timedelta(hours=7))
_UNMEASURED = -1


def upgrade() -> None:
    """Make the counts, and count every entry that the log has; how long those took is not known."""
    op.add_column("agents", sa.Column("facility", sa.String(16)))
    op.add_column("log_entries", sa.Column("facility", sa.String(16)))
    op.add_column("log_entries", sa.Column("took_ms", sa.BigInteger))
    counted = op.create_table(
        "counted_calls",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("partner", sa.String(64), primary_key=True),
        sa.Column("product", sa.String(96), primary_key=True),
        sa.Column("purpose", sa.String(64), primary_key=True),
        sa.Column("facility", sa.String(16), primary_key=True),
        sa.Column("outcome", sa.String(16), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("up_to_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
    )
    rows = [
        {**dict(place), "facility": "", "up_to_ms": _UNMEASURED, "calls": calls}
        for place, calls in _logged().items()
    ]
    if rows:
        op.bulk_insert(counted, rows)


def downgrade() -> None:
    """Drop the counts; what was decided stands in the log."""
    op.drop_table("counted_calls")
    op.drop_column("log_entries", "took_ms")
    op.drop_column("log_entries", "facility")
    op.drop_column("agents", "facility")


def _logged() -> Counter[tuple[tuple[str, object], ...]]:
    counts: Counter[tuple[tuple[str, object], ...]] = Counter()
    question = sa.text("SELECT entry FROM log_entries").execution_options(yield_per=1_000)
    for entry in op.get_bind().execute(question).scalars():
        said = json.loads(bytes(entry))
        place = {
            "day": datetime.fromisoformat(said["recorded_at"]).astimezone(_VIETNAM).date(),
            "partner": said["partner"],
            "product": said["policy"],
            "purpose": said["purpose"],
            "outcome": said["outcome"],
            "code": said["code"] or "",
        }
        counts[tuple(place.items())] += 1
    return counts
