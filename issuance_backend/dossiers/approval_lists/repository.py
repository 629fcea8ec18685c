"""The SQL of lists of approvals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, exists, func, insert, select
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.approval_lists.domain import SignedList
from issuance_backend.dossiers.approval_lists.tables import APPROVAL_LISTS, APPROVERS_SIGN, LISTED_APPROVALS
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.dossiers.repository import Dossier, read_dossier
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from issuance_backend.schema import DOSSIERS, EVENTS
from verification.errors import TransitionRefused
from verification.messages.approval_list import ListedDossier

LIST_KEY = 2
"""Lists go by their moment, and by id where that is the same."""

_OF_DOSSIER = (
    select(APPROVAL_LISTS)
    .join(LISTED_APPROVALS, LISTED_APPROVALS.c.list == APPROVAL_LISTS.c.id)
    .where(
        LISTED_APPROVALS.c.dossier == bindparam("which"), LISTED_APPROVALS.c.packet_sha256 == bindparam("of")
    )
    .order_by(APPROVAL_LISTS.c.as_of.desc())
    .limit(1)
)
_AT_THE_CENTRE = (
    DossierState.LOCAL_APPROVED.value,
    DossierState.DEDUP_1N.value,
    DossierState.ADJUDICATION.value,
)


def add(connection: Connection, signed: SignedList, dossiers: Sequence[ListedDossier]) -> None:
    """Write a list, once and for all; raises TransitionRefused where it is written meanwhile."""
    try:
        connection.execute(insert(APPROVAL_LISTS), asdict(signed))
    except IntegrityError:
        raise TransitionRefused("there is this list by now") from None
    rows = [
        {
            "dossier": each.dossier,
            "packet_sha256": each.packet,
            "list": signed.id,
            "checked_by": each.checked_by,
        }
        for each in dossiers
    ]
    connection.execute(insert(LISTED_APPROVALS), rows)


def find(connection: Connection, which: str) -> SignedList | None:
    """The list with this id."""
    question = select(APPROVAL_LISTS).where(APPROVAL_LISTS.c.id == which)
    row = connection.execute(question).mappings().one_or_none()
    return _signed(row) if row else None


def of_dossier(connection: Connection, dossier: Dossier) -> SignedList | None:
    """The newest list in which a dossier stands with this capture."""
    asked = {"which": dossier.id, "of": dossier.packet_sha256}
    row = connection.execute(_OF_DOSSIER, asked).mappings().one_or_none()
    return _signed(row) if row else None


def is_from_before(connection: Connection, subject: str) -> bool:
    """Whether a dossier's newest approval was recorded before approvers signed."""
    newest = select(func.max(EVENTS.c.sequence)).where(
        EVENTS.c.subject == subject, EVENTS.c.event == DossierEvent.APPROVE_LOCALLY.value
    )
    # The order of the record is no clock's word: nobody dates an approval back to then.
    before = select(APPROVERS_SIGN).where(APPROVERS_SIGN.c.after_event >= newest.scalar_subquery())
    return connection.execute(before).first() is not None


def named(connection: Connection, which: str) -> tuple[ListedDossier, ...]:
    """The dossiers that were written beside a list, by id; what it stands for, its signature says."""
    question = select(LISTED_APPROVALS).where(LISTED_APPROVALS.c.list == which)
    rows = connection.execute(question.order_by(LISTED_APPROVALS.c.dossier))
    return tuple(ListedDossier(row.dossier, row.packet_sha256, row.checked_by) for row in rows)


def listed(connection: Connection, area: str | None, asked: PageAsked) -> Page[SignedList]:
    """Some of the lists of an area's units, the newest first."""
    question = select(APPROVAL_LISTS)
    if area is not None:
        question = question.where(lies_in(APPROVAL_LISTS.c.unit, area))
    key = (APPROVAL_LISTS.c.as_of, APPROVAL_LISTS.c.id)
    return read_page(connection, question, key, asked, _signed, newest_first=True)


def unlisted(connection: Connection, after: str, limit: int) -> list[Dossier]:
    """Dossiers at the centre whose capture stands in no list, behind an id."""
    is_listed = exists().where(
        LISTED_APPROVALS.c.dossier == DOSSIERS.c.id,
        LISTED_APPROVALS.c.packet_sha256 == DOSSIERS.c.packet_sha256,
    )
    stands = DOSSIERS.c.state.in_(_AT_THE_CENTRE) | DOSSIERS.c.held_in.in_(_AT_THE_CENTRE)
    question = select(DOSSIERS).where(stands, ~is_listed, DOSSIERS.c.id > after)
    rows = connection.execute(question.order_by(DOSSIERS.c.id).limit(limit)).mappings()
    return [read_dossier(row) for row in rows]


def _signed(row: RowMapping) -> SignedList:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    return SignedList(**values)
