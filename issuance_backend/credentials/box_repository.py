"""The SQL of boxes of cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from issuance_backend.credentials.boxes import BoxState
from issuance_backend.credentials.tables import CARD_BOXES
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from verification.errors import TransitionRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One box; ``digest`` is its seal, ``missing`` how many cards did not arrive."""

    id: str
    unit: str
    state: BoxState
    version: int
    amount: int
    digest: str
    packed_by: str
    courier: str | None
    received_by: str | None
    missing: int
    packed_at: str
    updated_at: str


def add(connection: Connection, box: Box) -> None:
    """Write a new box."""
    connection.execute(insert(CARD_BOXES).values(**_values(box)))


def save(connection: Connection, box: Box) -> None:
    """Write a box's changes; raises TransitionRefused when somebody else was quicker."""
    changed = connection.execute(
        update(CARD_BOXES)
        .where(CARD_BOXES.c.id == box.id, CARD_BOXES.c.version == box.version)
        .values(**_values(box) | {"version": box.version + 1})
    )
    if changed.rowcount != 1:
        raise TransitionRefused("the box changed meanwhile")


def find(connection: Connection, box: str) -> Box | None:
    """The box with this id."""
    row = connection.execute(select(CARD_BOXES).where(CARD_BOXES.c.id == box)).mappings().one_or_none()
    return _box(row) if row else None


def listed(connection: Connection, state: BoxState, area: str | None, asked: PageAsked) -> Page[Box]:
    """Some of the boxes in a state for the offices of an area, the newest first."""
    question = select(CARD_BOXES).where(CARD_BOXES.c.state == state.value)
    if area is not None:
        question = question.where(lies_in(CARD_BOXES.c.unit, area))
    key = (CARD_BOXES.c.updated_at, CARD_BOXES.c.id)
    return read_page(connection, question, key, asked, _box, newest_first=True)


def _values(box: Box) -> dict[str, Any]:
    return {name: getattr(box, name) for name in Box.__dataclass_fields__}


def _box(row: Mapping[Any, Any]) -> Box:
    return Box(**{**row, "state": BoxState(row["state"])})
