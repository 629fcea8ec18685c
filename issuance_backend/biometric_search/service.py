"""The search desk: opens galleries, takes tasks, tells how they stand, and holds warrants to their word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.biometric_search import domain, gallery_record, repository
from issuance_backend.biometric_search.domain import GalleryKind, Purpose, TaskEvent, TaskState
from issuance_backend.biometric_search.gallery_keys import GalleryKey, KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.refusals import (
    GalleryPurposeRefused,
    SearchTaskReplayed,
    SearchTaskUnknown,
)
from issuance_backend.biometric_search.repository import Gallery, NewTask, Task
from issuance_backend.biometric_search.task_messages import KeptAnswer, request_bytes, samples
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.refusals import SameOfficer
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.biometric_search import (
    CandidateMessage,
    Delete,
    GallerySummary,
    Identify,
    Insert,
    Investigation,
    InvestigationEntry,
    InvestigationSearch,
    SearchRequest,
    SearchTask,
    Verify,
)
from verification.messages.national_time import vietnam_date

INVESTIGATE = "investigate"
CHANGES = frozenset({"insert", "delete"})
_PURPOSES: Mapping[type[SearchRequest], Purpose] = {
    Insert: Purpose.ENROLMENT,
    Identify: Purpose.DEDUPLICATION,
    Verify: Purpose.VERIFICATION,
    Delete: Purpose.REMOVAL,
}
_MAX_CANDIDATES = 100
_MAX_TARGET = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """Which program asks, and which kinds of galleries it may touch."""

    name: str
    kinds: frozenset[GalleryKind]


CARD_OFFICE = frozenset({GalleryKind.NATIONAL, GalleryKind.PROVINCE})
CRIME_BUREAU = frozenset({GalleryKind.CRIME})


class SearchDesk:
    """Takes requests; a worker does them."""

    def __init__(self, database: Database, keys: KeyRoom, modalities: Modalities, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._modalities = modalities
        self._clock = clock

    def open_gallery(self, code: str, kind: GalleryKind, province: str | None = None) -> None:
        """Open a gallery with a key of its own; raises FieldsRefused, TransitionRefused."""
        domain.require_gallery_code(code, kind, province)
        moment = self._clock()
        self._keys.make(code)
        with self._database.writing() as connection:
            opened = Gallery(code=code, kind=kind, province=province, version=0)
            repository.open_gallery(connection, opened, moment)
            step = Step(
                subject=f"gallery/{code}",
                event="open",
                state="open",
                actor=recorded_events.SYSTEM,
                at=rfc3339(moment),
                detail={"kind": kind.value},
            )
            recorded_events.append(connection, step)

    def galleries(self, caller: Caller) -> list[GallerySummary]:
        """The galleries that this caller may touch."""
        with self._database.reading() as connection:
            found = repository.galleries(connection)
        return [
            GallerySummary(
                code=each.code,
                kind=each.kind.value,
                province=each.province,
                version=each.version,
                enrolments=enrolments,
            )
            for each, enrolments in found
            if each.kind in caller.kinds
        ]

    def submit(self, caller: Caller, request: SearchRequest) -> SearchTask:
        """Queue a task; the same request again answers with the same task.

        Raises FieldsRefused, TemplateRefused, ModalityUnknown, GalleryUnknown, GalleryPurposeRefused and
        SearchTaskReplayed.
        """
        with self._database.writing() as connection:
            task = self.submit_within(connection, caller, request, self._clock())
        return self._message(task)

    def submit_within(
        self, connection: Connection, caller: Caller, request: SearchRequest, moment: datetime
    ) -> Task:
        """Queue a task in the caller's transaction; raises as ``submit`` does."""
        self._require_sound(request)
        gallery = repository.gallery(connection, request.gallery)
        if gallery.kind not in caller.kinds:
            raise GalleryPurposeRefused("this caller has no business in that gallery")
        purpose = _PURPOSES[type(request)]
        domain.require_purpose(gallery.kind, purpose)
        new = self._new_task(caller.name, request.gallery, _operation(request), request)
        return self._queue(connection, new, purpose, moment=moment)

    def task(self, caller: Caller, task_id: str) -> SearchTask:
        """A task as it stands, for the program that asked it; raises SearchTaskUnknown."""
        with self._database.reading() as connection:
            task = repository.task(connection, task_id)
        if task is None or task.caller != caller.name or task.operation == INVESTIGATE:
            raise SearchTaskUnknown("no task of this caller with this id")
        return self._message(task)

    def investigate(self, officer: Officer, request: InvestigationSearch) -> Investigation:
        """Queue a search by warrant; raises WarrantRefused besides what ``submit`` raises."""
        officer.require(Role.INVESTIGATOR)
        moment = self._clock()
        domain.require_in_force(request.warrant, vietnam_date(moment))
        domain.require_names({"gallery": request.gallery}, task_id=request.task_id)
        _require_amounts(request.max_candidates, 0)
        self._modalities.require_sound(samples(request.samples))
        with self._database.writing() as connection:
            gallery = repository.gallery(connection, request.gallery)
            domain.require_purpose(gallery.kind, Purpose.INVESTIGATION)
            new = self._new_task(officer.id, gallery.code, INVESTIGATE, request)
            detail = {"warrant": request.warrant.number, "authority": request.warrant.authority}
            task = self._queue(connection, new, Purpose.INVESTIGATION, detail, moment=moment)
        return self._looked_at(officer, task)

    def investigation(self, officer: Officer, task_id: str) -> Investigation:
        """A search by warrant as it stands; who the candidates are is told once it was released.

        Every look at who they are is in the gallery's own record before it is answered.
        """
        officer.require(Role.INVESTIGATOR)
        with self._database.reading() as connection:
            task = _investigation_task(connection, task_id)
        return self._looked_at(officer, task)

    def investigations(self, officer: Officer, asked: PageAsked) -> Page[InvestigationEntry]:
        """Which searches by warrant were asked for, the newest first; nothing of who was looked for."""
        officer.require(Role.INVESTIGATOR, Role.AUDITOR)
        with self._database.reading() as connection:
            return repository.investigations(connection, asked)

    def release(self, officer: Officer, task_id: str) -> Investigation:
        """Let the requester see who the candidates are: a second officer's word, while the warrant holds.

        Raises SameOfficer, WarrantRefused, TransitionRefused, SearchTaskUnknown.
        """
        officer.require(Role.INVESTIGATOR)
        moment = self._clock()
        with self._database.writing() as connection:
            task = _investigation_task(connection, task_id)
            if task.caller == officer.id:
                raise SameOfficer("whoever asked does not release the answer")
            key = self._keys.key(task.gallery)
            warrant = _answer(key, task).warrant
            if warrant is None:
                raise TransitionRefused("there is no answer yet")
            domain.require_in_force(warrant, vietnam_date(moment))
            if not repository.release(connection, task_id, officer.id):
                raise TransitionRefused("released already")
            detail = {"task": task_id, "warrant": warrant.number, "act": "release"}
            gallery_record.note(connection, key, officer.id, Purpose.INVESTIGATION, detail, moment=moment)
            _record(connection, task, "release", officer.id, moment)
            return self._investigation(_investigation_task(connection, task_id))

    def _new_task(
        self, caller: str, gallery: str, operation: str, request: SearchRequest | InvestigationSearch
    ) -> NewTask:
        content = request_bytes(request)
        key = self._keys.key(gallery)
        return NewTask(
            task_id=request.task_id,
            gallery=gallery,
            operation=operation,
            caller=caller,
            request_sha256=domain.request_digest(caller, content),
            changes_gallery=operation in CHANGES,
            sealed_request=key.seal(content, f"request/{request.task_id}"),
        )

    def _queue(
        self,
        connection: Connection,
        new: NewTask,
        purpose: Purpose,
        detail: dict[str, str] | None = None,
        *,
        moment: datetime,
    ) -> Task:
        known = repository.task(connection, new.task_id)
        if known is not None:
            if known.request_sha256 != new.request_sha256:
                raise SearchTaskReplayed("this task id stands for something else")
            return known
        sequence = repository.submit(connection, new, moment)
        key = self._keys.key(new.gallery)
        line = {"task": new.task_id, **(detail or {})}
        gallery_record.note(connection, key, new.caller, purpose, line, moment=moment)
        task = repository.task_at(connection, sequence)
        if task is None:
            raise SearchTaskUnknown("the task that was just written")
        _record(connection, task, TaskEvent.SUBMIT.value, new.caller, moment)
        return task

    def _require_sound(self, request: SearchRequest) -> None:
        names: dict[str, str | None] = {"gallery": request.gallery}
        if isinstance(request, Insert | Identify | Delete):
            names["encounter"] = request.encounter
        if isinstance(request, Insert | Verify | Delete):
            names["subject"] = request.subject
        if isinstance(request, Identify):
            names["claimed_subject"] = request.claimed_subject
            _require_amounts(request.max_candidates, request.target_fpir_decibans)
        domain.require_names(names, task_id=request.task_id)
        if isinstance(request, Insert):
            domain.require_texts({"legal_basis": request.legal_basis})
        if isinstance(request, Delete):
            domain.require_texts({"reason": request.reason})
        else:
            self._modalities.require_sound(samples(request.samples))

    def _message(self, task: Task) -> SearchTask:
        """What a program is told: whether somebody is enrolled, never who. Names are a warrant's."""
        key = self._keys.key(task.gallery)
        return _task_message(task, _unnamed(key, task, _answer(key, task).candidates))

    def _looked_at(self, officer: Officer, task: Task) -> Investigation:
        told = self._investigation(task)
        if any(each.subject for each in told.task.candidates):
            detail = {"task": task.task_id, "warrant": told.warrant.number, "act": "look"}
            key, moment = self._keys.key(task.gallery), self._clock()
            with self._database.writing() as connection:
                gallery_record.note(connection, key, officer.id, Purpose.INVESTIGATION, detail, moment=moment)
        return told

    def _investigation(self, task: Task) -> Investigation:
        key = self._keys.key(task.gallery)
        answer = _answer(key, task)
        candidates = answer.candidates if task.released_by else _unnamed(key, task, answer.candidates)
        warrant = answer.warrant
        if warrant is None:
            warrant = _asked(key, task).warrant
        return Investigation(
            task=_task_message(task, candidates),
            warrant=warrant,
            requested_by=task.caller,
            released_by=task.released_by,
        )


