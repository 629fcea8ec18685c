"""The tables of DC01 forms, their batches and checks, and of what the indices are counted from."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from issuance_backend.population_registry.tables import METADATA

# Questions say them in these words: SQLite uses a partial index for no others.
NOT_KEYED_AGAIN = "second_clerk IS NULL"
TO_BE_DECIDED = "second_clerk IS NOT NULL AND first_wrong IS NULL"

BATCHES = Table(
    "dc01_batches",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("unit", String(20), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("aql", String(4), nullable=False),
    Column("level", String(3), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("round", Integer, nullable=False),
    Column("sample_size", Integer),
    Column("acceptance", Integer),
    Column("wrong", Integer),
    # What the first sample said: later ones do not count for the severity of the next batch.
    Column("first_verdict", String(10)),
    Column("first_verdict_at", String(32)),
    Column("opened_at", String(32), nullable=False),
    Index("dc01_batches_by_unit", "unit", "first_verdict_at"),
    Index("dc01_batches_by_state", "state", "id"),
)

FORMS = Table(
    "dc01_forms",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("barcode", String(40), nullable=False, unique=True),
    Column("unit", String(20), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("batch", String(16), ForeignKey("dc01_batches.id")),
    Column("collected_on", Date),
    # How many pages of its picture are kept here; the SHA-256 of one that is kept outside.
    Column("pages", Integer, nullable=False),
    Column("scan", String(64)),
    Column("particulars", Text),
    # The number that is keyed, where it can be one: two forms of one number contradict each other.
    Column("citizen_number", String(12)),
    # Of name and year of birth, 0 without them: forms that are alike stand under one. None is not made yet.
    Column("likeness", BigInteger),
    Column("keyed_by", String(40)),
    Column("keyed_round", Integer, nullable=False),
    Column("findings", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("checked_right", Boolean),
    Column("conflicts", Text, nullable=False),
    Column("corrected_by", String(40)),
    Column("confirmed_on", Date),
    # Of the registry's entry whose form it is; none before it is settled, or the registry has nobody yet.
    Column("person", String(12)),
    Index("dc01_forms_by_person", "person"),
    Index("dc01_forms_by_batch", "batch", "state"),
    Index("dc01_forms_by_state", "state", "id"),
    Index("dc01_forms_by_number", "citizen_number"),
    Index("dc01_forms_by_likeness", "likeness", "id"),
    Index("dc01_forms_by_unit", "unit", "id"),
)

SCAN_PAGES = Table(
    "dc01_scan_pages",
    METADATA,
    Column("form", String(16), ForeignKey("dc01_forms.id"), primary_key=True),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("media_type", String(60), nullable=False),
    # Where the sealed picture is found; none once its time was over.
    Column("address", String(64), ForeignKey("blobs.address")),
    Column("scanned_at", String(32), nullable=False),
    Index("dc01_scan_pages_by_address", "address"),
    Index("dc01_scan_pages_by_time", "scanned_at", "form"),
)

KEYINGS = Table(
    "dc01_keyings",
    METADATA,
    Column("form", String(16), ForeignKey("dc01_forms.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("officer", String(40), nullable=False),
    Column("particulars", Text, nullable=False),
    Column("keyed_at", String(32), nullable=False),
)

RECHECKS = Table(
    "dc01_rechecks",
    METADATA,
    Column("form", String(16), ForeignKey("dc01_forms.id"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("batch", String(16), ForeignKey("dc01_batches.id"), nullable=False),
    Column("first_clerk", String(40), nullable=False),
    Column("second_clerk", String(40)),
    Column("second_values", Text),
    Column("differing", Text, nullable=False),
    Column("decided_by", String(40)),
    Column("first_wrong", Text),
    Index("dc01_rechecks_by_batch", "batch", "round"),
    Index("dc01_rechecks_by_clerk", "first_clerk"),
    *(
        Index(name, "batch", "form", sqlite_where=text(condition), postgresql_where=text(condition))
        for name, condition in (
            ("dc01_rechecks_to_key", NOT_KEYED_AGAIN),
            ("dc01_rechecks_to_decide", TO_BE_DECIDED),
        )
    ),
)

STANDINGS = Table(
    "dc01_standings",
    METADATA,
    # What of a form counted from one day until another: the indices of any past day can be told again.
    Column("form", String(16), ForeignKey("dc01_forms.id"), primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("to_day", Date, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("collected", Boolean, nullable=False),
    Column("keyed", Boolean, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("checked_right", Boolean),
    Column("clean", Boolean, nullable=False),
    Column("confirmed_on", Date),
    Column("reasons", Text, nullable=False),
    Index("dc01_standings_by_unit", "unit", "form"),
)

COUNTS = Table(
    "dc01_counts",
    METADATA,
    # How a count changed on a day; the sum up to a day is what stood on it.
    Column("unit", String(20), primary_key=True),
    Column("measure", String(12), primary_key=True),
    Column("recorded_on", Date, primary_key=True),
    # The day of the last confirmed event for the measure that ages, the first day of all otherwise.
    Column("confirmed_on", Date, primary_key=True),
    Column("amount", Integer, nullable=False),
)
