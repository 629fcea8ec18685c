"""The SQL of dossiers, their captures and portraits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.domain import COMPARED, DossierState, Search
from issuance_backend.dossiers.tables import (
    COUNTER_CAPTURES,
    COUNTER_ITEMS,
    DOSSIER_PRINTS,
    FORMER_PICTURES,
)
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from issuance_backend.schema import (
    CAPTURES,
    DOSSIERS,
    HAS_MEMBER,
    IS_ENROLMENT_DUE,
    OPEN_DOSSIER,
    PORTRAITS,
)
from verification.errors import DossierAlreadyOpen, TransitionRefused
from verification.messages.asked_prints import ALL_POSITIONS
from verification.messages.dossier_decisions import ArchiveLookup, Rejection
from verification.messages.enrollment import DossierReturn, PersonFields, PortraitCheck

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

# What every step of a dossier needs, built once: building a statement costs more than executing it.
_FORGOTTEN = tuple(state.value for state in DossierState if state not in COMPARED)
_ADD = insert(DOSSIERS)
_SAVE = update(DOSSIERS).where(DOSSIERS.c.id == bindparam("which"), DOSSIERS.c.version == bindparam("former"))
_FIND = select(DOSSIERS).where(DOSSIERS.c.id.in_(bindparam("which", expanding=True)))
_OPEN = select(DOSSIERS.c.id, DOSSIERS.c.citizen_number).where(
    DOSSIERS.c.citizen_number.in_(bindparam("numbers", expanding=True)), text(OPEN_DOSSIER)
)
# Both engines know the sentence. Between a look and an insert another office may store the same picture.
_ADD_PORTRAIT = text(
    "INSERT INTO portraits (name, content) VALUES (:name, :content) ON CONFLICT (name) DO NOTHING"
)
_ADD_FORMER = text(
    "INSERT INTO former_pictures (dossier, picture) VALUES (:dossier, :picture) ON CONFLICT DO NOTHING"
)
# The intake knows this module, and this module not the intake.
_RENAME_ITEMS = text("UPDATE packet_items SET picture = :name WHERE picture = :former")
_ADD_CAPTURE = insert(CAPTURES)
_CAPTURES = select(CAPTURES).where(CAPTURES.c.capture_id.in_(bindparam("which", expanding=True)))
_OF_RECEIPT = select(CAPTURES.c.dossier).where(CAPTURES.c.receipt_code == bindparam("code"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One application as it stands; ``portrait`` names the stored picture.

    ``packet_sha256`` identifies the sealed capture that stands now.
    """

    id: str
    citizen_number: str
    state: DossierState
    version: int
    person: PersonFields
    portrait: str
    portrait_check: PortraitCheck
    returned: DossierReturn | None
    captured_by: str
    checked_by: str | None = None
    approved_by: str | None
    created_at: str
    updated_at: str
    packet_sha256: str
    kit: str | None = None
    """Which sealed the last packet of it."""
    unit: str | None = None
    search: Search | None = None
    search_task: str | None = None
    held_in: DossierState | None = None
    rejection: Rejection | None = None
    lookup: ArchiveLookup | None = None
    enrolment_due: bool = False
    pending_member: str | None = None

    @property
    def encounter(self) -> str:
        """What this capture is called among biometrics: captured again, it is another one."""
        return f"{self.id}.{self.packet_sha256[:16]}"


def dossier_of_encounter(encounter: str) -> str:
    """The dossier whose capture an encounter is."""
    return encounter.partition(".")[0]


def add_portraits(connection: Connection, contents: Mapping[str, bytes]) -> None:
    """Write pictures under their names; each is kept once; contents are empty in the store."""
    if contents:
        rows = [{"name": name, "content": content} for name, content in sorted(contents.items())]
        connection.execute(_ADD_PORTRAIT, rows)


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
    """Let every dossier and packet of a picture name it anew, and remove the old row.

    The version counts: an officer who read a dossier before cannot write the old name back.
    """
    connection.execute(
        update(DOSSIERS)
        .where(DOSSIERS.c.portrait == former)
        .values(portrait=name, version=DOSSIERS.c.version + 1)
    )
    for table in (DOSSIER_PRINTS, FORMER_PICTURES, COUNTER_ITEMS):
        connection.execute(update(table).where(table.c.picture == former).values(picture=name))
    for column in (COUNTER_CAPTURES.c.portrait, COUNTER_CAPTURES.c.signature):
        connection.execute(update(COUNTER_CAPTURES).where(column == former).values({column: name}))
    connection.execute(_RENAME_ITEMS, {"name": name, "former": former})
    connection.execute(delete(PORTRAITS).where(PORTRAITS.c.name == former))


def add(connection: Connection, dossiers: Sequence[Dossier]) -> None:
    """Write new dossiers; raises DossierAlreadyOpen for a second open one of the same number."""
    try:
        connection.execute(_ADD, [_values(dossier) for dossier in dossiers])
    except IntegrityError:
        # Two offices at once: both looked before either wrote, and the index decided.
        raise DossierAlreadyOpen("one dossier at a time") from None


