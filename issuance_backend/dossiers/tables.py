"""Tables of prints, former pictures and captures at counters; that of dossiers is with the first tables."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from issuance_backend.schema import METADATA

DOSSIER_PRINTS = Table(
    "dossier_prints",
    METADATA,
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    # The finger, as in ISO/IEC 19794-4.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("picture", String(64), ForeignKey("portraits.name"), nullable=False),
    # No better print was to be had: a supervisor answers for it.
    Column("answered_for", Boolean, nullable=False, server_default=false()),
    Index("prints_by_picture", "picture"),
)

FORMER_PICTURES = Table(
    "former_pictures",
    METADATA,
    # What was captured again: nobody is shown it any more, and it goes with the rest.
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    Column("picture", String(64), ForeignKey("portraits.name"), primary_key=True),
    Index("former_pictures_by_picture", "picture"),
)

COUNTER_CAPTURES = Table(
    "counter_captures",
    METADATA,
    Column("id", String(16), primary_key=True),
    # Drawn at the counter: the same button pressed twice is one capture.
    Column("capture_id", String(64), nullable=False, unique=True),
    Column("officer", String(40), nullable=False),
    Column("unit", String(20)),
    # What it captures again, or what it became.
    Column("dossier", String(16), ForeignKey("dossiers.id")),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_sha256", String(64), nullable=False),
    # What was captured, without its pictures; nothing once it was sealed or withdrawn.
    Column("content", Text),
    Column("exceptions", Text, nullable=False),
    # Whose prints are asked, and why one is not there or the best available.
    Column("fingers", Text, nullable=False, server_default=""),
    Column("print_reasons", Text),
    # The items of the return that it answers; nothing of a first capture.
    Column("sent_back", Text),
    # Whether several fingers can be taken at once at this counter, as its officer said.
    Column("slap_scanner", Boolean),
    Column("portrait", String(64), ForeignKey("portraits.name")),
    Column("form", Text),
    Column("language", String(40)),
    Column("signature", String(64), ForeignKey("portraits.name")),
    # How the scan of the signed paper was judged.
    Column("paper", Text),
    Column("unsigned", String(40)),
    Column("answered_by", String(40)),
    Column("opened_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("counter_captures_by_state", "state", "updated_at", "id"),
    Index("counter_captures_by_dossier", "dossier"),
    Index("counter_captures_by_officer", "officer", "opened_at"),
    Index("counter_captures_by_portrait", "portrait"),
    Index("counter_captures_by_signature", "signature"),
)

COUNTER_ITEMS = Table(
    "counter_items",
    METADATA,
    Column("capture", String(16), ForeignKey("counter_captures.id"), primary_key=True),
    # A finger, a slap, how they were tried, a photograph of a hand, or the scan of the signed paper.
    Column("item", String(40), primary_key=True),
    Column("picture", String(64), ForeignKey("portraits.name"), nullable=False),
    Column("media_type", String(40), nullable=False),
    # A print that stands until a better one is taken.
    Column("is_again", Boolean, nullable=False),
    Index("counter_items_by_picture", "picture"),
)
