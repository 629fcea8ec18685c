"""What officers say about a dossier after it was captured."""

from __future__ import annotations

import msgspec


class LookupRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the archive is asked: ``no_data``, ``contradicting_data`` or ``paper_prints``."""

    reason: str


class LookupAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the archive holds: ``agrees``, ``contradicts`` or ``nothing``; the note is for colleagues."""

    result: str
    note: str = ""


class ArchiveLookup(msgspec.Struct, frozen=True):
    """The newest lookup of a dossier; ``approver`` is the role that may approve it."""

    reason: str
    approver: str
    result: str | None = None
    note: str = ""


class RejectionReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why no card is issued: a code, the article it rests on, and a sentence for the citizen."""

    reason: str
    legal_basis: str
    comment: str


class Rejection(msgspec.Struct, frozen=True):
    """A rejection that one officer proposed, and a second one confirmed or has yet to."""

    reason: str
    legal_basis: str
    comment: str
    proposed_by: str


class CaseHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The warrant, complaint or proceeding that stops a dossier or lets it go on."""

    case_id: str
