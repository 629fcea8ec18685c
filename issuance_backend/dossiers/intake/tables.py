"""The tables of kits, their signers and their packets."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from issuance_backend.schema import METADATA

KITS = Table(
    "kits",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("unit", String(20)),
    # Up to this number of its packets everything is decided; the hash is that number's, if it is known.
    Column("settled", Integer, nullable=False),
    Column("head", String(64)),
    Column("newest", Integer, nullable=False),
    Column("registered_at", String(32), nullable=False),
)

PACKET_SIGNERS = Table(
    "packet_signers",
    METADATA,
    # RFC 7638: the name of a key is its own hash.
    Column("thumbprint", String(43), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("owner", String(40), nullable=False),
    Column("jwk", Text, nullable=False),
    Column("valid_from", String(32), nullable=False),
    Column("valid_until", String(32)),
    Column("revoked_at", String(32)),
    Column("revoked_case", String(64)),
    Index("signers_by_owner", "kind", "owner"),
)

PACKETS = Table(
    "packets",
    METADATA,
    Column("packet", String(64), primary_key=True),
    Column("kit", String(40), ForeignKey("kits.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    # As it came, with both signatures: the proof of who sealed what.
    Column("metadata", LargeBinary, nullable=False),
    Column("announced_at", String(32), nullable=False),
    Column("received_at", String(32)),
    Column("receipt", Text),
    Column("dossier", String(16), ForeignKey("dossiers.id")),
    Column("code", String(48)),
    Column("case_id", String(64)),
    Column("receipt_code", String(19)),
    UniqueConstraint("kit", "sequence", name="one_packet_a_number"),
    Index("packets_by_receipt", "receipt_code", unique=True),
    Index("packets_by_state", "state", "kit", "sequence"),
    Index("packets_by_dossier", "dossier"),
    Index("packets_by_announcement", "state", "announced_at", "packet"),
)

PACKET_ITEMS = Table(
    "packet_items",
    METADATA,
    Column("packet", String(64), ForeignKey("packets.packet"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("picture", String(64), ForeignKey("portraits.name"), nullable=False),
    Index("packet_items_by_picture", "picture"),
)

CLOSED_GAPS = Table(
    "closed_gaps",
    METADATA,
    Column("kit", String(40), ForeignKey("kits.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    # What the next packet says was sealed there.
    Column("named", String(64)),
    Column("case_id", String(64), nullable=False),
    Column("officer", String(40), nullable=False),
    Column("closed_at", String(32), nullable=False),
)
