"""The SQL of galleries, their enrolments and their own record, and of search tasks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, exists, func, insert, not_, select, text, update
from sqlalchemy.exc import IntegrityError

from issuance_backend import work_claims
from issuance_backend.biometric_search.domain import GalleryKind, TaskState
from issuance_backend.biometric_search.refusals import GalleryUnknown, SearchTaskReplayed
from issuance_backend.biometric_search.tables import (
    BY_WARRANT,
    GALLERIES,
    GALLERY_AUDIT,
    GALLERY_ENROLMENTS,
    SEARCH_TASKS,
)
from issuance_backend.listing import read_page
from issuance_backend.moments import rfc3339
from issuance_backend.paging import Page, PageAsked
from issuance_backend.work_claims import Lease, WorkTable
from verification.errors import TransitionRefused
from verification.messages.biometric_search import InvestigationEntry

NO_MAC = "0" * 64

_EARLIER = SEARCH_TASKS.alias("earlier")
# Every change of a gallery that was queued before is served first (MOSIP: queued inserts before identify).
_CHANGE_BEFORE = exists().where(
    _EARLIER.c.gallery == SEARCH_TASKS.c.gallery,
    _EARLIER.c.state == TaskState.QUEUED.value,
    _EARLIER.c.changes_gallery,
    _EARLIER.c.sequence < SEARCH_TASKS.c.sequence,
)
WORK = WorkTable(
    SEARCH_TASKS,
    and_(SEARCH_TASKS.c.state == TaskState.QUEUED.value, not_(_CHANGE_BEFORE)),
    SEARCH_TASKS.c.sequence,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """One gallery; ``version`` grows with every change of what is in it."""

    code: str
    kind: GalleryKind
    province: str | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnrolment:
    """One row of a gallery: sealed, or removed."""

    number: int
    reference: str
    removed: int | None
    sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as it is kept."""

    sequence: int
    task_id: str
    gallery: str
    operation: str
    caller: str
    request_sha256: str
    state: TaskState
    sealed_request: bytes | None
    sealed_answer: bytes | None
    outcome: str | None
    failure: str | None
    gallery_size: int | None
    released_by: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What is asked, sealed."""

    task_id: str
    gallery: str
    operation: str
    caller: str
    request_sha256: str
    changes_gallery: bool
    sealed_request: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnd:
    """How a task ended."""

    state: TaskState
    outcome: str | None = None
    failure: str | None = None
    gallery_size: int | None = None
    sealed_answer: bytes | None = None


INVESTIGATION_KEY = 2
"""Searches by warrant go by the moment they were asked, and by id where that is the same."""


def investigations(connection: Connection, asked: PageAsked) -> Page[InvestigationEntry]:
    """Searches by warrant, the newest first."""
    columns = SEARCH_TASKS.c
    shown = [columns[name] for name in ("task_id", "gallery", "state", "caller", "released_by", "created_at")]
    question = select(*shown).where(text(BY_WARRANT))
    key = (columns.created_at, columns.task_id)
    return read_page(connection, question, key, asked, _investigation, newest_first=True)


def _investigation(row: RowMapping) -> InvestigationEntry:
    return InvestigationEntry(
        task_id=row["task_id"],
        gallery=row["gallery"],
        status=row["state"],
        requested_by=row["caller"],
        released_by=row["released_by"],
        created_at=row["created_at"],
    )


def open_gallery(connection: Connection, gallery: Gallery, moment: datetime) -> None:
    """Write a new gallery; raises TransitionRefused for a code that is in use."""
    row = insert(GALLERIES).values(
        code=gallery.code,
        kind=gallery.kind.value,
        province=gallery.province,
        version=gallery.version,
        audit_sequence=0,
        audit_mac=NO_MAC,
        opened_at=rfc3339(moment),
    )
    try:
        connection.execute(row)
    except IntegrityError:
        raise TransitionRefused("a gallery of this code is there already") from None


def gallery(connection: Connection, code: str) -> Gallery:
    """The gallery of this code; raises GalleryUnknown."""
    row = connection.execute(select(GALLERIES).where(GALLERIES.c.code == code)).one_or_none()
    if row is None:
        raise GalleryUnknown("no gallery of this code")
    return _gallery(row)


def galleries_of_kind(connection: Connection, kind: GalleryKind) -> list[Gallery]:
    """The galleries of a kind, by code."""
    question = select(GALLERIES).where(GALLERIES.c.kind == kind.value).order_by(GALLERIES.c.code)
    return [_gallery(row) for row in connection.execute(question)]


def galleries(connection: Connection) -> list[tuple[Gallery, int]]:
    """Every gallery with the number of its enrolments."""
    counted = (
        select(GALLERY_ENROLMENTS.c.gallery, func.count().label("enrolments"))
        .where(GALLERY_ENROLMENTS.c.removed.is_(None))
        .group_by(GALLERY_ENROLMENTS.c.gallery)
        .subquery()
    )
    question = (
        select(GALLERIES, func.coalesce(counted.c.enrolments, 0).label("enrolments"))
        .outerjoin(counted, counted.c.gallery == GALLERIES.c.code)
        .order_by(GALLERIES.c.code)
    )
    return [(_gallery(row), row.enrolments) for row in connection.execute(question)]


def next_version(connection: Connection, code: str) -> int:
    """One more change of the gallery, in this transaction: others who change it wait."""
    held = select(GALLERIES.c.version).where(GALLERIES.c.code == code).with_for_update()
    version: int = connection.execute(held).scalar_one() + 1
    connection.execute(update(GALLERIES).where(GALLERIES.c.code == code).values(version=version))
    return version


def enrol(connection: Connection, code: str, number: int, reference: str, sealed: bytes) -> None:
    """Write an enrolment under the version that it made."""
    row = insert(GALLERY_ENROLMENTS).values(
        gallery=code, number=number, reference=reference, removed=None, sealed=sealed
    )
    connection.execute(row)


def remove(connection: Connection, code: str, numbers: Collection[int], version: int) -> None:
    """Remove enrolments, the sealed templates at once."""
    connection.execute(
        update(GALLERY_ENROLMENTS)
        .where(GALLERY_ENROLMENTS.c.gallery == code, GALLERY_ENROLMENTS.c.number.in_(numbers))
        .values(removed=version, sealed=None)
    )


def enrolments_of(connection: Connection, code: str, reference: str) -> list[StoredEnrolment]:
    """What a person has in a gallery."""
    columns = GALLERY_ENROLMENTS.c
    question = select(GALLERY_ENROLMENTS).where(
        columns.gallery == code, columns.reference == reference, columns.removed.is_(None)
    )
    return [_enrolment(row) for row in connection.execute(question)]


def changes_after(connection: Connection, code: str, version: int, limit: int) -> list[StoredEnrolment]:
    """Enrolments made after a version and still there, the oldest first."""
    columns = GALLERY_ENROLMENTS.c
    question = (
        select(GALLERY_ENROLMENTS)
        .where(columns.gallery == code, columns.number > version, columns.removed.is_(None))
        .order_by(columns.number)
        .limit(limit)
    )
    return [_enrolment(row) for row in connection.execute(question)]


def removed_after(connection: Connection, code: str, version: int) -> list[int]:
    """The numbers of enrolments that were removed after a version."""
    columns = GALLERY_ENROLMENTS.c
    question = select(columns.number).where(columns.gallery == code, columns.removed > version)
    return list(connection.execute(question).scalars())


def enrolment(connection: Connection, code: str, number: int) -> StoredEnrolment | None:
    """One enrolment by its number."""
    columns = GALLERY_ENROLMENTS.c
    question = select(GALLERY_ENROLMENTS).where(columns.gallery == code, columns.number == number)
    row = connection.execute(question).one_or_none()
    return _enrolment(row) if row else None


def submit(connection: Connection, task: NewTask, moment: datetime) -> int:
    """Queue a task and return its place; raises SearchTaskReplayed where its id came up meanwhile."""
    row = insert(SEARCH_TASKS).values(
        task_id=task.task_id,
        gallery=task.gallery,
        operation=task.operation,
        caller=task.caller,
        request_sha256=task.request_sha256,
        changes_gallery=task.changes_gallery,
        state=TaskState.QUEUED.value,
        sealed_request=task.sealed_request,
        created_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )
    try:
        return int(connection.execute(row.returning(SEARCH_TASKS.c.sequence)).scalar_one())
    except IntegrityError:
        raise SearchTaskReplayed("this task id was used meanwhile") from None


def task(connection: Connection, task_id: str) -> Task | None:
    """The task with this id."""
    return _task(connection, SEARCH_TASKS.c.task_id == task_id)


def task_at(connection: Connection, sequence: int) -> Task | None:
    """The task at this place of the queue."""
    return _task(connection, SEARCH_TASKS.c.sequence == sequence)


def claim(connection: Connection, moment: datetime, length: timedelta, closed: Collection[str] = ()) -> Lease:
    """Take the next task that may be done now, of no gallery that is closed."""
    work = WORK.only(SEARCH_TASKS.c.gallery.not_in(closed)) if closed else WORK
    return work_claims.claim(connection, work, 1, moment, length)


def finish(connection: Connection, sequence: int, end: TaskEnd, moment: datetime) -> None:
    """Write how a task ended; the request, and with it the probe, is forgotten."""
    connection.execute(
        update(SEARCH_TASKS)
        .where(SEARCH_TASKS.c.sequence == sequence)
        .values(
            state=end.state.value,
            outcome=end.outcome,
            failure=end.failure,
            gallery_size=end.gallery_size,
            sealed_answer=end.sealed_answer,
            sealed_request=None,
            lease=None,
            lease_until=None,
            updated_at=rfc3339(moment),
        )
    )


def release(connection: Connection, task_id: str, officer: str) -> bool:
    """Note who released an investigation; False when somebody was quicker."""
    released = connection.execute(
        update(SEARCH_TASKS)
        .where(
            SEARCH_TASKS.c.task_id == task_id,
            SEARCH_TASKS.c.released_by.is_(None),
            SEARCH_TASKS.c.state == TaskState.DONE.value,
        )
        .values(released_by=officer)
    )
    return released.rowcount == 1


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of a gallery's own record; ``mac`` is its link to the line before."""

    sequence: int
    at: str
    actor: str
    purpose: str
    detail: dict[str, str]
    mac: str


