"""The SQL of cards."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.domain import CardState, Reason, withdrawn_at
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from issuance_backend.schema import CREDENTIALS, DOSSIERS, WITHDRAWN_CARD
from verification.errors import TransitionRefused
from verification.messages.enrollment import PersonFields, QualityFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card: an attempt at a dossier's order. ``chip_id`` is field 16 of DG13.

    ``reason`` says why it is suspended or revoked, ``place`` where it is: it is nowhere else.
    """

    id: str
    dossier: str
    citizen_number: str
    attempt: int
    state: CardState
    version: int
    chip_id: str
    issued_on: date
    expires_on: date | None
    status_key: str | None
    findings: tuple[QualityFinding, ...]
    since: str
    unit: str | None = None
    """The unit that hands it over."""
    reason: Reason | None = None
    place: str | None = None
    box: str | None = None


# Built once: building a statement costs more than executing it.
_ADD = insert(CREDENTIALS)
_SAVE = update(CREDENTIALS).where(
    CREDENTIALS.c.id == bindparam("which"), CREDENTIALS.c.version == bindparam("former")
)
_OF_DOSSIER = (
    select(CREDENTIALS)
    .where(CREDENTIALS.c.dossier == bindparam("of"))
    .order_by(CREDENTIALS.c.attempt.desc())
    .limit(1)
)


def add(connection: Connection, card: Card) -> None:
    """Write a new card; raises TransitionRefused for a second open order of the same number."""
    with _one_at_a_time():
        connection.execute(_ADD, _values(card))


def save(connection: Connection, card: Card) -> None:
    """Write a card's changes; raises TransitionRefused when somebody else was quicker."""
    with _one_at_a_time():
        values = _values(card)
        # Not the key: for one that is written SQLite looks into every table that refers to it.
        key = {"which": values.pop("id"), "former": card.version}
        changed = connection.execute(_SAVE, {**values, "version": card.version + 1, **key})
    if changed.rowcount != 1:
        raise TransitionRefused("the card changed meanwhile")


def find(connection: Connection, card: str) -> Card | None:
    """The card with this id."""
    return _one(connection, CREDENTIALS.c.id == card)


def by_status_key(connection: Connection, status_key: str) -> Card | None:
    """The card whose EF.SOD signature gives this key."""
    return _one(connection, CREDENTIALS.c.status_key == status_key)


def of_dossier(connection: Connection, dossier: str) -> Card | None:
    """The newest card of a dossier's order."""
    row = connection.execute(_OF_DOSSIER, {"of": dossier}).mappings().one_or_none()
    return _card(row) if row else None


_IS_TO_PACK = CREDENTIALS.c.state == CardState.QA_PASSED.value
LIST_KEY = 2
_KEY = (CREDENTIALS.c.since, CREDENTIALS.c.id)
"""Lists go by the moment of the last change, and by id where that is the same."""


def of_number(connection: Connection, citizen_number: str) -> list[Card]:
    """Every card ever made for a number, newest first."""
    question = _cards_of(citizen_number).order_by(CREDENTIALS.c.since.desc(), CREDENTIALS.c.id.desc())
    return [_card(row) for row in connection.execute(question).mappings()]


def page_of_number(connection: Connection, citizen_number: str, asked: PageAsked) -> Page[Card]:
    """Some of the cards ever made for a number, newest first."""
    return read_page(connection, _cards_of(citizen_number), _KEY, asked, _card, newest_first=True)


def page_of_state(connection: Connection, state: CardState, area: str | None, asked: PageAsked) -> Page[Card]:
    """Some of the cards in a state that belong to a unit or those below it, the newest first."""
    question = select(CREDENTIALS).where(CREDENTIALS.c.state == state.value)
    if area is not None:
        question = question.where(lies_in(CREDENTIALS.c.unit, area))
    return read_page(connection, question, _KEY, asked, _card, newest_first=True)


def page_of_withdrawn(connection: Connection, area: str | None, asked: PageAsked) -> Page[Card]:
    """Some of the cards that were given back at a unit or those below it, the newest first."""
    question = select(CREDENTIALS).where(text(WITHDRAWN_CARD))
    if area is not None:
        question = question.where(lies_in(CREDENTIALS.c.place, withdrawn_at(area)))
    return read_page(connection, question, _KEY, asked, _card, newest_first=True)


def to_pack(connection: Connection, unit: str, asked: PageAsked) -> Page[Card]:
    """Some of the cards that wait for a box to this unit, or that any unit may get, the oldest first."""
    its_own = or_(CREDENTIALS.c.unit == unit, CREDENTIALS.c.unit.is_(None))
    question = select(CREDENTIALS).where(_IS_TO_PACK, its_own)
    return read_page(connection, question, _KEY, asked, _card)


def counts_to_pack(connection: Connection, area: str | None) -> dict[str | None, int]:
    """How many cards wait for a box, by their unit; None for those that any unit may get."""
    unit = CREDENTIALS.c.unit
    question = select(unit, func.count()).where(_IS_TO_PACK).group_by(unit)
    if area is not None:
        question = question.where(or_(lies_in(unit, area), unit.is_(None)))
    return {row[0]: row[1] for row in connection.execute(question)}


