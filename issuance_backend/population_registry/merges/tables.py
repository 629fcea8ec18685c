"""The table of proposed merges and separations."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, text

from issuance_backend.population_registry.tables import METADATA

OPEN_PROPOSAL = "state = 'proposed'"

MERGE_PROPOSALS = Table(
    "merge_proposals",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("act", String(10), nullable=False),
    Column("kept", String(12), nullable=False),
    Column("merged", String(12), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("state", String(10), nullable=False),
    Column("proposed_by", String(40), nullable=False),
    Column("changed_at", String(32), nullable=False),
    Column("decided_by", String(40)),
    Column("refusal", String(30)),
    # The merge that was made, or taken back, once it is signed.
    Column("merge_id", String(16)),
    # Nobody signs for a number of which something else is being decided.
    Index(
        "one_open_proposal",
        "merged",
        unique=True,
        sqlite_where=text(OPEN_PROPOSAL),
        postgresql_where=text(OPEN_PROPOSAL),
    ),
    Index("merge_proposals_by_state", "state", "changed_at", "id"),
)
