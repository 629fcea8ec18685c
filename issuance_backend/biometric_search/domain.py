"""Galleries, what each is there for, and the life of one search task.

queued   accepted and kept              a worker takes it, in the order of the queue
done     the answer is kept, sealed     whoever asked reads it
failed   it cannot be done as asked     whoever asked corrects it; the code says what

A task has no state in which a person was refused: what a search finds goes before examiners.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from issuance_backend.biometric_search.refusals import GalleryPurposeRefused, WarrantRefused
from issuance_backend.state_table import StateTable
from verification.errors import FieldsRefused
from verification.identity.administrative_units import provinces, units_2025
from verification.messages.biometric_search import Warrant


class GalleryKind(StrEnum):
    """What a gallery is there for; each has its own key and its own record of who asked."""

    NATIONAL = "national"
    PROVINCE = "province"
    CRIME = "crime"


class Purpose(StrEnum):
    """Why a gallery is touched."""

    ENROLMENT = "enrolment"
    DEDUPLICATION = "deduplication"
    VERIFICATION = "verification"
    REMOVAL = "removal"
    INVESTIGATION = "investigation"


_PURPOSES: Mapping[GalleryKind, frozenset[Purpose]] = {
    GalleryKind.NATIONAL: frozenset(Purpose),
    GalleryKind.PROVINCE: frozenset(Purpose),
    # Nobody applies for a card to be looked up among the prints of crimes.
    GalleryKind.CRIME: frozenset({Purpose.ENROLMENT, Purpose.REMOVAL, Purpose.INVESTIGATION}),
}


def require_purpose(kind: GalleryKind, purpose: Purpose) -> None:
    """Raise GalleryPurposeRefused unless a gallery of this kind is there for this."""
    if purpose not in _PURPOSES[kind]:
        raise GalleryPurposeRefused(f"{purpose} in a gallery of kind {kind}")


class TaskState(StrEnum):
    """Where a task stands."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class TaskEvent(StrEnum):
    """What can happen to a task."""

    SUBMIT = "submit"
    FINISH = "finish"
    FAIL = "fail"


TABLE = StateTable[TaskState, TaskEvent](
    {
        (None, TaskEvent.SUBMIT): TaskState.QUEUED,
        (TaskState.QUEUED, TaskEvent.FINISH): TaskState.DONE,
        (TaskState.QUEUED, TaskEvent.FAIL): TaskState.FAILED,
    }
)
advance, fold = TABLE.advance, TABLE.fold


class Outcome(StrEnum):
    """What a finished task leads to. There is none for a person being refused."""

    ENROLLED = "enrolled"
    REMOVED = "removed"
    NO_HIT = "no_hit"
    ADJUDICATION = "adjudication"
    CANDIDATES = "candidates"
    NO_CANDIDATES = "no_candidates"
    LIKELY = "likely"
    UNLIKELY = "unlikely"


_TASK_ID = re.compile(r"[A-Za-z0-9_.-]{8,100}")
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
_MAX_TEXT = 200


def deduplication_task(packet_sha256: str, gallery_version: int) -> str:
    """The task of a packet against one state of the gallery: the same again is the same search."""
    return f"dedup-{packet_sha256[:64]}-{gallery_version}"


def require_names(names: Mapping[str, str | None], *, task_id: str) -> None:
    """Raise FieldsRefused for ids and texts that could not be kept."""
    faults = {} if _TASK_ID.fullmatch(task_id) else {"task_id": "FIELD_CHARACTERS"}
    for field, value in names.items():
        if value is not None and not _NAME.fullmatch(value):
            faults[field] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def require_texts(texts: Mapping[str, str]) -> None:
    """Raise FieldsRefused for a reason or a legal basis that is empty or too long."""
    faults = {}
    for field, text in texts.items():
        if not text.strip():
            faults[field] = "FIELD_MISSING"
        elif len(text) > _MAX_TEXT:
            faults[field] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)


def require_gallery_code(code: str, kind: GalleryKind, province: str | None) -> None:
    """Raise FieldsRefused for a code that is none, or a province that does not go with the kind.

    A gallery of a province names it by a code of citizen numbers (63), or of the units since July 2025 (34).
    """
    faults = {} if _CODE.fullmatch(code) else {"code": "FIELD_CHARACTERS"}
    if kind is GalleryKind.PROVINCE:
        if province is None:
            faults["province"] = "FIELD_MISSING"
        elif province not in provinces() and province not in units_2025():
            faults["province"] = "FIELD_CHARACTERS"
    elif province is not None:
        faults["province"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def require_in_force(warrant: Warrant, today: date) -> None:
    """Raise WarrantRefused unless the warrant names itself and its authority and is valid on this day."""
    try:
        require_texts({"number": warrant.number, "authority": warrant.authority})
    except FieldsRefused:
        raise WarrantRefused("a warrant without number or authority") from None
    if not warrant.valid_from <= today <= warrant.valid_through:
        raise WarrantRefused("not in force on this day")


def request_digest(caller: str, encoded: bytes) -> str:
    """Identifies a request with whoever made it, so that its replay is recognised."""
    return hashlib.sha256(caller.encode() + b"\0" + encoded).hexdigest()
