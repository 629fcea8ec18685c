"""The SQL of adjudication cases and of what examiners decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, exists, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.biometric_search.adjudication import CaseKind, CaseState, Finding, Judged
from issuance_backend.biometric_search.tables import ADJUDICATION_CASES, ADJUDICATION_DECISIONS, OPEN_CASE
from verification.errors import TransitionRefused
from verification.messages.biometric_search import LikenessMessage

_OLDEST_FIRST = (ADJUDICATION_CASES.c.opened_at, ADJUDICATION_CASES.c.id)
_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One pair of encounters that people look at. ``truth`` is known of baits only."""

    id: str
    probe_encounter: str
    candidate_encounter: str
    kind: CaseKind
    took_part: tuple[str, ...]
    likenesses: tuple[LikenessMessage, ...]
    truth: bool | None
    state: CaseState
    outcome: Finding | None
    version: int
    opened_at: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one examiner decided, as first, second or third."""

    case_id: str
    place: int
    examiner: str
    finding: Finding
    comment: str
    nonce: str
    at: str


def add(connection: Connection, case: Case) -> bool:
    """Write a new case; False where this pair is one already. To a real case a bait is none."""
    known = select(ADJUDICATION_CASES.c.id).where(
        ADJUDICATION_CASES.c.probe_encounter == case.probe_encounter,
        ADJUDICATION_CASES.c.candidate_encounter == case.candidate_encounter,
    )
    if case.kind is not CaseKind.BAIT:
        known = known.where(ADJUDICATION_CASES.c.kind != CaseKind.BAIT.value)
    if connection.execute(known).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(ADJUDICATION_CASES).values(**_values(case)))
    except IntegrityError:  # two searches of one application at once: both looked before either wrote
        return False
    return True


def save(connection: Connection, case: Case) -> None:
    """Write a case's changes; raises TransitionRefused when somebody else was quicker."""
    changed = connection.execute(
        update(ADJUDICATION_CASES)
        .where(ADJUDICATION_CASES.c.id == case.id, ADJUDICATION_CASES.c.version == case.version)
        .values(**{**_values(case), "version": case.version + 1})
    )
    if changed.rowcount != 1:
        raise TransitionRefused("the case changed meanwhile")


def find(connection: Connection, case_id: str) -> Case | None:
    """The case with this id."""
    found = _listed(connection, ADJUDICATION_CASES.c.id == case_id)
    return found[0] if found else None


def find_held(connection: Connection, case_id: str) -> Case | None:
    """The case with this id; whoever decides it next waits for this transaction."""
    held = select(ADJUDICATION_CASES.c.id).where(ADJUDICATION_CASES.c.id == case_id).with_for_update()
    return find(connection, case_id) if connection.execute(held).first() else None


def of_encounter(connection: Connection, encounter: str) -> list[Case]:
    """Every real case of an application."""
    return _listed(
        connection,
        ADJUDICATION_CASES.c.probe_encounter == encounter,
        ADJUDICATION_CASES.c.truth.is_(None),
    )


def undecided_of(connection: Connection, application: str) -> list[Case]:
    """The real cases of every capture of an application that nobody has settled, held until the end."""
    theirs = (
        # The range of its captures, as that of ``lies_in``.
        ADJUDICATION_CASES.c.probe_encounter >= application,
        ADJUDICATION_CASES.c.probe_encounter < f"{application}/",
        ADJUDICATION_CASES.c.truth.is_(None),
        text(OPEN_CASE),
    )
    question = select(ADJUDICATION_CASES).where(*theirs).order_by(ADJUDICATION_CASES.c.id).with_for_update()
    return [_case(row) for row in connection.execute(question)]


def waiting_for(connection: Connection, examiner: str) -> Iterator[Case]:
    """The cases that this examiner took no part in and has not decided, the one that waited longest first."""
    own = exists().where(
        ADJUDICATION_DECISIONS.c.case_id == ADJUDICATION_CASES.c.id,
        ADJUDICATION_DECISIONS.c.examiner == examiner,
    )
    took_part = ADJUDICATION_CASES.c.took_part.contains(f'"{examiner}"', autoescape=True)
    question = select(ADJUDICATION_CASES).where(text(OPEN_CASE), ~own, ~took_part).order_by(*_OLDEST_FIRST)
    with connection.execute(question.execution_options(yield_per=_AT_ONCE)) as rows:
        yield from map(_case, rows)


def add_decision(connection: Connection, decision: Decision) -> None:
    """Write a decision; raises TransitionRefused where its place is taken or the examiner has decided."""
    try:
        connection.execute(
            insert(ADJUDICATION_DECISIONS).values(
                case_id=decision.case_id,
                place=decision.place,
                examiner=decision.examiner,
                finding=decision.finding.value,
                comment=decision.comment,
                nonce=decision.nonce,
                at=decision.at,
            )
        )
    except IntegrityError:
        raise TransitionRefused("another examiner was quicker") from None


def decisions(connection: Connection, case_id: str) -> list[Decision]:
    """The decisions on a case in their order."""
    question = (
        select(ADJUDICATION_DECISIONS)
        .where(ADJUDICATION_DECISIONS.c.case_id == case_id)
        .order_by(ADJUDICATION_DECISIONS.c.place)
    )
    return [
        Decision(
            case_id=row.case_id,
            place=row.place,
            examiner=row.examiner,
            finding=Finding(row.finding),
            comment=row.comment,
            nonce=row.nonce,
            at=row.at,
        )
        for row in connection.execute(question)
    ]


def judged(connection: Connection) -> list[Judged]:
    """Every decision with what its case came to."""
    question = select(
        ADJUDICATION_DECISIONS.c.examiner,
        ADJUDICATION_DECISIONS.c.finding,
        ADJUDICATION_CASES.c.outcome,
        ADJUDICATION_CASES.c.truth,
    ).join(ADJUDICATION_CASES, ADJUDICATION_CASES.c.id == ADJUDICATION_DECISIONS.c.case_id)
    return [
        Judged(row.examiner, Finding(row.finding), Finding(row.outcome) if row.outcome else None, row.truth)
        for row in connection.execute(question)
    ]


def _listed(connection: Connection, *conditions: ColumnElement[bool]) -> list[Case]:
    question = select(ADJUDICATION_CASES).where(*conditions).order_by(*_OLDEST_FIRST)
    return [_case(row) for row in connection.execute(question)]


def _values(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "probe_encounter": case.probe_encounter,
        "candidate_encounter": case.candidate_encounter,
        "kind": case.kind.value,
        "took_part": _text(case.took_part),
        "likenesses": _text(case.likenesses),
        "truth": case.truth,
        "state": case.state.value,
        "outcome": case.outcome.value if case.outcome else None,
        "version": case.version,
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
    }


def _text(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()


def _case(row: Any) -> Case:
    return Case(
        id=row.id,
        probe_encounter=row.probe_encounter,
        candidate_encounter=row.candidate_encounter,
        kind=CaseKind(row.kind),
        took_part=msgspec.json.decode(row.took_part, type=tuple[str, ...]),
        likenesses=msgspec.json.decode(row.likenesses, type=tuple[LikenessMessage, ...]),
        truth=row.truth,
        state=CaseState(row.state),
        outcome=Finding(row.outcome) if row.outcome else None,
        version=row.version,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
    )