def save(connection: Connection, *dossiers: Dossier) -> None:
    """Write dossiers' changes; raises TransitionRefused when somebody else was quicker with any of them."""
    changed = connection.execute(_SAVE, [_changes(dossier) for dossier in dossiers])
    if changed.rowcount != len(dossiers):
        raise TransitionRefused("a dossier changed meanwhile")


def _changes(dossier: Dossier) -> dict[str, object]:
    values = _values(dossier)
    # Not the key: for one that is written SQLite looks into every table that refers to it.
    key = {"which": values.pop("id"), "former": dossier.version}
    return {**values, "version": dossier.version + 1, **key}


def find(connection: Connection, dossier: str) -> Dossier | None:
    """The dossier with this id."""
    return find_all(connection, [dossier]).get(dossier)


def find_all(connection: Connection, dossiers: Collection[str]) -> dict[str, Dossier]:
    """The dossiers with these ids, by id, as far as there are any."""
    rows = connection.execute(_FIND, {"which": list(dossiers)}).mappings()
    return {row["id"]: read_dossier(row) for row in rows}


LIST_KEY = 2
"""Lists go by the moment of the last change, and by id where that is the same."""


def listed(
    connection: Connection,
    state: DossierState | None,
    area: str | None,
    asked: PageAsked,
    *,
    unchecked: bool = False,
) -> Page[Dossier]:
    """Dossiers in one state, the one that waited longest first; or all, the newest first.

    ``area`` is a unit with all below it; None is everywhere. ``unchecked`` are those that no processor has
    checked as they stand.
    """
    key = (DOSSIERS.c.updated_at, DOSSIERS.c.id)
    question = select(DOSSIERS)
    if area is not None:
        question = question.where(lies_in(DOSSIERS.c.unit, area))
    if state is not None:
        question = question.where(DOSSIERS.c.state == state.value)
    if unchecked:
        question = question.where(DOSSIERS.c.checked_by.is_(None))
    return read_page(connection, question, key, asked, read_dossier, newest_first=state is None)


def oldest(
    connection: Connection, state: DossierState, limit: int, after: tuple[str, str] = ("", "")
) -> list[Dossier]:
    """Dossiers in one state, the one that waited longest first, behind a moment and an id."""
    place = DOSSIERS.c.updated_at, DOSSIERS.c.id
    question = select(DOSSIERS).where(DOSSIERS.c.state == state.value, tuple_(*place) > after)
    question = question.order_by(*place).limit(limit)
    return [read_dossier(row) for row in connection.execute(question).mappings()]


def due_for_enrolment(connection: Connection, after: str, limit: int) -> list[Dossier]:
    """Dossiers whose applicant others are to be compared with and are not yet, behind an id."""
    question = select(DOSSIERS).where(
        text(IS_ENROLMENT_DUE), DOSSIERS.c.id > after, DOSSIERS.c.state.not_in(_FORGOTTEN)
    )
    question = question.order_by(DOSSIERS.c.id).limit(limit)
    return [read_dossier(row) for row in connection.execute(question).mappings()]


def with_needless_member(connection: Connection, limit: int) -> list[Dossier]:
    """Dossiers with which nobody is to be compared any more, and still is."""
    question = select(DOSSIERS).where(text(HAS_MEMBER), DOSSIERS.c.state.in_(_FORGOTTEN)).limit(limit)
    return [read_dossier(row) for row in connection.execute(question).mappings()]


def captured_by(connection: Connection, officer: str, since: str) -> Sequence[str]:
    """The ids of what an officer captured, once or again, and that changed since a moment, in their order."""
    theirs = select(CAPTURES.c.dossier).where(CAPTURES.c.officer == officer)
    question = select(DOSSIERS.c.id).where(DOSSIERS.c.updated_at >= since, DOSSIERS.c.id.in_(theirs))
    return connection.execute(question.order_by(DOSSIERS.c.id)).scalars().all()


def locked(connection: Connection, dossiers: Collection[str]) -> list[Dossier]:
    """These dossiers in the order of their ids; nobody else changes them until the transaction ends."""
    question = select(DOSSIERS).where(DOSSIERS.c.id.in_(dossiers)).order_by(DOSSIERS.c.id).with_for_update()
    return [read_dossier(row) for row in connection.execute(question).mappings()]


def open_dossier(connection: Connection, citizen_number: str) -> str | None:
    """The id of the dossier of this person that is still being worked on."""
    return open_dossiers(connection, [citizen_number]).get(citizen_number)


