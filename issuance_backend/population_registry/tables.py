"""The registry's own tables. No biometric data stands here; pictures of forms lie sealed in a store."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, MetaData, String, Table

from issuance_backend.blob_store.tables import BLOBS, FORGOTTEN_OBJECTS
from issuance_backend.idempotency.tables import IDEMPOTENT_REQUESTS
from issuance_backend.outbox.tables import EVENT_CONSUMERS, NOTICES
from issuance_backend.schema import EVENT_HEAD, EVENTS
from issuance_backend.store_profile import STORE_PROFILE

METADATA = MetaData()

# The registry chains its own events, tells its own subscribers, keeps its own answers and sealed pictures,
# and says for itself what people it holds, in tables of the same form.
for _table in (
    *(EVENTS, EVENT_HEAD, NOTICES, EVENT_CONSUMERS, IDEMPOTENT_REQUESTS, STORE_PROFILE),
    *(BLOBS, FORGOTTEN_OBJECTS),
):
    _table.to_metadata(METADATA)

PERSONS = Table(
    "persons",
    METADATA,
    Column("citizen_number", String(12), primary_key=True),
    Column("full_name", String(120), nullable=False),
    Column("date_of_birth", Date, nullable=False),
    Column("sex", String(1), nullable=False),
    Column("nationality", String(60), nullable=False),
    Column("ethnicity", String(40), nullable=False),
    Column("religion", String(60), nullable=False),
    Column("birth_registration_place", String(200), nullable=False),
    Column("place_of_origin", String(200), nullable=False),
    Column("permanent_residence", String(200), nullable=False),
    Column("current_residence", String(200), nullable=False),
    Column("identification", String(200), nullable=False),
    Column("blood_group", String(4)),
    Column("marital_status", String(20), nullable=False),
    Column("occupation", String(80), nullable=False),
    Column("education", String(40), nullable=False),
    Column("phone", String(20)),
    Column("father", String(120), nullable=False),
    Column("mother", String(120), nullable=False),
    Column("spouse", String(120)),
    Column("household_head", String(120), nullable=False),
    Column("relation_to_head", String(40), nullable=False),
    Column("old_id", String(9), unique=True),
    Column("life_status", String(10), nullable=False),
    Column("life_status_since", Date),
    Column("recorded_at", String(32), nullable=False),
    # day, month or year: of a date that is known in part the first day that it can mean stands above.
    Column("birth_known", String(5), nullable=False, server_default="day"),
    Index("persons_by_name", "full_name", "date_of_birth"),
)
