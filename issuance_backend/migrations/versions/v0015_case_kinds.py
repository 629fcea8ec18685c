"""What kind a case is stands in a column of its own, and no longer as a mark before its candidate."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OPEN_CASE = sa.text("state != 'decided'")
_PAIR = ("probe_encounter", "candidate_encounter")
_KEPT = ("id", "took_part", "likenesses", "truth", "state", "outcome", "version", "opened_at", "updated_at")
_DECISION = ("case_id", "place", "examiner", "finding", "comment", "nonce", "at")


def upgrade() -> None:
    """Take the marks off: a colon stood before a bait's candidate, an equals sign before a claimed one."""
    marked = "substr(candidate_encounter, 1, 1)"
    kind = f"CASE {marked} WHEN ':' THEN 'bait' WHEN '=' THEN 'claimed' ELSE 'found' END"
    plain = (
        f"CASE WHEN {marked} IN (':', '=') THEN substr(candidate_encounter, 2) ELSE candidate_encounter END"
    )
    _rebuild([sa.Column("kind", sa.String(8), nullable=False)], {"candidate_encounter": plain, "kind": kind})


def downgrade() -> None:
    """Put the marks back."""
    mark = "CASE kind WHEN 'bait' THEN ':' WHEN 'claimed' THEN '=' ELSE '' END"
    _rebuild([], {"candidate_encounter": f"{mark} || candidate_encounter"})


def _rebuild(added: Sequence[sa.Column[str]], values: dict[str, str]) -> None:
    # SQLite changes no constraint of a table, and lets no table go that another one refers to.
    for table in ("adjudication_decisions", "adjudication_cases"):
        op.execute(f"CREATE TABLE former_{table} AS SELECT * FROM {table}")  # noqa: S608 - names above
        op.drop_table(table)
    _make(added)
    _fill("adjudication_cases", {**{name: name for name in (*_PAIR, *_KEPT)}, **values})
    _fill("adjudication_decisions", {name: name for name in _DECISION})


def _fill(name: str, values: dict[str, str]) -> None:
    table = sa.table(name, *(sa.column(each) for each in values))
    columns: list[sa.ColumnElement[object]] = [sa.literal_column(each) for each in values.values()]
    read = sa.select(*columns).select_from(sa.table(f"former_{name}"))
    op.execute(sa.insert(table).from_select([*values], read))
    op.drop_table(f"former_{name}")


def _make(added: Sequence[sa.Column[str]]) -> None:
    op.create_table(
        "adjudication_cases",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("probe_encounter", sa.String(64), nullable=False),
        sa.Column("candidate_encounter", sa.String(64), nullable=False),
        *added,
        sa.Column("took_part", sa.Text, nullable=False),
        sa.Column("likenesses", sa.Text, nullable=False),
        sa.Column("truth", sa.Boolean),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(24)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.UniqueConstraint(*_PAIR, *(each.name for each in added), name="one_case_a_pair"),
    )
    op.create_index("cases_by_state", "adjudication_cases", ["state", "opened_at"])
    op.create_index(
        "open_cases",
        "adjudication_cases",
        ["opened_at", "id"],
        sqlite_where=_OPEN_CASE,
        postgresql_where=_OPEN_CASE,
    )
    op.create_table(
        "adjudication_decisions",
        sa.Column("case_id", sa.String(16), sa.ForeignKey("adjudication_cases.id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("examiner", sa.String(40), nullable=False),
        sa.Column("finding", sa.String(24), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.UniqueConstraint("case_id", "examiner", name="one_decision_an_examiner"),
    )
