"""The tables of galleries, search tasks and adjudication. Whatever says who somebody is lies sealed."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from issuance_backend.schema import METADATA
from issuance_backend.work_claims import lease_columns

# Questions say it to the letter: SQLite uses a partial index for no other wording.
OPEN_CASE = "state NOT IN ('decided', 'superseded')"
BY_WARRANT = "operation = 'investigate'"

GALLERIES = Table(
    "galleries",
    METADATA,
    Column("code", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("province", String(8)),
    Column("version", Integer, nullable=False),
    Column("audit_sequence", Integer, nullable=False),
    Column("audit_mac", String(64), nullable=False),
    Column("opened_at", String(32), nullable=False),
)

GALLERY_ENROLMENTS = Table(
    "gallery_enrolments",
    METADATA,
    Column("gallery", String(32), ForeignKey("galleries.code"), primary_key=True),
    # The gallery's version that enrolled them: whoever knows a version reads on from there.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("reference", String(32), nullable=False),
    # The version that removed them; the sealed templates are gone by then.
    Column("removed", Integer),
    Column("sealed", LargeBinary),
    Index("enrolments_by_reference", "gallery", "reference"),
    Index("enrolments_by_removal", "gallery", "removed"),
)

GALLERY_AUDIT = Table(
    "gallery_audit",
    METADATA,
    Column("gallery", String(32), ForeignKey("galleries.code"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("mac", String(64), nullable=False),
)

SEARCH_TASKS = Table(
    "search_tasks",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("task_id", String(100), nullable=False, unique=True),
    Column("gallery", String(32), ForeignKey("galleries.code"), nullable=False),
    Column("operation", String(16), nullable=False),
    Column("caller", String(80), nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("changes_gallery", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sealed_request", LargeBinary),
    Column("sealed_answer", LargeBinary),
    Column("outcome", String(16)),
    Column("failure", String(48)),
    Column("gallery_size", Integer),
    Column("released_by", String(40)),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    *lease_columns(),
    Index("search_tasks_waiting", "state", "sequence"),
    Index(
        "search_tasks_by_warrant",
        "created_at",
        "task_id",
        sqlite_where=text(BY_WARRANT),
        postgresql_where=text(BY_WARRANT),
    ),
    Index("search_tasks_of_gallery", "gallery", "state", "changes_gallery", "sequence"),
)

ADJUDICATION_CASES = Table(
    "adjudication_cases",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("probe_encounter", String(64), nullable=False),
    Column("candidate_encounter", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("took_part", Text, nullable=False),
    Column("likenesses", Text, nullable=False),
    # Known of baits only; nothing that an examiner can see comes from here.
    Column("truth", Boolean),
    Column("state", String(16), nullable=False),
    Column("outcome", String(24)),
    Column("version", Integer, nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    # A bait keeps no real case from its pair.
    UniqueConstraint("probe_encounter", "candidate_encounter", "kind", name="one_case_a_pair"),
    Index("cases_by_state", "state", "opened_at"),
    Index(
        "open_cases",
        "opened_at",
        "id",
        sqlite_where=text(OPEN_CASE),
        postgresql_where=text(OPEN_CASE),
    ),
)

ADJUDICATION_DECISIONS = Table(
    "adjudication_decisions",
    METADATA,
    Column("case_id", String(16), ForeignKey("adjudication_cases.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("examiner", String(40), nullable=False),
    Column("finding", String(24), nullable=False),
    Column("comment", Text, nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    # Invariant I4, held by the database itself: nobody decides one case twice.
    UniqueConstraint("case_id", "examiner", name="one_decision_an_examiner"),
)
