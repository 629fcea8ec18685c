"""Persons with a history: the journal, numbers, identities, life events, publications, archives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from issuance_backend.journal_tables import create_events, create_notices

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "events",
    "event_head",
    "notices",
    "event_consumers",
    "number_blocks",
    "citizen_numbers",
    "people",
    "merges",
    "identities",
    "facts",
    "life_events",
    "publications",
    "published_attributes",
    "receivers",
    "deliveries",
    "legacy_records",
)


def upgrade() -> None:
    """Make the tables; what stands in ``persons`` needs no change."""
    create_events()
    create_notices()
    _numbers()
    _people()
    _identities()
    _life_events()
    _publications()
    _legacy_records()


def downgrade() -> None:
    """Remove them; refused once something was recorded, or its history would be lost."""
    if op.get_bind().execute(sa.text("SELECT sequence FROM event_head")).scalar_one():
        raise RuntimeError("the registry has recorded events: this version must stay")
    for name in reversed(_TABLES):
        op.drop_table(name)


def _numbers() -> None:
    op.create_table(
        "number_blocks",
        sa.Column("prefix", sa.String(6), primary_key=True),
        sa.Column("order_key", sa.LargeBinary, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("alarmed_at", sa.String(32)),
    )
    op.create_table(
        "citizen_numbers",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("prefix", sa.String(6), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(64), unique=True),
        sa.Column("expires_at", sa.String(32)),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_index("citizen_numbers_by_state", "citizen_numbers", ["prefix", "state", "expires_at"])


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("reference_identity", sa.String(16)),
        sa.Column("merged_into", sa.String(12)),
        sa.Column("confirmed_on", sa.Date),
    )
    op.create_index("people_by_reference", "people", ["merged_into"])
    op.create_table(
        "merges",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kept", sa.String(12), nullable=False),
        sa.Column("merged", sa.String(12), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("merged_at", sa.String(32), nullable=False),
        sa.Column("separated_at", sa.String(32), nullable=False),
    )
    op.create_index("merges_of_reference", "merges", ["kept"])
    standing = sa.text("state = 'merged'")
    op.create_index(
        "one_standing_merge",
        "merges",
        ["merged"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("document_number", sa.String(20)),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("claimed_at", sa.String(32), nullable=False),
    )
    op.create_index("identities_by_document", "identities", ["kind", "document_number"])
    op.create_index("identities_by_person", "identities", ["citizen_number", "claimed_at"])
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("about", sa.String(28), nullable=False),
        sa.Column("attribute", sa.String(32), nullable=False),
        sa.Column("layer", sa.String(40), nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("superseded_at", sa.String(32), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("evidence", sa.String(80), nullable=False),
        sa.Column("confidence", sa.Integer, nullable=False),
        sa.Column("reported_for", sa.String(12), nullable=False),
    )
    op.create_index("facts_about", "facts", ["about", "attribute", "layer", "superseded_at"])


def _life_events() -> None:
    op.create_table(
        "life_events",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("spouse_number", sa.String(12)),
        sa.Column("occurred_on", sa.Date, nullable=False),
        sa.Column("registered_at", sa.String(32), nullable=False),
        sa.Column("reported_by", sa.String(40), nullable=False),
        sa.Column("report_id", sa.String(64), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("document", sa.String(80), nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
        sa.Column("life_status", sa.String(10), nullable=False),
        sa.UniqueConstraint("reported_by", "report_id", name="one_report"),
    )
    op.create_index("life_events_of_person", "life_events", ["citizen_number", "registered_at"])


def _publications() -> None:
    op.create_table(
        "publications",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("values_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposed_by", sa.String(40), nullable=False),
        sa.Column("signed_by", sa.String(120), nullable=False),
        sa.Column("faults", sa.Text, nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_index("publications_by_person", "publications", ["citizen_number", "state"])
    op.create_table(
        "published_attributes",
        sa.Column("citizen_number", sa.String(12), primary_key=True),
        sa.Column("attribute", sa.String(32), primary_key=True),
        sa.Column("publication", sa.String(16), nullable=False),
        sa.Column("value_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_table(
        "receivers",
        sa.Column("receiver", sa.String(80), primary_key=True),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("receiver", sa.String(80), nullable=False),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("attribute", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("publication", sa.String(16), nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.Column("acknowledged_at", sa.String(32)),
    )
    op.create_index("deliveries_missing", "deliveries", ["acknowledged_at", "sent_at", "id"])
    op.create_index("deliveries_of_attribute", "deliveries", ["citizen_number", "attribute"])
    op.create_index("deliveries_open", "deliveries", ["receiver", "acknowledged_at", "sent_at", "id"])


def _legacy_records() -> None:
    op.create_table(
        "legacy_records",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("full_name", sa.String(120), nullable=False),
        sa.Column("date_of_birth", sa.Date, nullable=False),
        sa.Column("sex", sa.String(1), nullable=False),
        sa.Column("issued_on", sa.Date),
        sa.Column("scan_quality", sa.Integer),
        sa.Column("needs_recapture", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("citizen_number", sa.String(12)),
        sa.Column("imported_at", sa.String(32), nullable=False),
    )
    op.create_index("legacy_records_by_number", "legacy_records", ["kind", "number"])
    op.create_index("legacy_records_by_outcome", "legacy_records", ["outcome", "digest"])
    op.create_index("legacy_records_by_recapture", "legacy_records", ["needs_recapture", "digest"])
