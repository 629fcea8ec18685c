"""Does what is queued: enrols, removes, searches. Any number of them may run, each with its own memory.

A task is leased. What it changed is written in one transaction with its end, so that a worker that
dies leaves the task to the next one and nothing half done. A gallery's index is read once and then
kept up to date by the gallery's version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events, work_claims
from issuance_backend.biometric_search import repository
from issuance_backend.biometric_search.domain import Outcome, TaskEvent
from issuance_backend.biometric_search.gallery_index import GalleryIndex, Searchable
from issuance_backend.biometric_search.gallery_keys import GalleryKey, KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.refusals import (
    GalleryKeyUnavailable,
    GallerySubjectUnknown,
    SearchTaskUnknown,
)
from issuance_backend.biometric_search.repository import StoredEnrolment, Task, TaskEnd
from issuance_backend.biometric_search.search_room import Found, Searching, look
from issuance_backend.biometric_search.service import INVESTIGATE, finished_state
from issuance_backend.biometric_search.task_messages import (
    KeptAnswer,
    KeptEnrolment,
    enrolment,
    read_request,
)
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.steps import SYSTEM, Step
from issuance_backend.work_claims import Lease
from monitoring.database import Database
from verification.errors import Unavailable, VerificationError
from verification.messages.biometric_search import (
    Delete,
    Identify,
    Insert,
    InvestigationSearch,
    SearchRequest,
    Verify,
)

LEASE = timedelta(seconds=60)
_LOADED_AT_ONCE = 2_000

Finished = Callable[[Connection, str, Outcome, datetime], None]
"""Told in the same transaction how the search of an application ended: encounter, what comes next."""

NewIndex = Callable[[Modalities], Searchable]
"""An empty gallery in memory."""


@dataclass
class _Memory:
    """One gallery as this worker has it in memory."""

    index: Searchable
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """One leased task with what it asks."""

    task: Task
    lease: Lease
    key: GalleryKey
    request: SearchRequest | InvestigationSearch
    found: Found = field(default_factory=Found)


class SearchWorker:
    """One worker; ``run_once`` may be called from one thread at a time."""

    def __init__(
        self,
        database: Database,
        keys: KeyRoom,
        modalities: Modalities,
        clock: Clock,
        finished: Finished | None = None,
        new_index: NewIndex = GalleryIndex,
    ) -> None:
        self._database = database
        self._keys = keys
        self._new_index = partial(new_index, modalities)
        self._clock = clock
        self._finished = finished
        self._memories: dict[str, _Memory] = {}
        self._closed: set[str] = set()
        self._lock = Lock()

    def run_once(self) -> bool:
        """Do the next task; False when nothing waits.

        Raises Unavailable where a key or the database is not there: the task is given back. A gallery
        without its key is left alone until the key is there; the others go on.
        """
        with self._lock:
            self._closed = {gallery for gallery in self._closed if not self._has_key(gallery)}
            with self._database.writing() as connection:
                lease = repository.claim(connection, self._clock(), LEASE, self._closed)
            if not lease.keys:
                return False
            try:
                self._do(lease)
            except Unavailable:
                with self._database.writing() as connection:
                    work_claims.give_back(connection, repository.WORK, lease)
                raise
            return True

    def index(self, gallery: str) -> Searchable:
        """A gallery's index, up to date."""
        with self._database.reading() as connection:
            return self._current(connection, gallery).index

    def _has_key(self, gallery: str) -> bool:
        try:
            self._keys.key(gallery)
        except GalleryKeyUnavailable:
            return False
        return True

    def _do(self, lease: Lease) -> None:
        with self._database.reading() as connection:
            work = self._taken(connection, lease)
        try:
            found = self._look(work)
            work = _Work(work.task, work.lease, work.key, work.request, found)
            with self._database.writing() as connection:
                self._end(connection, work)
        except Unavailable:
            raise
        except VerificationError as fault:
            with self._database.writing() as connection:
                self._fail(connection, work, fault.code)

    def _taken(self, connection: Connection, lease: Lease) -> _Work:
        (sequence,) = lease.keys
        task = repository.task_at(connection, sequence)
        if task is None or task.sealed_request is None:
            raise SearchTaskUnknown("a task without its request")
        if not self._has_key(task.gallery):
            self._closed.add(task.gallery)
        key = self._keys.key(task.gallery)
        content = key.open(task.sealed_request, f"request/{task.task_id}")
        if task.operation == INVESTIGATE:
            return _Work(task, lease, key, msgspec.json.decode(content, type=InvestigationSearch))
        return _Work(task, lease, key, read_request(content))

    def _look(self, work: _Work) -> Found:
        if not isinstance(work.request, Identify | Verify | InvestigationSearch):
            return Found()
        with self._database.reading() as connection:
            index = self._current(connection, work.task.gallery).index
            searching = Searching(connection, index, work.key)
            return look(searching, work.request)

    def _end(self, connection: Connection, work: _Work) -> None:
        moment = self._clock()
        work_claims.require_held(connection, repository.WORK, work.lease, work.task.sequence, moment)
        outcome, request = work.found.outcome, work.request
        if isinstance(request, Insert):
            outcome = _enrol(connection, work.key, request)
        elif isinstance(request, Delete):
            outcome = _remove(connection, work.key, request)
        work.found.open_cases(connection, moment)
        warrant = request.warrant if isinstance(request, InvestigationSearch) else None
        answer = KeptAnswer(candidates=work.found.candidates, warrant=warrant)
        end = TaskEnd(
            state=finished_state(TaskEvent.FINISH),
            outcome=outcome.value,
            gallery_size=work.found.gallery_size,
            sealed_answer=_sealed(work, answer),
        )
        self._finish(connection, work, end, TaskEvent.FINISH, moment=moment)
        if self._finished is not None and isinstance(request, Identify):
            self._finished(connection, request.encounter, outcome, moment)

    def _fail(self, connection: Connection, work: _Work, code: str) -> None:
        moment = self._clock()
        work_claims.require_held(connection, repository.WORK, work.lease, work.task.sequence, moment)
        warrant = work.request.warrant if isinstance(work.request, InvestigationSearch) else None
        end = TaskEnd(
            state=finished_state(TaskEvent.FAIL),
            failure=code,
            sealed_answer=_sealed(work, KeptAnswer(warrant=warrant)),
        )
        self._finish(connection, work, end, TaskEvent.FAIL, moment=moment)

    @staticmethod
    def _finish(
        connection: Connection, work: _Work, end: TaskEnd, event: TaskEvent, *, moment: datetime
    ) -> None:
        repository.finish(connection, work.task.sequence, end, moment)
        step = Step(
            subject=f"search/{work.task.sequence}",
            event=event.value,
            state=end.state.value,
            actor=SYSTEM,
            at=rfc3339(moment),
            detail={"gallery": work.task.gallery, "outcome": end.outcome or end.failure or ""},
        )
        recorded_events.append(connection, step)

    def _current(self, connection: Connection, gallery: str) -> _Memory:
        """The gallery's memory with every change since; asked twice for the same change, it takes it once."""
        memory = self._memories.get(gallery)
        if memory is None or not memory.index.is_whole:
            memory = self._memories[gallery] = _Memory(self._new_index())
        newest = repository.gallery(connection, gallery).version
        if newest == memory.version:
            return memory
        key, reached = self._keys.key(gallery), memory.version
        while True:
            rows = repository.changes_after(connection, gallery, reached, _LOADED_AT_ONCE)
            memory.index.add(
                [
                    (row.number, enrolment(opened(key, row.number, row.sealed), row.reference))
                    for row in rows
                    if row.sealed is not None
                ]
            )
            if len(rows) < _LOADED_AT_ONCE:
                break
            reached = rows[-1].number
        for number in repository.removed_after(connection, gallery, memory.version):
            memory.index.remove(number)
        memory.version = newest
        return memory


