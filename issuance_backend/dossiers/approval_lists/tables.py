"""The tables of lists; nothing ever changes a row."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from issuance_backend.schema import METADATA

APPROVAL_LISTS = Table(
    "approval_lists",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("unit", String(20)),
    Column("approver", String(40), nullable=False),
    Column("as_of", String(32), nullable=False),
    Column("count", Integer, nullable=False),
    Column("signer", String(43), nullable=False),
    # What was signed; the columns before it are for finding it, and are held against it.
    Column("token", Text, nullable=False),
    # Nothing where the list is from before approvers signed.
    Column("approver_key", String(43)),
    Index("approval_lists_by_time", "as_of", "id"),
    Index("approval_lists_by_unit", "unit", "as_of", "id"),
    Index("approval_lists_by_approver", "approver", "as_of"),
)

LISTED_APPROVALS = Table(
    "listed_approvals",
    METADATA,
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    Column("packet_sha256", String(64), primary_key=True),
    Column("list", String(16), ForeignKey("approval_lists.id"), primary_key=True),
    Column("checked_by", String(40)),
    Index("listed_by_list", "list"),
)

APPROVERS_SIGN = Table(
    "approvers_sign",
    METADATA,
    # Approvals that were recorded up to this line stand with the office's signature alone.
    Column("after_event", Integer, primary_key=True, autoincrement=False),
)