def open_dossiers(connection: Connection, citizen_numbers: Sequence[str]) -> dict[str, str]:
    """The ids of the dossiers of these persons that are still being worked on, by number."""
    rows = connection.execute(_OPEN, {"numbers": citizen_numbers})
    return {row.citizen_number: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that was accepted, by its id, and the code on the slip that the citizen got for it."""

    capture_id: str
    dossier: str
    content_sha256: str
    officer: str
    receipt_code: str


def add_captures(connection: Connection, captures: Sequence[Capture]) -> None:
    """Remember accepted captures, so that a replay is recognised; raises TransitionRefused if one was."""
    try:
        connection.execute(_ADD_CAPTURE, [asdict(capture) for capture in captures])
    except IntegrityError:
        raise TransitionRefused("this capture was accepted meanwhile") from None


def forget_capture(connection: Connection, capture_id: str) -> None:
    """A capture that gave way stands for no dossier any more."""
    connection.execute(delete(CAPTURES).where(CAPTURES.c.capture_id == capture_id))


def captures(connection: Connection, capture_ids: Sequence[str]) -> dict[str, Capture]:
    """The accepted captures with these ids."""
    rows = connection.execute(_CAPTURES, {"which": capture_ids}).mappings()
    return {row["capture_id"]: Capture(**{**row}) for row in rows}


def dossier_of_receipt(connection: Connection, code: str) -> str | None:
    """The dossier whose citizen holds a slip with this code."""
    return connection.execute(_OF_RECEIPT, {"code": code}).scalar_one_or_none()


def prints(connection: Connection, dossier: str) -> dict[int, str]:
    """The names of a dossier's captured prints by finger."""
    rows = connection.execute(select(DOSSIER_PRINTS).where(DOSSIER_PRINTS.c.dossier == dossier))
    return {row.position: row.picture for row in rows}


def prints_answered_for(connection: Connection, dossier: str) -> frozenset[int]:
    """The fingers of whose prints no better were to be had, as a supervisor answers."""
    asked = select(DOSSIER_PRINTS.c.position).where(
        DOSSIER_PRINTS.c.dossier == dossier, DOSSIER_PRINTS.c.answered_for
    )
    return frozenset(connection.execute(asked).scalars())


def set_prints(
    connection: Connection,
    dossier: str,
    names: Mapping[int, str],
    answered_for: Collection[int] = (),
    instead_of: Collection[int] = ALL_POSITIONS,
) -> None:
    """Write a dossier's captured prints in place of those it had of these fingers."""
    former = DOSSIER_PRINTS.c.position.in_(instead_of)
    connection.execute(delete(DOSSIER_PRINTS).where(DOSSIER_PRINTS.c.dossier == dossier, former))
    add_prints(connection, dossier, names, answered_for)


def add_prints(
    connection: Connection, dossier: str, names: Mapping[int, str], answered_for: Collection[int]
) -> None:
    """Write captured prints of a dossier that has none of these fingers."""
    rows = [
        {"dossier": dossier, "position": each, "picture": name, "answered_for": each in answered_for}
        for each, name in names.items()
    ]
    if rows:
        connection.execute(insert(DOSSIER_PRINTS), rows)


def add_former_pictures(connection: Connection, dossier: str, names: Collection[str]) -> None:
    """Remember pictures in whose place others were captured, until they are erased."""
    if names:
        connection.execute(_ADD_FORMER, [{"dossier": dossier, "picture": name} for name in sorted(names)])


def _values(dossier: Dossier) -> dict[str, object]:
    return {
        "id": dossier.id,
        "citizen_number": dossier.citizen_number,
        "state": dossier.state.value,
        "version": dossier.version,
        "person": _text(dossier.person),
        "portrait": dossier.portrait,
        "portrait_check": _text(dossier.portrait_check),
        "returned": _text(dossier.returned),
        "captured_by": dossier.captured_by,
        "checked_by": dossier.checked_by,
        "approved_by": dossier.approved_by,
        "unit": dossier.unit,
        "packet_sha256": dossier.packet_sha256,
        "kit": dossier.kit,
        "search": dossier.search.value if dossier.search else None,
        "search_task": dossier.search_task,
        "held_in": dossier.held_in.value if dossier.held_in else None,
        "rejection": _text(dossier.rejection),
        "lookup": _text(dossier.lookup),
        "enrolment_due": dossier.enrolment_due,
        "pending_member": dossier.pending_member,
        "created_at": dossier.created_at,
        "updated_at": dossier.updated_at,
    }


def _text(value: msgspec.Struct | None) -> str | None:
    return msgspec.json.encode(value).decode() if value is not None else None


def read_dossier(row: Mapping[Any, Any]) -> Dossier:
    """The dossier that a row of the table is."""
    return Dossier(
        **{
            **row,
            "state": DossierState(row["state"]),
            "person": msgspec.json.decode(row["person"], type=PersonFields),
            "portrait_check": msgspec.json.decode(row["portrait_check"], type=PortraitCheck),
            "returned": _struct(row["returned"], DossierReturn),
            "search": Search(row["search"]) if row["search"] else None,
            "held_in": DossierState(row["held_in"]) if row["held_in"] else None,
            "rejection": _struct(row["rejection"], Rejection),
            "lookup": _struct(row["lookup"], ArchiveLookup),
        }
    )


def _struct(text: str | None, kind: type[_Struct]) -> _Struct | None:
    return msgspec.json.decode(text, type=kind) if text else None
