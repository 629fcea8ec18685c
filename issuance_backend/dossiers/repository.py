"""The SQL of dossiers, their captures and portraits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.domain import DossierState
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.schema import CAPTURES, DOSSIERS, PORTRAITS
from verification.errors import DossierAlreadyOpen, TransitionRefused
from verification.messages.enrollment import DossierReturn, PersonFields, PortraitCheck

# What every step of a dossier needs, built once: building a statement costs more than executing it.
_CLOSED = (DossierState.COMPLETED.value, DossierState.WITHDRAWN.value)
_ADD = insert(DOSSIERS)
_SAVE = update(DOSSIERS).where(DOSSIERS.c.id == bindparam("which"), DOSSIERS.c.version == bindparam("former"))
_FIND = select(DOSSIERS).where(DOSSIERS.c.id == bindparam("which"))
_OPEN = select(DOSSIERS.c.id, DOSSIERS.c.citizen_number).where(
    DOSSIERS.c.citizen_number.in_(bindparam("numbers", expanding=True)), DOSSIERS.c.state.not_in(_CLOSED)
)
_ADD_CAPTURE = insert(CAPTURES)
_CAPTURES = select(
    CAPTURES.c.capture_id, CAPTURES.c.dossier, CAPTURES.c.content_sha256, CAPTURES.c.officer
).where(CAPTURES.c.capture_id.in_(bindparam("which", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One application as it stands; ``portrait`` names the stored picture."""

    id: str
    citizen_number: str
    state: DossierState
    version: int
    person: PersonFields
    portrait: str
    portrait_check: PortraitCheck
    returned: DossierReturn | None
    captured_by: str
    approved_by: str | None
    created_at: str
    updated_at: str


def add_portrait(connection: Connection, name: str, content: bytes) -> None:
    """Write a picture under its name; kept once; ``content`` is empty in the store."""
    # Insert first, ask never: between a look and an insert another office may store the same picture.
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(PORTRAITS).values(name=name, content=content))


def portrait(connection: Connection, name: str) -> bytes:
    """The picture with this name; nothing where it lies in the store of sealed pictures."""
    row = connection.execute(select(PORTRAITS.c.content).where(PORTRAITS.c.name == name)).scalar_one()
    return bytes(row)


def portrait_in_table(connection: Connection) -> tuple[str, bytes] | None:
    """Any picture that lies in the table itself, with its name."""
    question = select(PORTRAITS).where(func.length(PORTRAITS.c.content) > 0).limit(1)
    row = connection.execute(question).one_or_none()
    return (row.name, bytes(row.content)) if row else None


def rename_portrait(connection: Connection, former: str, name: str) -> None:
    """Let every dossier of a picture name it anew, and remove the old row.

    The version counts: an officer who read a dossier before cannot write the old name back.
    """
    connection.execute(
        update(DOSSIERS)
        .where(DOSSIERS.c.portrait == former)
        .values(portrait=name, version=DOSSIERS.c.version + 1)
    )
    connection.execute(delete(PORTRAITS).where(PORTRAITS.c.name == former))


def add(connection: Connection, dossiers: Sequence[Dossier]) -> None:
    """Write new dossiers; raises DossierAlreadyOpen for a second open one of the same number."""
    try:
        connection.execute(_ADD, [_values(dossier) for dossier in dossiers])
    except IntegrityError:
        # Two offices at once: both looked before either wrote, and the index decided.
        raise DossierAlreadyOpen("one dossier at a time") from None


def save(connection: Connection, dossier: Dossier) -> None:
    """Write a dossier's changes; raises TransitionRefused when somebody else was quicker."""
    values = {**_values(dossier), "version": dossier.version + 1}
    changed = connection.execute(_SAVE, {**values, "which": dossier.id, "former": dossier.version})
    if changed.rowcount != 1:
        raise TransitionRefused("the dossier changed meanwhile")


def find(connection: Connection, dossier: str) -> Dossier | None:
    """The dossier with this id."""
    row = connection.execute(_FIND, {"which": dossier}).mappings().one_or_none()
    return _dossier(dict(row)) if row else None


LIST_KEY = 2
"""Lists go by the moment of the last change, and by id where that is the same."""


def listed(connection: Connection, state: DossierState | None, asked: PageAsked) -> Page[Dossier]:
    """Dossiers in one state, the one that waited longest first; or all, the newest first."""
    key = tuple_(DOSSIERS.c.updated_at, DOSSIERS.c.id)
    question = select(DOSSIERS).limit(asked.limit + 1)
    if state is None:
        question = question.order_by(DOSSIERS.c.updated_at.desc(), DOSSIERS.c.id.desc())
        question = question.where(key < asked.after) if asked.after else question
    else:
        question = question.where(DOSSIERS.c.state == state.value)
        question = question.order_by(DOSSIERS.c.updated_at, DOSSIERS.c.id)
        question = question.where(key > asked.after) if asked.after else question
    found = [_dossier(dict(row)) for row in connection.execute(question).mappings()]
    return page_of(found, asked, lambda dossier: (dossier.updated_at, dossier.id))


def open_dossier(connection: Connection, citizen_number: str) -> str | None:
    """The id of the dossier of this person that is still being worked on."""
    return open_dossiers(connection, [citizen_number]).get(citizen_number)


def open_dossiers(connection: Connection, citizen_numbers: Sequence[str]) -> dict[str, str]:
    """The ids of the dossiers of these persons that are still being worked on, by number."""
    rows = connection.execute(_OPEN, {"numbers": citizen_numbers})
    return {row.citizen_number: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that was accepted, by its id."""

    capture_id: str
    dossier: str
    content_sha256: str
    officer: str


def add_captures(connection: Connection, captures: Sequence[Capture]) -> None:
    """Remember accepted captures, so that a replay is recognised; raises TransitionRefused if one was."""
    try:
        connection.execute(_ADD_CAPTURE, [asdict(capture) for capture in captures])
    except IntegrityError:
        raise TransitionRefused("this capture was accepted meanwhile") from None


def captures(connection: Connection, capture_ids: Sequence[str]) -> dict[str, Capture]:
    """The accepted captures with these ids."""
    rows = connection.execute(_CAPTURES, {"which": capture_ids})
    return {row.capture_id: Capture(*row) for row in rows}


def _values(dossier: Dossier) -> dict[str, object]:
    return {
        "id": dossier.id,
        "citizen_number": dossier.citizen_number,
        "state": dossier.state.value,
        "version": dossier.version,
        "person": msgspec.json.encode(dossier.person).decode(),
        "portrait": dossier.portrait,
        "portrait_check": msgspec.json.encode(dossier.portrait_check).decode(),
        "returned": msgspec.json.encode(dossier.returned).decode() if dossier.returned else None,
        "captured_by": dossier.captured_by,
        "approved_by": dossier.approved_by,
        "created_at": dossier.created_at,
        "updated_at": dossier.updated_at,
    }


def _dossier(row: dict[str, str]) -> Dossier:
    return Dossier(
        id=row["id"],
        citizen_number=row["citizen_number"],
        state=DossierState(row["state"]),
        version=int(row["version"]),
        person=msgspec.json.decode(row["person"], type=PersonFields),
        portrait=row["portrait"],
        portrait_check=msgspec.json.decode(row["portrait_check"], type=PortraitCheck),
        returned=msgspec.json.decode(row["returned"], type=DossierReturn) if row["returned"] else None,
        captured_by=row["captured_by"],
        approved_by=row["approved_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
