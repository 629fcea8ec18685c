"""The SQL of citizens' visits and complaints."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.citizen_access.domain import Complaint, Visit
from issuance_backend.citizen_access.refusals import OwnRecordProofUsed
from issuance_backend.citizen_access.tables import CITIZEN_VISITS, COMPLAINTS
from issuance_backend.dossiers.repository import Dossier, read_dossier
from issuance_backend.listing import lies_in, read_page
from issuance_backend.moments import rfc3339
from issuance_backend.paging import Page, PageAsked
from issuance_backend.schema import CLOSED_DOSSIER, DOSSIERS, OPEN_DOSSIER
from verification.errors import TransitionRefused
from verification.messages.citizen_access import ComplaintAbout, ComplaintOutcome, ComplaintState

LIST_KEY = 2
_AT_ONCE = 5_000


def add_visit(connection: Connection, visit: Visit) -> None:
    """Write a visit; raises OwnRecordProofUsed for a session that opened one before."""
    try:
        connection.execute(insert(CITIZEN_VISITS).values(**asdict(visit)))
    except IntegrityError:
        raise OwnRecordProofUsed("this session opened a visit before") from None


def visit(connection: Connection, visit_id: str) -> Visit | None:
    """The visit with this id."""
    question = select(CITIZEN_VISITS).where(CITIZEN_VISITS.c.id == visit_id)
    row = connection.execute(question).mappings().one_or_none()
    return Visit(**row) if row else None


def visits_since(connection: Connection, citizen_number: str, moment: datetime) -> int:
    """How often a citizen came since a moment."""
    columns = CITIZEN_VISITS.c
    question = select(func.count()).where(
        columns.citizen_number == citizen_number, columns.opened_at > rfc3339(moment)
    )
    return int(connection.execute(question).scalar_one())


def forget_visits(connection: Connection, before: datetime) -> int:
    """Forget some of the visits before a moment; how many there were."""
    columns = CITIZEN_VISITS.c
    oldest = select(columns.id).where(columns.opened_at < rfc3339(before)).limit(_AT_ONCE)
    return connection.execute(delete(CITIZEN_VISITS).where(columns.id.in_(oldest))).rowcount


def dossiers_of(connection: Connection, numbers: Collection[str]) -> list[Dossier]:
    """Every application of a person, the newest first."""
    found: list[Dossier] = []
    for which in (OPEN_DOSSIER, CLOSED_DOSSIER):
        question = select(DOSSIERS).where(DOSSIERS.c.citizen_number.in_(numbers), text(which))
        found += [read_dossier(row) for row in connection.execute(question).mappings()]
    return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)


def add_complaint(connection: Connection, complaint: Complaint) -> None:
    """Write a complaint."""
    connection.execute(insert(COMPLAINTS).values(**_values(complaint)))


def save_answer(connection: Connection, complaint: Complaint) -> None:
    """Write an answer; raises TransitionRefused when somebody else was quicker."""
    columns = COMPLAINTS.c
    changed = connection.execute(
        update(COMPLAINTS)
        .where(columns.id == complaint.id, columns.state == ComplaintState.OPEN.value)
        .values(**_values(complaint))
    )
    if changed.rowcount != 1:
        raise TransitionRefused("the complaint was answered meanwhile")


def complaint(connection: Connection, complaint_id: str) -> Complaint | None:
    """The complaint with this id."""
    return _one(connection, select(COMPLAINTS).where(COMPLAINTS.c.id == complaint_id))


def of_code(connection: Connection, code: str) -> Complaint | None:
    """The complaint whose slip has this code."""
    return _one(connection, select(COMPLAINTS).where(COMPLAINTS.c.receipt_code == code))


def complaints_of(connection: Connection, numbers: Collection[str]) -> list[Complaint]:
    """What a person complained about, the newest first."""
    question = select(COMPLAINTS).where(COMPLAINTS.c.citizen_number.in_(numbers))
    rows = connection.execute(question.order_by(COMPLAINTS.c.filed_at.desc(), COMPLAINTS.c.id)).mappings()
    return [_complaint(row) for row in rows]


def filed_in(connection: Connection, visit_id: str) -> list[Complaint]:
    """The complaints that were filed in a visit."""
    question = select(COMPLAINTS).where(COMPLAINTS.c.visit == visit_id)
    return [_complaint(row) for row in connection.execute(question).mappings()]


def hold_visit(connection: Connection, visit_id: str) -> None:
    """Keep everybody else from filing in a visit until the transaction ends."""
    question = select(CITIZEN_VISITS.c.id).where(CITIZEN_VISITS.c.id == visit_id)
    connection.execute(question.with_for_update()).all()


def listed(
    connection: Connection, state: ComplaintState, area: str | None, asked: PageAsked
) -> Page[Complaint]:
    """Complaints in one state, the one that was filed first before the others."""
    question = select(COMPLAINTS).where(COMPLAINTS.c.state == state.value)
    if area is not None:
        question = question.where(lies_in(COMPLAINTS.c.unit, area))
    return read_page(connection, question, (COMPLAINTS.c.filed_at, COMPLAINTS.c.id), asked, _complaint)


def erase_texts(connection: Connection, before: datetime) -> int:
    """Erase the words of some complaints that were answered before a moment; how many there were."""
    columns = COMPLAINTS.c
    # Filed before it was answered: the index leads to the oldest.
    over = (
        columns.state == ComplaintState.ANSWERED.value,
        columns.filed_at < rfc3339(before),
        columns.answered_at < rfc3339(before),
        columns.text != "",
    )
    oldest = select(columns.id).where(*over).limit(_AT_ONCE)
    erased = update(COMPLAINTS).where(columns.id.in_(oldest)).values(text="", answer="")
    return connection.execute(erased).rowcount


def _one(connection: Connection, question: Select[tuple[object, ...]]) -> Complaint | None:
    row = connection.execute(question).mappings().one_or_none()
    return _complaint(row) if row else None


def _values(complaint: Complaint) -> dict[str, object]:
    return {**asdict(complaint), "concerned": msgspec.json.encode(complaint.concerned).decode()}


def _complaint(row: RowMapping) -> Complaint:
    found = Complaint(**{**row, "concerned": msgspec.json.decode(row["concerned"], type=tuple[str, ...])})
    return replace(
        found,
        subject=ComplaintAbout(found.subject),
        state=ComplaintState(found.state),
        outcome=ComplaintOutcome(found.outcome) if found.outcome else None,
    )