def opened(key: GalleryKey, number: int, sealed: bytes) -> KeptEnrolment:
    """The enrolment in a sealed row; raises GalleryRecordsBroken."""
    return msgspec.json.decode(key.open(sealed, f"enrolment/{number}"), type=KeptEnrolment)


def _sealed(work: _Work, answer: KeptAnswer) -> bytes:
    return work.key.seal(msgspec.json.encode(answer), f"answer/{work.task.task_id}")


def _enrol(connection: Connection, key: GalleryKey, request: Insert) -> Outcome:
    number = repository.next_version(connection, request.gallery)
    kept = KeptEnrolment(
        subject=request.subject,
        encounter=request.encounter,
        legal_basis=request.legal_basis,
        samples=request.samples,
        sex=request.sex,
        birth_year=request.birth_year,
    )
    sealed = key.seal(msgspec.json.encode(kept), f"enrolment/{number}")
    repository.enrol(connection, request.gallery, number, key.reference(request.subject), sealed)
    return Outcome.ENROLLED


def _remove(connection: Connection, key: GalleryKey, request: Delete) -> Outcome:
    version = repository.next_version(connection, request.gallery)
    held = repository.enrolments_of(connection, request.gallery, key.reference(request.subject))
    numbers = [each.number for each in held if _is_meant(key, each, request.encounter)]
    if not numbers:
        raise GallerySubjectUnknown("nobody of this name")
    repository.remove(connection, request.gallery, numbers, version)
    return Outcome.REMOVED


def _is_meant(key: GalleryKey, held: StoredEnrolment, encounter: str | None) -> bool:
    if encounter is None:
        return True
    return held.sealed is not None and opened(key, held.number, held.sealed).encounter == encounter