def locked(connection: Connection, cards: Collection[str]) -> dict[str, Card]:
    """Those of these cards that there are, kept from everybody else until the transaction ends."""
    question = select(CREDENTIALS).where(CREDENTIALS.c.id.in_(cards))
    question = question.order_by(CREDENTIALS.c.id).with_for_update()
    found = [_card(row) for row in connection.execute(question).mappings()]
    return {card.id: card for card in found}


def of_box(connection: Connection, box: str) -> list[Card]:
    """The cards that were packed into a box, kept from everybody else until the transaction ends."""
    question = select(CREDENTIALS).where(CREDENTIALS.c.box == box).order_by(CREDENTIALS.c.id)
    return [_card(row) for row in connection.execute(question.with_for_update()).mappings()]


def ids_of_box(connection: Connection, box: str) -> list[str]:
    """The ids of the cards that were packed into a box."""
    question = select(CREDENTIALS.c.id).where(CREDENTIALS.c.box == box).order_by(CREDENTIALS.c.id)
    return list(connection.execute(question).scalars())


def waiting_since(connection: Connection, before: str, limit: int) -> list[Card]:
    """Cards that lie at an office since before a moment, the oldest first."""
    question = (
        select(CREDENTIALS)
        .where(CREDENTIALS.c.state == CardState.AT_OFFICE.value, CREDENTIALS.c.since < before)
        .order_by(CREDENTIALS.c.since, CREDENTIALS.c.id)
        .limit(limit)
        .with_for_update()
    )
    return [_card(row) for row in connection.execute(question).mappings()]


def hold_cards(connection: Connection, citizen_number: str) -> list[Card]:
    """Every card of a number, kept from everybody else until the transaction ends."""
    question = _cards_of(citizen_number).order_by(CREDENTIALS.c.id).with_for_update()
    return [_card(row) for row in connection.execute(question).mappings()]


def hold_number(connection: Connection, card: str) -> None:
    """Keep everybody else from changing the cards of this card's number until the transaction ends.

    Taken before the cards are read: whoever waited here sees what the other one did.
    """
    number = select(CREDENTIALS.c.citizen_number).where(CREDENTIALS.c.id == card).scalar_subquery()
    cards = select(CREDENTIALS.c.id).where(CREDENTIALS.c.citizen_number == number)
    # SQLite leaves FOR UPDATE out: there a writing transaction holds everything from its beginning.
    connection.execute(cards.order_by(CREDENTIALS.c.id).with_for_update()).all()


def holders_among(connection: Connection, citizen_numbers: Collection[str]) -> set[str]:
    """Of these numbers those whose holder has a card of this office, or has lost one."""
    states = [CardState.ACTIVE.value, CardState.SUSPENDED.value]
    question = select(CREDENTIALS.c.citizen_number).where(
        CREDENTIALS.c.citizen_number.in_(citizen_numbers), CREDENTIALS.c.state.in_(states)
    )
    return set(connection.execute(question).scalars())


def hold_dossier(connection: Connection, card: str) -> None:
    """Keep everybody else from changing this card's dossier until the transaction ends.

    Taken before cards and before anything is recorded, as by whoever works with the dossier.
    """
    dossier = select(CREDENTIALS.c.dossier).where(CREDENTIALS.c.id == card).scalar_subquery()
    connection.execute(select(DOSSIERS.c.id).where(DOSSIERS.c.id == dossier).with_for_update()).all()


def _cards_of(citizen_number: str) -> Select[Any]:
    return select(CREDENTIALS).where(CREDENTIALS.c.citizen_number == citizen_number)


def dossier_number(connection: Connection, dossier: str) -> str | None:
    """Whose dossier this is; ``None`` where there is none."""
    question = select(DOSSIERS.c.citizen_number).where(DOSSIERS.c.id == dossier)
    return connection.execute(question).scalar_one_or_none()


def holder_name(connection: Connection, card: Card) -> str:
    """The name on a card, out of the dossier that ordered it."""
    person = connection.execute(select(DOSSIERS.c.person).where(DOSSIERS.c.id == card.dossier)).scalar_one()
    return msgspec.json.decode(person, type=PersonFields).full_name


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One number has one open order and one active card: the indexes decide between two officers at once."""
    try:
        yield
    except IntegrityError:
        raise TransitionRefused("another card of this number was quicker") from None


def _one(connection: Connection, condition: ColumnElement[bool]) -> Card | None:
    row = connection.execute(select(CREDENTIALS).where(condition)).mappings().one_or_none()
    return _card(row) if row else None


def _values(card: Card) -> dict[str, object]:
    return {
        "id": card.id,
        "dossier": card.dossier,
        "citizen_number": card.citizen_number,
        "attempt": card.attempt,
        "state": card.state.value,
        "version": card.version,
        "chip_id": card.chip_id,
        "issued_on": card.issued_on,
        "expires_on": card.expires_on,
        "status_key": card.status_key,
        "findings": msgspec.json.encode(card.findings).decode(),
        "since": card.since,
        "unit": card.unit,
        "reason": card.reason,
        "place": card.place,
        "box": card.box,
    }


def _card(row: Mapping[Any, Any]) -> Card:
    findings = msgspec.json.decode(row["findings"], type=tuple[QualityFinding, ...])
    reason = Reason(row["reason"]) if row["reason"] else None
    return Card(**{**row, "state": CardState(row["state"]), "findings": findings, "reason": reason})
