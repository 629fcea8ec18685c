"""A person's record with its history and origin, and what registrars do to it.

``officer`` is whoever acts, vouched for by the calling program that signed him in.
"""

from __future__ import annotations

from datetime import date

import msgspec


class RecordedAttribute(msgspec.Struct, frozen=True):
    """One attribute: its value in force, since when, and who says so; ``confidence`` is 0 to 100."""

    name: str
    value: str | None
    valid_from: date | None
    source: str
    confidence: int
    recorded_at: str


class RecordedIdentity(msgspec.Struct, frozen=True):
    """One identity that was claimed for a person: claimed, valid, invalid or revoked."""

    id: str
    citizen_number: str
    kind: str
    source: str
    status: str
    document_number: str | None = None
    is_reference: bool = False


class PersonHistory(msgspec.Struct, frozen=True):
    """The record in force on a day as it was known at an instant; ``aliases`` were merged into it."""

    citizen_number: str
    aliases: tuple[str, ...]
    valid_on: date
    known_at: str
    freshness: str
    attributes: tuple[RecordedAttribute, ...]
    identities: tuple[RecordedIdentity, ...]


class IdentityClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody presented himself with a document or a registration."""

    citizen_number: str
    kind: str
    officer: str
    document_number: str | None = None


class IdentityJudged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``validate``, ``invalidate``, ``revoke``, ``reopen`` or ``refer``."""

    decision: str


class IdentityDecision(IdentityJudged, frozen=True, forbid_unknown_fields=True):
    """The same, by which officer."""

    officer: str


class Enrichment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another agency knows of a person; it stands beside the registry's own data, never over them."""

    attribute: str
    value: str
    valid_from: date
    evidence: str
    confidence: int
