"""The tables of the issuance database. State columns are read models of the recorded events."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()

# Questions say these to the letter: SQLite uses a partial index for no other wording.
HAS_MEMBER = "pending_member IS NOT NULL"
IS_ENROLMENT_DUE = "enrolment_due"
OPEN_DOSSIER = "state NOT IN ('completed', 'rejected', 'withdrawn')"
RETURNED_TO_KIT = "kit IS NOT NULL AND state = 'returned'"
CLOSED_DOSSIER = "state IN ('completed', 'rejected', 'withdrawn')"
OPEN_ORDER = "state IN ('ordered', 'personalising', 'personalised')"
ACTIVE_CARD = "state = 'active'"
WITHDRAWN_CARD = "state IN ('replaced', 'revoked') AND place >= 'withdrawn:' AND place < 'withdrawn;'"
# What a dossier names in place of pictures whose time was over.
ERASED_PICTURE = "erased"
HOLDS_ENDED_BODY = "state IN ('rejected', 'withdrawn') AND portrait <> 'erased'"

OFFICERS = Table(
    "officers",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("roles", String(240), nullable=False),
    # Where they work: officers see what their unit and those below it do. None is the centre.
    Column("unit", String(20)),
    Column("password_hash", String(255), nullable=False),
    Column("failed_sign_ins", Integer, nullable=False),
    Column("blocked_until", String(32)),
    Column("added_at", String(32), nullable=False),
    Column("suspended_at", String(32)),
)

OFFICER_CERTIFICATES = Table(
    "officer_certificates",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("officer", String(40), ForeignKey("officers.id"), nullable=False),
    Column("level", String(16), nullable=False),
    # The first and the last day on which it is good, here.
    Column("valid_from", String(10), nullable=False),
    Column("valid_until", String(10), nullable=False),
    Column("issuer", String(120), nullable=False),
    Column("certified_by", String(40), nullable=False),
    Column("certified_at", String(32), nullable=False),
    Column("withdrawn_from", String(32)),
    Column("withdrawn_by", String(40)),
    Index("certificates_of_officer", "officer"),
    Index("certificates_by_end", "valid_until", "id"),
)

OFFICER_SESSIONS = Table(
    "officer_sessions",
    METADATA,
    Column("token_sha256", String(64), primary_key=True),
    Column("officer", String(40), ForeignKey("officers.id"), nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
)

PORTRAITS = Table(
    "portraits",
    METADATA,
    # The address of a sealed picture; the SHA-256 of one that was kept before there was a store.
    Column("name", String(64), primary_key=True),
    # Empty where the picture lies in the store of sealed pictures, under the same name.
    Column("content", LargeBinary, nullable=False),
)

DOSSIERS = Table(
    "dossiers",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("citizen_number", String(12), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("portrait", String(64), ForeignKey("portraits.name"), nullable=False),
    Column("portrait_check", Text, nullable=False),
    Column("returned", Text),
    Column("captured_by", String(40), nullable=False),
    # Who checked it as it stands now, for whoever approves at a province.
    Column("checked_by", String(40)),
    Column("approved_by", String(40)),
    Column("unit", String(20)),
    # The sealed capture that stands now: the key of everything that is done once for it.
    Column("packet_sha256", String(64), nullable=False),
    # The kit that sealed its packet last, whether or not a counter captured something since.
    Column("kit", String(40)),
    Column("search", String(16)),
    Column("search_task", String(100)),
    # Where a suspended dossier goes on.
    Column("held_in", String(16)),
    Column("rejection", Text),
    Column("lookup", Text),
    # Approved, and not yet among those whom others are compared with.
    Column("enrolment_due", Boolean, nullable=False),
    # As whom other open applications find this one, from before its own search until it is enrolled; the
    # number, where somebody was enrolled for an application that was rejected and is to be forgotten.
    Column("pending_member", String(64)),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    # Invariant I2: a second dossier of the same person has to wait for the first.
    Index(
        "one_open_dossier",
        "citizen_number",
        unique=True,
        sqlite_where=text(OPEN_DOSSIER),
        postgresql_where=text(OPEN_DOSSIER),
    ),
    Index(
        "closed_dossiers_by_number",
        "citizen_number",
        sqlite_where=text(CLOSED_DOSSIER),
        postgresql_where=text(CLOSED_DOSSIER),
    ),
    Index("dossiers_by_state", "state", "updated_at"),
    Index("dossiers_by_change", "updated_at", "id"),
    Index("dossiers_by_unit", "unit", "state", "updated_at"),
    Index("dossiers_by_task", "search_task"),
    Index(
        "dossiers_returned_to_kit",
        "kit",
        "updated_at",
        "id",
        sqlite_where=text(RETURNED_TO_KIT),
        postgresql_where=text(RETURNED_TO_KIT),
    ),
    Index("dossiers_by_portrait", "portrait"),
    Index(
        "dossiers_to_enrol",
        "id",
        sqlite_where=text(IS_ENROLMENT_DUE),
        postgresql_where=text(IS_ENROLMENT_DUE),
    ),
    Index(
        "dossiers_to_erase",
        "state",
        "updated_at",
        "id",
        sqlite_where=text(HOLDS_ENDED_BODY),
        postgresql_where=text(HOLDS_ENDED_BODY),
    ),
    Index(
        "dossiers_with_member",
        "state",
        sqlite_where=text(HAS_MEMBER),
        postgresql_where=text(HAS_MEMBER),
    ),
)

CAPTURES = Table(
    "captures",
    METADATA,
    Column("capture_id", String(64), primary_key=True),
    Column("dossier", String(16), ForeignKey("dossiers.id"), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("officer", String(40), nullable=False),
    # What the citizen's slip says: each capture of a dossier has its own, and all of them lead to it.
    Column("receipt_code", String(19)),
    Index("captures_by_receipt", "receipt_code", unique=True),
    Index("captures_by_officer", "officer", "dossier"),
)

CREDENTIALS = Table(
    "credentials",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("dossier", String(16), ForeignKey("dossiers.id"), nullable=False),
    Column("citizen_number", String(12), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("chip_id", String(16), nullable=False, unique=True),
    Column("issued_on", Date, nullable=False),
    Column("expires_on", Date),
    Column("status_key", String(16), unique=True),
    Column("findings", Text, nullable=False),
    Column("since", String(32), nullable=False),
    # The unit that hands it over; why it is suspended or revoked; where it is; the box it came in.
    Column("unit", String(20)),
    Column("reason", String(24)),
    Column("place", String(64)),
    Column("box", String(16)),
    UniqueConstraint("dossier", "attempt", name="one_attempt_number"),
    # Invariant I2, held by the database itself: whatever races, one number has one active card.
    Index(
        "one_active_card",
        "citizen_number",
        unique=True,
        sqlite_where=text(ACTIVE_CARD),
        postgresql_where=text(ACTIVE_CARD),
    ),
    Index(
        "one_open_order",
        "citizen_number",
        unique=True,
        sqlite_where=text(OPEN_ORDER),
        postgresql_where=text(OPEN_ORDER),
    ),
    Index("credentials_by_number", "citizen_number"),
    Index("credentials_by_state", "state", "since", "id"),
    Index(
        "credentials_withdrawn",
        "since",
        "id",
        sqlite_where=text(WITHDRAWN_CARD),
        postgresql_where=text(WITHDRAWN_CARD),
    ),
    Index("credentials_by_box", "box"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("subject", String(40), nullable=False),
    Column("event", String(24), nullable=False),
    Column("state", String(24), nullable=False),
    Column("actor", String(40), nullable=False),
    Column("at", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index("events_by_subject", "subject", "sequence"),
)

EVENT_HEAD = Table(
    "event_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

EVENT_CHECKPOINTS = Table(
    "event_checkpoints",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
)