def _operation(request: SearchRequest) -> str:
    return str(type(request).__struct_config__.tag)


def _require_amounts(max_candidates: int, target_fpir_decibans: int) -> None:
    faults = {}
    if not 0 < max_candidates <= _MAX_CANDIDATES:
        faults["max_candidates"] = "FIELD_CHARACTERS"
    if not 0 <= target_fpir_decibans <= _MAX_TARGET:
        faults["target_fpir_decibans"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def _investigation_task(connection: Connection, task_id: str) -> Task:
    task = repository.task(connection, task_id)
    if task is None or task.operation != INVESTIGATE:
        raise SearchTaskUnknown("no investigation with this id")
    return task


def _answer(key: GalleryKey, task: Task) -> KeptAnswer:
    if task.sealed_answer is None:
        return KeptAnswer()
    content = key.open(task.sealed_answer, f"answer/{task.task_id}")
    return msgspec.json.decode(content, type=KeptAnswer)


def _asked(key: GalleryKey, task: Task) -> InvestigationSearch:
    if task.sealed_request is None:
        raise SearchTaskUnknown("the task ended without an answer")
    content = key.open(task.sealed_request, f"request/{task.task_id}")
    return msgspec.json.decode(content, type=InvestigationSearch)


def _unnamed(
    key: GalleryKey, task: Task, candidates: tuple[CandidateMessage, ...]
) -> tuple[CandidateMessage, ...]:
    """Candidates under names that are good in this answer alone.

    With a name that stays, numbers compared one by one would make a table of who is called what.
    """
    answer = f"{task.sequence}/{task.created_at}"
    return tuple(
        msgspec.structs.replace(
            each, reference=key.passing_name(each.reference, answer), subject=None, encounter=None
        )
        for each in candidates
    )


def _task_message(task: Task, candidates: tuple[CandidateMessage, ...]) -> SearchTask:
    return SearchTask(
        task_id=task.task_id,
        gallery=task.gallery,
        operation=task.operation,
        status=task.state.value,
        created_at=task.created_at,
        updated_at=task.updated_at,
        outcome=task.outcome,
        failure=task.failure,
        gallery_size=task.gallery_size,
        candidates=candidates,
    )


def _record(connection: Connection, task: Task, event: str, actor: str, moment: datetime) -> None:
    step = Step(
        subject=f"search/{task.sequence}",
        event=event,
        state=task.state.value,
        # A caller's name may be longer than the column of an officer's id.
        actor=actor[:40],
        at=rfc3339(moment),
        detail={"gallery": task.gallery, "operation": task.operation},
    )
    recorded_events.append(connection, step)


def finished_state(event: TaskEvent) -> TaskState:
    """The state that the end of a queued task leads to."""
    return domain.advance(TaskState.QUEUED, event)
