"""What programs and examiners' pages say to the biometric search (the words are OSIA's where it has them).

Moments are RFC 3339 in UTC, sex is ``M`` or ``F``, templates are bytes (base64 in JSON). No request here
can ask for a decision about a person, and none can ask a gallery about somebody for an investigation
without the warrant that orders it: ``InvestigationSearch`` cannot be built without a ``Warrant``.
"""

from __future__ import annotations

from datetime import date

import msgspec

MAX_TASK_BYTES = 2 * 1024 * 1024
"""A task as JSON: thirty-two templates of 64 KiB would be more, and no person has those."""


class SampleMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One template; ``format`` names the engine that made it, ``position`` is the modality's own code."""

    modality: str
    position: int
    format: str
    content: bytes


class Insert(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="insert", tag_field="operation"
):
    """Enrol a person's templates of one encounter; nothing is compared.

    ``legal_basis`` says which rule or order lets them be kept.
    """

    task_id: str
    gallery: str
    subject: str
    encounter: str
    legal_basis: str
    samples: tuple[SampleMessage, ...]
    sex: str | None = None
    birth_year: int | None = None


class Identify(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="identify",
    tag_field="operation",
):
    """Who of a gallery could be the person of an application, for a card not to be issued twice.

    ``encounter`` is the application. ``claimed_subject`` is who the person says to be: to be found as
    oneself is no duplicate. ``officers`` took part in the application and may not examine what is found.
    ``target_fpir_decibans`` is -10 log10 of the wanted false positive identification rate.
    """

    task_id: str
    gallery: str
    encounter: str
    samples: tuple[SampleMessage, ...]
    officers: tuple[str, ...]
    claimed_subject: str | None = None
    max_candidates: int = 20
    target_fpir_decibans: int = 10


class Verify(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="verify", tag_field="operation"
):
    """Compare with one enrolled person."""

    task_id: str
    gallery: str
    subject: str
    samples: tuple[SampleMessage, ...]


class Delete(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag="delete",
    tag_field="operation",
):
    """Remove a person from a gallery, or one encounter; ``reason`` is kept, the templates are not."""

    task_id: str
    gallery: str
    subject: str
    reason: str
    encounter: str | None = None


SearchRequest = Insert | Identify | Verify | Delete


class Warrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The order of a court or procuracy that allows one search; every member is required."""

    number: str
    authority: str
    valid_from: date
    valid_through: date


class InvestigationSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Look for somebody in a gallery because a warrant says so."""

    task_id: str
    warrant: Warrant
    gallery: str
    samples: tuple[SampleMessage, ...]
    max_candidates: int = 20
    sex: str | None = None
    born_from: int | None = None
    born_to: int | None = None


class InvestigationPictures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same with a portrait, with prints by finger position (1 to 10), or with both.

    The office makes templates of them and keeps no picture.
    """

    task_id: str
    warrant: Warrant
    gallery: str
    portrait: bytes = b""
    prints: dict[int, bytes] = {}
    max_candidates: int = 20


class LikenessMessage(msgspec.Struct, frozen=True):
    """One comparison: the engine's score, and what the calibration says it is worth."""

    modality: str
    position: int
    score: float
    decibans: float
    calibration: str


class CandidateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who could be the same person: never more than that.

    ``reference`` tells the candidates of one answer apart and means nothing in another. A released
    investigation alone tells subject and encounter, and the gallery's own name of the person as
    ``reference``; everywhere else subject and encounter are ``None``.
    """

    reference: str
    rank: int
    decibans: float
    is_hit: bool
    is_claimed: bool
    likenesses: tuple[LikenessMessage, ...]
    subject: str | None = None
    encounter: str | None = None


class SearchTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands. ``outcome`` says what comes next, never who somebody is.

    identify: ``no_hit``, ``adjudication``; verify: ``likely``, ``unlikely``; insert: ``enrolled``;
    delete: ``removed``; a task that failed has ``failure``, the code of a fault.
    """

    task_id: str
    gallery: str
    operation: str
    status: str
    created_at: str
    updated_at: str
    outcome: str | None = None
    failure: str | None = None
    gallery_size: int | None = None
    candidates: tuple[CandidateMessage, ...] = ()


class GallerySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A gallery by its code, with how much is in it."""

    code: str
    kind: str
    province: str | None
    version: int
    enrolments: int


class Investigation(msgspec.Struct, frozen=True, kw_only=True):
    """A search by warrant; who the candidates are is told once a second officer released it."""

    task: SearchTask
    warrant: Warrant
    requested_by: str
    released_by: str | None


class InvestigationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A search by warrant in the list: that it was asked for, by which officer, and how far it is."""

    task_id: str
    gallery: str
    status: str
    requested_by: str
    released_by: str | None
    created_at: str


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as one examiner may see it: pictures of two sides; no names, no scores and nobody's opinion.

    ``prints`` are the finger positions of which both sides have a print, the likest first. A case that was
    laid in to see whether examiners look closely is like any other.
    """

    case_id: str
    opened_at: str
    my_decision: str | None = None
    prints: tuple[int, ...] = ()


class CaseDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an examiner found: ``same_person``, ``different_persons``, ``fraud`` or ``poor_data``."""

    decision: str
    comment: str = ""


class BaitCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two encounters of which it is known whether they are one person."""

    probe_encounter: str
    candidate_encounter: str
    are_same_person: bool


class ExaminerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one examiner works; rates stand with the bounds of their 95 % confidence interval (Wilson)."""

    examiner: str
    decided: int
    baits: int
    missed: int
    false_alarms: int
    miss_rate: float | None
    miss_rate_low: float | None
    miss_rate_high: float | None
    agreed: int
    compared: int
