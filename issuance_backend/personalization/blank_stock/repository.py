"""The SQL of blanks. Every movement first takes the accounts: nobody sees one leg without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.listing import read_page
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.personalization.blank_stock.domain import (
    LEGS,
    Account,
    DestructionState,
    Movement,
    SerialRange,
    serial_number,
)
from issuance_backend.personalization.tables import (
    BLANK_ACCOUNTS,
    BLANK_COUNTS,
    BLANK_DESTRUCTIONS,
    BLANK_MOVEMENTS,
    BLANK_POSTINGS,
    BLANK_RANGES,
    BLANKS,
    PRODUCTION_BATCHES,
    PRODUCTION_TASKS,
)
from issuance_backend.schema import CREDENTIALS
from verification.errors import TransitionRefused

LIST_KEY = 1
"""Lists of blanks go by serial, those of ranges by id."""

_HELD_ACCOUNTS = select(BLANK_ACCOUNTS).order_by(BLANK_ACCOUNTS.c.account).with_for_update()
_MOVE_BALANCE = (
    update(BLANK_ACCOUNTS)
    .where(BLANK_ACCOUNTS.c.account == bindparam("which"))
    .values(balance=BLANK_ACCOUNTS.c.balance + bindparam("change"))
)
_ADD_MOVEMENT, _ADD_POSTING, _ADD_BLANK = insert(BLANK_MOVEMENTS), insert(BLANK_POSTINGS), insert(BLANKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One movement of the books: how many, by whom, when, and for what."""

    kind: Movement
    count: int
    actor: str
    at: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A delivery of blanks; ``next`` is the number that is taken next."""

    id: str
    serials: SerialRange
    next: int
    received_by: str
    received_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """A blank that left the stock, and who must not decide about it."""

    serial: str
    card: str | None
    account: Account
    destruction: str | None
    keeper: str
    operator: str | None
    dossier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """Two officers and what they destroy."""

    id: str
    state: DestructionState
    proposed_by: str
    proposed_at: str
    confirmed_by: str | None = None
    confirmed_at: str | None = None


def hold_books(connection: Connection) -> dict[Account, int]:
    """The balances, which nobody else moves until the transaction ends."""
    return {Account(row.account): row.balance for row in connection.execute(_HELD_ACCOUNTS)}


def balances(connection: Connection) -> dict[Account, int]:
    """The balances of this moment."""
    rows = connection.execute(select(BLANK_ACCOUNTS))
    return {Account(row.account): row.balance for row in rows}


def post(connection: Connection, posted: Posted) -> None:
    """Write both legs of a movement; raises TransitionRefused when an account holds fewer."""
    source, target = LEGS[posted.kind]
    held = hold_books(connection)
    if source is not Account.SUPPLIER and held[source] < posted.count:
        raise TransitionRefused(f"{source} holds fewer blanks")
    values = {"kind": posted.kind.value, "actor": posted.actor, "at": posted.at}
    made = connection.execute(_ADD_MOVEMENT, {**values, "reference": posted.reference})
    (number,) = made.inserted_primary_key or (None,)
    for account, amount in ((source, -posted.count), (target, posted.count)):
        leg = {"movement": number, "account": account.value, "amount": amount}
        connection.execute(_ADD_POSTING, leg)
        connection.execute(_MOVE_BALANCE, {"which": account.value, "change": amount})


def add_range(connection: Connection, delivered: Range) -> None:
    """Write a delivery; raises TransitionRefused when one of its blanks was delivered before."""
    hold_books(connection)
    serials, columns = delivered.serials, BLANK_RANGES.c
    overlapping = select(columns.id).where(
        columns.series == serials.series, columns.first <= serials.last, columns.last >= serials.first
    )
    if connection.execute(overlapping.limit(1)).one_or_none():
        raise TransitionRefused("some of these blanks were received before")
    connection.execute(
        insert(BLANK_RANGES).values(
            id=delivered.id,
            series=serials.series,
            first=serials.first,
            last=serials.last,
            next=delivered.next,
            received_by=delivered.received_by,
            received_at=delivered.received_at,
        )
    )


def ranges(connection: Connection, asked: PageAsked) -> Page[Range]:
    """Deliveries, by id."""
    return read_page(connection, select(BLANK_RANGES), (BLANK_RANGES.c.id,), asked, _range)


def in_stock(connection: Connection, series: str, number: int) -> str | None:
    """The range in which this blank still lies in the stock."""
    columns = BLANK_RANGES.c
    question = select(columns.id).where(
        columns.series == series, columns.next <= number, columns.last >= number
    )
    found = connection.execute(question).scalar_one_or_none()
    return None if found is None or _left(connection, serial_number(series, number)) else str(found)


def take(connection: Connection, keeper_other_than: str) -> tuple[str, str] | None:
    """The next blank and its range, now out of the stock; none from what this officer received."""
    hold_books(connection)
    columns = BLANK_RANGES.c
    free = select(BLANK_RANGES).where(columns.next <= columns.last, columns.received_by != keeper_other_than)
    for row in connection.execute(free.order_by(columns.received_at, columns.id)):
        for number in range(row.next, row.last + 1):
            serial = serial_number(row.series, number)
            if not _left(connection, serial):
                connection.execute(update(BLANK_RANGES).where(columns.id == row.id).values(next=number + 1))
                return serial, str(row.id)
    return None


def has_blank_for(connection: Connection, operator: str) -> bool:
    """Whether some blank may be left that another than this officer received."""
    columns = BLANK_RANGES.c
    free = select(columns.id).where(columns.next <= columns.last, columns.received_by != operator)
    return connection.execute(free.limit(1)).one_or_none() is not None


def add_blank(
    connection: Connection, serial: str, delivery: str, account: Account, card: str | None = None
) -> None:
    """Write a blank that left the stock; raises TransitionRefused when it, or its card, has one already."""
    values = {"serial": serial, "range": delivery, "card": card, "account": account.value}
    try:
        connection.execute(_ADD_BLANK, values)
    except IntegrityError:
        raise TransitionRefused("this blank or this card was quicker") from None


def blank_of_card(connection: Connection, card: str) -> str | None:
    """The serial of the blank that a card was written on."""
    return connection.execute(select(BLANKS.c.serial).where(BLANKS.c.card == card)).scalar_one_or_none()


def blanks(connection: Connection, serials: Sequence[str]) -> list[Blank]:
    """Blanks that left the stock, locked until the transaction ends; in the order of their serials."""
    held = select(BLANKS.c.serial).where(BLANKS.c.serial.in_(serials)).order_by(BLANKS.c.serial)
    connection.execute(held.with_for_update()).all()
    return _described(connection, BLANKS.c.serial.in_(serials))


def of_destruction(connection: Connection, destruction: str) -> list[Blank]:
    """The blanks of a destruction."""
    return _described(connection, BLANKS.c.destruction == destruction)


def spoiled(connection: Connection, asked: PageAsked) -> Page[Blank]:
    """Blanks that wait for their destruction."""
    condition = (BLANKS.c.account == Account.SPOILED.value) & BLANKS.c.destruction.is_(None)
    if asked.after:
        condition &= BLANKS.c.serial > asked.after[0]
    found = _described(connection, condition, asked.limit + 1)
    return page_of(found, asked, lambda each: (each.serial,))


def put(connection: Connection, serials: Sequence[str], account: Account) -> None:
    """Write in which account blanks are."""
    connection.execute(update(BLANKS).where(BLANKS.c.serial.in_(serials)).values(account=account.value))


def name_destruction(connection: Connection, serials: Sequence[str], destruction: str | None) -> None:
    """Write by which destruction blanks go; None frees them."""
    connection.execute(update(BLANKS).where(BLANKS.c.serial.in_(serials)).values(destruction=destruction))


def add_destruction(connection: Connection, destruction: Destruction) -> None:
    """Write a new destruction."""
    connection.execute(
        insert(BLANK_DESTRUCTIONS).values(
            id=destruction.id,
            state=destruction.state.value,
            proposed_by=destruction.proposed_by,
            proposed_at=destruction.proposed_at,
        )
    )


def destruction(connection: Connection, which: str) -> Destruction | None:
    """A destruction, which nobody else changes until the transaction ends."""
    question = select(BLANK_DESTRUCTIONS).where(BLANK_DESTRUCTIONS.c.id == which)
    row = connection.execute(question.with_for_update()).mappings().one_or_none()
    return Destruction(**{**row, "state": DestructionState(row["state"])}) if row else None


def open_destructions(connection: Connection) -> list[Destruction]:
    """What waits for its second officer, the oldest first."""
    columns = BLANK_DESTRUCTIONS.c
    question = select(BLANK_DESTRUCTIONS).where(columns.state == DestructionState.PROPOSED.value)
    rows = connection.execute(question.order_by(columns.proposed_at, columns.id)).mappings()
    return [Destruction(**{**row, "state": DestructionState(row["state"])}) for row in rows]


def save_destruction(connection: Connection, changed: Destruction) -> None:
    """Write how a destruction ended."""
    connection.execute(
        update(BLANK_DESTRUCTIONS)
        .where(BLANK_DESTRUCTIONS.c.id == changed.id)
        .values(
            state=changed.state.value, confirmed_by=changed.confirmed_by, confirmed_at=changed.confirmed_at
        )
    )


def add_count(connection: Connection, **values: object) -> None:
    """Write what an officer counted in the safe."""
    connection.execute(insert(BLANK_COUNTS).values(**values))


def _left(connection: Connection, serial: str) -> bool:
    return connection.execute(select(BLANKS.c.serial).where(BLANKS.c.serial == serial)).first() is not None


def _range(row: RowMapping) -> Range:
    return Range(
        id=row["id"],
        serials=SerialRange(row["series"], row["first"], row["last"]),
        next=row["next"],
        received_by=row["received_by"],
        received_at=row["received_at"],
    )


def _described(
    connection: Connection, condition: ColumnElement[bool], limit: int | None = None
) -> list[Blank]:
    question = (
        select(
            BLANKS.c.serial,
            BLANKS.c.card,
            BLANKS.c.account,
            BLANKS.c.destruction,
            BLANK_RANGES.c.received_by.label("keeper"),
            PRODUCTION_BATCHES.c.operator,
            CREDENTIALS.c.dossier,
        )
        .join(BLANK_RANGES, BLANK_RANGES.c.id == BLANKS.c.range)
        .outerjoin(CREDENTIALS, CREDENTIALS.c.id == BLANKS.c.card)
        .outerjoin(PRODUCTION_TASKS, PRODUCTION_TASKS.c.dossier == CREDENTIALS.c.dossier)
        .outerjoin(PRODUCTION_BATCHES, PRODUCTION_BATCHES.c.id == PRODUCTION_TASKS.c.batch)
        .where(condition)
        .order_by(BLANKS.c.serial)
        .limit(limit)
    )
    rows = connection.execute(question).mappings()
    return [Blank(**{**row, "account": Account(row["account"])}) for row in rows]
