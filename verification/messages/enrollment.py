"""What an enrolment page and the issuance backend say to each other.

Dates are ISO 8601, moments RFC 3339 in UTC, sex is ``M`` or ``F``; images are bytes (base64 in JSON).
"""

from __future__ import annotations

import msgspec

from verification.messages.capture_terms import StatedTerms
from verification.messages.dossier_decisions import ArchiveLookup, Rejection

MAX_PORTRAIT_BYTES = 4 * 1024 * 1024
"""A larger picture is refused before it is looked at."""

MAX_CAPTURE_BYTES = 6 * 1024 * 1024
"""A capture as JSON: base64 makes a portrait a third larger."""


CANDIDATES = "candidates"
"""The detail of a validation that counts the others in the registry who are likely the same person."""

NOT_ALL_COMPARED = "candidates_incomplete"
"""Stands beside that count where the registry could not compare everybody: there may be more."""


class PersonFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The particulars that go on a card, as the citizen confirmed them."""

    full_name: str
    date_of_birth: str
    sex: str
    nationality: str
    ethnicity: str
    religion: str
    place_of_origin: str
    place_of_residence: str
    identification: str
    father: str
    mother: str
    spouse: str | None = None
    old_id: str | None = None


class PersonExtract(msgspec.Struct, frozen=True):
    """The registry's entry for one number, for pre-filling a capture."""

    citizen_number: str
    person: PersonFields
    life_status: str
    birth_registration_place: str
    blood_group: str | None
    marital_status: str
    household_head: str
    relation_to_head: str
    occupation: str
    phone: str | None
    open_dossier: str | None = None
    """The dossier of this person that is still being worked on; the registry itself knows none."""


class OfficerCredentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signing in."""

    officer: str
    password: str


class OfficerSession(msgspec.Struct, frozen=True):
    """Who signed in and until when; the token goes into ``Authorization: Bearer``."""

    token: str
    officer: str
    name: str
    roles: tuple[str, ...]
    expires_at: str
    unit: str | None = None


class PortraitGate(msgspec.Struct, frozen=True):
    """Which face engine judges portraits; ``None`` means that an officer must, with a reason."""

    engine: str | None


class DossierCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One capture. The same ``capture_id`` with the same content is the same capture.

    The portrait may be empty where a dossier was returned for something else. ``exceptions`` are codes of
    the form for items that the citizen does not have, ``begun_at`` is when the officer began. ``terms`` are
    stated with the first capture of a dossier.
    """

    capture_id: str
    citizen_number: str
    person: PersonFields
    portrait: bytes
    manual_portrait_reason: str | None = None
    exceptions: tuple[str, ...] = ()
    begun_at: str | None = None
    terms: StatedTerms | msgspec.UnsetType = msgspec.UNSET


class DossierReturn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a checker sends a dossier back: codes of the items to redo, and a sentence."""

    items: tuple[str, ...]
    comment: str


class PortraitCheck(msgspec.Struct, frozen=True):
    """Who judged the portrait: ``engine`` or ``manual`` with the officer's reason."""

    method: str
    engine: str | None = None
    model_digests: tuple[str, ...] = ()
    reason: str | None = None


class RecordedStep(msgspec.Struct, frozen=True):
    """One line of the history: what happened, to what state it led, who did it and when."""

    at: str
    event: str
    state: str
    actor: str
    detail: dict[str, str]


class QualityFinding(msgspec.Struct, frozen=True):
    """One question of quality control; ``code`` is the fault code where it did not pass."""

    name: str
    passed: bool
    code: str | None = None


class CardSummary(msgspec.Struct, frozen=True):
    """One card of a dossier or of a person.

    ``unit`` hands it over, ``place`` is where it is, ``reason`` why it is suspended or revoked.
    """

    id: str
    dossier: str
    citizen_number: str
    full_name: str
    state: str
    attempt: int
    issued_on: str
    expires_on: str | None
    since: str
    findings: tuple[QualityFinding, ...] = ()
    unit: str | None = None
    place: str | None = None
    reason: str | None = None


class DossierSummary(msgspec.Struct, frozen=True):
    """One line of the work list."""

    id: str
    state: str
    citizen_number: str
    full_name: str
    captured_by: str
    updated_at: str
    unit: str | None = None
    search: str | None = None
    credential: str | None = None
    credential_state: str | None = None
    checked_by: str | None = None
    warns_of_others: bool = False
    """To those who check and approve locally: others are likely the applicant, or not all were compared."""


class DossierView(msgspec.Struct, frozen=True):
    """A whole dossier, without its pictures.

    ``search`` is what is known of duplicates: ``waiting``, ``clear``, ``hit`` (examiners look),
    ``confirmed`` (they found the same person or a fraud) or ``no_gallery`` (nobody was compared).
    ``receipt_code`` is that of the newest capture; ``due_on`` ends the time limit, while it runs.
    ``erased_on`` is when the pictures of one that ended without a card were erased. ``checked_by`` is who
    checked it as it stands, for the approver of a province. ``notice`` is where the notice of a rejection
    is: ``due``, ``made`` or ``handed_over``. ``old_card`` is what became of the card before.
    """

    id: str
    state: str
    citizen_number: str
    person: PersonFields
    captured_by: str
    approved_by: str | None
    created_at: str
    updated_at: str
    portrait_check: PortraitCheck
    steps: tuple[RecordedStep, ...]
    card: CardSummary | None = None
    card_steps: tuple[RecordedStep, ...] = ()
    returned: DossierReturn | None = None
    credential: str | None = None
    credential_state: str | None = None
    unit: str | None = None
    search: str | None = None
    held_in: str | None = None
    rejection: Rejection | None = None
    lookup: ArchiveLookup | None = None
    prints: int = 0
    receipt_code: str = ""
    due_on: str | None = None
    erased_on: str | None = None
    checked_by: str | None = None
    notice: str | None = None
    old_card: str = "none"
    hand_photos: tuple[str, ...] = ()
