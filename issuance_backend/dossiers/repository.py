"""The SQL of dossiers, their captures and portraits."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.domain import DossierState
from issuance_backend.schema import CAPTURES, DOSSIERS, PORTRAITS
from verification.errors import DossierAlreadyOpen, TransitionRefused
from verification.messages.enrollment import DossierReturn, PersonFields, PortraitCheck

MAX_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One application as it stands; ``portrait`` is the SHA-256 of the stored picture."""

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


def store_portrait(connection: Connection, content: bytes) -> str:
    """Keep a picture under its SHA-256 and return that; the same picture is kept once."""
    digest = hashlib.sha256(content).hexdigest()
    # Insert first, ask never: between a look and an insert another office may store the same picture.
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(PORTRAITS).values(sha256=digest, content=content))
    return digest


def portrait(connection: Connection, digest: str) -> bytes:
    """The picture with this SHA-256."""
    row = connection.execute(select(PORTRAITS.c.content).where(PORTRAITS.c.sha256 == digest)).scalar_one()
    return bytes(row)


def add(connection: Connection, dossier: Dossier) -> None:
    """Write a new dossier; raises DossierAlreadyOpen for a second open one of the same number."""
    try:
        connection.execute(insert(DOSSIERS).values(**_values(dossier)))
    except IntegrityError:
        # Two offices at once: both looked before either wrote, and the index decided.
        raise DossierAlreadyOpen("one dossier at a time") from None


def save(connection: Connection, dossier: Dossier) -> None:
    """Write a dossier's changes; raises TransitionRefused when somebody else was quicker."""
    values = {**_values(dossier), "version": dossier.version + 1}
    changed = connection.execute(
        update(DOSSIERS)
        .where(DOSSIERS.c.id == dossier.id, DOSSIERS.c.version == dossier.version)
        .values(**values)
    )
    if changed.rowcount != 1:
        raise TransitionRefused("the dossier changed meanwhile")


def find(connection: Connection, dossier: str) -> Dossier | None:
    """The dossier with this id."""
    row = connection.execute(select(DOSSIERS).where(DOSSIERS.c.id == dossier)).mappings().one_or_none()
    return _dossier(dict(row)) if row else None


def listed(connection: Connection, state: DossierState | None) -> list[Dossier]:
    """Dossiers in one state, the one that waited longest first; or all, the newest first."""
    question = select(DOSSIERS).limit(MAX_LISTED)
    if state is None:
        question = question.order_by(DOSSIERS.c.updated_at.desc())
    else:
        question = question.where(DOSSIERS.c.state == state.value).order_by(DOSSIERS.c.updated_at)
    return [_dossier(dict(row)) for row in connection.execute(question).mappings()]


def open_dossier(connection: Connection, citizen_number: str) -> str | None:
    """The id of the dossier of this person that is still being worked on."""
    closed = (DossierState.COMPLETED.value, DossierState.WITHDRAWN.value)
    question = select(DOSSIERS.c.id).where(
        DOSSIERS.c.citizen_number == citizen_number, DOSSIERS.c.state.not_in(closed)
    )
    return connection.execute(question).scalars().first()


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that was accepted, by its id."""

    capture_id: str
    dossier: str
    content_sha256: str
    officer: str


def add_capture(connection: Connection, capture: Capture) -> None:
    """Remember an accepted capture, so that its replay is recognised; raises TransitionRefused if it was."""
    row = insert(CAPTURES).values(
        capture_id=capture.capture_id,
        dossier=capture.dossier,
        content_sha256=capture.content_sha256,
        officer=capture.officer,
    )
    try:
        connection.execute(row)
    except IntegrityError:
        raise TransitionRefused("this capture was accepted meanwhile") from None


def capture(connection: Connection, capture_id: str) -> Capture | None:
    """The accepted capture with this id."""
    row = connection.execute(select(CAPTURES).where(CAPTURES.c.capture_id == capture_id)).one_or_none()
    return Capture(row.capture_id, row.dossier, row.content_sha256, row.officer) if row else None


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
