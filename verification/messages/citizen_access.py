"""What a citizen at an office's counter is shown of their own data, who looked at them, and complaints.

Nothing of cases that hold an application, of searches or of whoever was found alike is told here; officers
are told to citizens by unit and roles, never by name.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from verification.messages.application_status import ApplicationStatus
from verification.messages.registry_records import RecordedAttribute

PURPOSE = "citizen.own_record"
"""For which the gateway verified who stands at the counter."""

MOST_TEXT = 2_000
"""Characters of a complaint, and of its answer."""


class ComplaintAbout(StrEnum):
    """What a complaint is about; its reference names which one."""

    DOSSIER = "dossier"
    ATTRIBUTE = "attribute"
    ACCESS = "access"


class ComplaintState(StrEnum):
    """Where a complaint stands."""

    OPEN = "open"
    ANSWERED = "answered"


class ComplaintOutcome(StrEnum):
    """What the office found."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    DISMISSED = "dismissed"


class VisitOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's receipt of whoever stands there, good once."""

    receipt: str


class CitizenVisit(msgspec.Struct, frozen=True):
    """A citizen at the counter of the officer who opened it, until a moment."""

    id: str
    ends_at: str


class OwnCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card, in the state that relying parties are told."""

    state: str
    since: str
    issued_on: str
    expires_on: str | None = None


class OwnDossier(msgspec.Struct, frozen=True, kw_only=True):
    """An application, in the words of the public page."""

    id: str
    captured_at: str
    status: ApplicationStatus


class OwnComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint as whoever filed it sees it; ``due_on`` is told while it is open."""

    id: str
    receipt_code: str
    about: ComplaintAbout
    reference: str
    state: ComplaintState
    filed_at: str
    due_on: str | None = None
    is_late: bool = False


class OwnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is held of a citizen who asks; ``aliases`` are numbers that lead to the same person."""

    citizen_number: str
    as_of: str
    aliases: tuple[str, ...]
    attributes: tuple[RecordedAttribute, ...]
    cards: tuple[OwnCard, ...]
    dossiers: tuple[OwnDossier, ...]
    complaints: tuple[OwnComplaint, ...]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a citizen's data: ``agency`` is a partner or a program of the state's.

    Of an extract the ``unit`` is the commune whose people went along, in ``kit``, good ``until`` a moment; of
    what is published, the ``attributes`` that a receiver was handed.
    """

    id: str
    at: str
    agency: str
    purpose: str
    unit: str | None = None
    roles: str | None = None
    kit: str | None = None
    until: str | None = None
    attributes: tuple[str, ...] = ()


class ComplaintFiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dossier's id, an attribute's name or an access's id, and what is wrong with it."""

    about: ComplaintAbout
    reference: str
    text: str


class ComplaintSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint in a list of those who answer."""

    id: str
    state: ComplaintState
    about: ComplaintAbout
    unit: str | None
    filed_at: str
    due_on: str | None = None
    is_late: bool = False


class ComplaintView(msgspec.Struct, frozen=True, kw_only=True):
    """A whole complaint, for those who answer."""

    id: str
    state: ComplaintState
    about: ComplaintAbout
    reference: str
    text: str
    citizen_number: str
    unit: str | None
    filed_by: str
    filed_at: str
    due_on: str | None = None
    is_late: bool = False
    answered_by: str | None = None
    answered_at: str | None = None
    outcome: ComplaintOutcome | None = None
    answer: str | None = None


class AttributeCorrection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to stand in the registry in place of the attribute, and the paper that says so."""

    value: str
    document: str


class ComplaintAnswering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The office's word, which the citizen reads as it stands; what was wrong is corrected with it."""

    outcome: ComplaintOutcome
    answer: str
    correction: AttributeCorrection | None = None


class ComplaintStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever holds a complaint's code is told."""

    state: ComplaintState
    unit: str | None
    filed_at: str
    due_on: str | None = None
    is_late: bool = False
    outcome: ComplaintOutcome | None = None
    answer: str | None = None