def audit_head(connection: Connection, code: str) -> tuple[int, str]:
    """The number and link of a gallery's last line."""
    head = select(GALLERIES.c.audit_sequence, GALLERIES.c.audit_mac).where(GALLERIES.c.code == code)
    row = connection.execute(head).one()
    return row.audit_sequence, row.audit_mac


def audit_head_held(connection: Connection, code: str) -> tuple[int, str]:
    """The same for whoever writes the next line: others wait for this transaction."""
    connection.execute(select(GALLERIES.c.code).where(GALLERIES.c.code == code).with_for_update())
    return audit_head(connection, code)


def add_audit(connection: Connection, code: str, line: AuditLine) -> None:
    """Write the next line."""
    connection.execute(
        insert(GALLERY_AUDIT).values(
            gallery=code,
            sequence=line.sequence,
            at=line.at,
            actor=line.actor,
            purpose=line.purpose,
            detail=msgspec.json.encode(line.detail, order="sorted").decode(),
            mac=line.mac,
        )
    )
    connection.execute(
        update(GALLERIES)
        .where(GALLERIES.c.code == code)
        .values(audit_sequence=line.sequence, audit_mac=line.mac)
    )


def audit_lines(connection: Connection, code: str) -> list[AuditLine]:
    """A gallery's own record, oldest first."""
    question = select(GALLERY_AUDIT).where(GALLERY_AUDIT.c.gallery == code).order_by(GALLERY_AUDIT.c.sequence)
    return [
        AuditLine(
            sequence=row.sequence,
            at=row.at,
            actor=row.actor,
            purpose=row.purpose,
            detail=msgspec.json.decode(row.detail, type=dict[str, str]),
            mac=row.mac,
        )
        for row in connection.execute(question)
    ]


def _gallery(row: Any) -> Gallery:
    return Gallery(code=row.code, kind=GalleryKind(row.kind), province=row.province, version=row.version)


def _enrolment(row: Any) -> StoredEnrolment:
    sealed = bytes(row.sealed) if row.sealed is not None else None
    return StoredEnrolment(number=row.number, reference=row.reference, removed=row.removed, sealed=sealed)


def _task(connection: Connection, condition: Any) -> Task | None:
    row = connection.execute(select(SEARCH_TASKS).where(condition)).one_or_none()
    if row is None:
        return None
    return Task(
        sequence=row.sequence,
        task_id=row.task_id,
        gallery=row.gallery,
        operation=row.operation,
        caller=row.caller,
        request_sha256=row.request_sha256,
        state=TaskState(row.state),
        sealed_request=bytes(row.sealed_request) if row.sealed_request is not None else None,
        sealed_answer=bytes(row.sealed_answer) if row.sealed_answer is not None else None,
        outcome=row.outcome,
        failure=row.failure,
        gallery_size=row.gallery_size,
        released_by=row.released_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
