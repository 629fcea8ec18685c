"""The SQL of captures at counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.dossiers.counter.domain import OPEN, CounterItem, CounterRow, CounterState
from issuance_backend.dossiers.tables import COUNTER_CAPTURES, COUNTER_ITEMS
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from verification.errors import TransitionRefused
from verification.fingerprint.printed_form import FormJudgement
from verification.messages.enrollment import DossierCapture
from verification.messages.enrollment_packet import CaptureException, PrintedFormMark

_COLUMNS = COUNTER_CAPTURES.c
_FIND = select(COUNTER_CAPTURES).where(_COLUMNS.id == bindparam("which"))
_OF_CAPTURE = select(COUNTER_CAPTURES).where(_COLUMNS.capture_id == bindparam("which"))
_SAVE = update(COUNTER_CAPTURES).where(
    _COLUMNS.id == bindparam("which"), _COLUMNS.version == bindparam("former")
)
_OPEN = tuple(sorted(state.value for state in OPEN))

_Reasons = tuple[CaptureException, ...]

LIST_KEY = 2
"""Lists go by the moment of the last change, and by id where that is the same."""


def add(connection: Connection, row: CounterRow) -> None:
    """Write a new capture; raises TransitionRefused where the same one was written meanwhile."""
    try:
        connection.execute(insert(COUNTER_CAPTURES), _values(row))
    except IntegrityError:
        raise TransitionRefused("this capture was begun meanwhile") from None


def save(connection: Connection, row: CounterRow) -> None:
    """Write a capture's changes; raises TransitionRefused when somebody else was quicker."""
    values = _values(row)
    key = {"which": values.pop("id"), "former": row.version}
    changed = connection.execute(_SAVE, {**values, "version": row.version + 1, **key})
    if changed.rowcount != 1:
        raise TransitionRefused("the capture changed meanwhile")
    connection.execute(delete(COUNTER_ITEMS).where(COUNTER_ITEMS.c.capture == row.id))
    items = [{"capture": row.id, "item": item, **asdict(each)} for item, each in row.items.items()]
    if items:
        connection.execute(insert(COUNTER_ITEMS), items)


def find(connection: Connection, which: str) -> CounterRow | None:
    """The capture with this id."""
    row = connection.execute(_FIND, {"which": which}).mappings().one_or_none()
    return _with_items(connection, [_read(row)])[0] if row else None


def of_capture(connection: Connection, capture_id: str) -> CounterRow | None:
    """What was begun under an id that a counter drew."""
    row = connection.execute(_OF_CAPTURE, {"which": capture_id}).mappings().one_or_none()
    return _with_items(connection, [_read(row)])[0] if row else None


def scanner_told(connection: Connection, officer: str) -> bool | None:
    """What an officer said last of the scanner at their counter."""
    newest = _COLUMNS.opened_at.desc(), _COLUMNS.id
    told = select(_COLUMNS.slap_scanner).where(
        _COLUMNS.officer == officer, _COLUMNS.slap_scanner.is_not(None)
    )
    return connection.execute(told.order_by(*newest).limit(1)).scalar_one_or_none()


def listed(
    connection: Connection, captor: str | None, area: str | None, is_overseen: bool, asked: PageAsked
) -> Page[CounterRow]:
    """Open captures, the one that waited longest first: those of an officer, and those in an area.

    ``is_overseen`` says whether the area's are asked for; no area is the whole nation then.
    """
    whose = [_COLUMNS.officer == captor] if captor is not None else []
    if is_overseen:
        everywhere = _COLUMNS.id.is_not(None)
        whose.append(lies_in(_COLUMNS.unit, area) if area is not None else everywhere)
    question = select(COUNTER_CAPTURES).where(_COLUMNS.state.in_(_OPEN), or_(*whose))
    found = read_page(connection, question, (_COLUMNS.updated_at, _COLUMNS.id), asked, _read)
    return Page(tuple(_with_items(connection, found.entries)), found.cursor)


def left_since(connection: Connection, before: str, limit: int) -> list[CounterRow]:
    """Open captures of which nothing was heard since a moment."""
    question = select(COUNTER_CAPTURES).where(_COLUMNS.state.in_(_OPEN), _COLUMNS.updated_at < before)
    rows = connection.execute(question.order_by(_COLUMNS.updated_at).limit(limit)).mappings()
    return _with_items(connection, [_read(row) for row in rows])


def _with_items(connection: Connection, rows: Sequence[CounterRow]) -> list[CounterRow]:
    kept: dict[str, dict[str, CounterItem]] = {row.id: {} for row in rows}
    question = select(COUNTER_ITEMS).where(COUNTER_ITEMS.c.capture.in_(kept))
    for each in connection.execute(question):
        kept[each.capture][each.item] = CounterItem(each.picture, each.media_type, each.is_again)
    return [replace(row, items=kept[row.id]) for row in rows]


def _values(row: CounterRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "capture_id": row.capture_id,
        "officer": row.officer,
        "unit": row.unit,
        "dossier": row.dossier,
        "state": row.state.value,
        "version": row.version,
        "content_sha256": row.content_sha256,
        "content": _text(row.capture),
        "exceptions": " ".join(row.exceptions),
        "fingers": " ".join(row.fingers),
        "print_reasons": _text(row.print_reasons) if row.print_reasons else None,
        "sent_back": None if row.sent_back is None else " ".join(row.sent_back),
        "slap_scanner": row.slap_scanner,
        "portrait": row.portrait,
        "form": _text(row.form),
        "paper": _text(row.paper),
        "language": row.language,
        "signature": row.signature,
        "unsigned": row.unsigned,
        "answered_by": row.answered_by,
        "opened_at": row.opened_at,
        "updated_at": row.updated_at,
    }


def _read(row: Mapping[Any, Any]) -> CounterRow:
    values = {**row}
    content, form, paper = values.pop("content"), values["form"], values["paper"]
    reasons, sent_back = values["print_reasons"], values["sent_back"]
    return CounterRow(
        **{
            **values,
            "state": CounterState(row["state"]),
            "capture": msgspec.json.decode(content, type=DossierCapture) if content else None,
            "exceptions": tuple(row["exceptions"].split()),
            "fingers": tuple(row["fingers"].split()),
            "sent_back": None if sent_back is None else tuple(sent_back.split()),
            "print_reasons": msgspec.json.decode(reasons, type=_Reasons) if reasons else (),
            "form": msgspec.json.decode(form, type=PrintedFormMark) if form else None,
            "paper": msgspec.json.decode(paper, type=FormJudgement) if paper else None,
        }
    )


def _text(value: msgspec.Struct | Sequence[msgspec.Struct] | None) -> str | None:
    return msgspec.json.encode(value).decode() if value is not None else None
