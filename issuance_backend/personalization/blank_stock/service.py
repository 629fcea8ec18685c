"""The safe of blank cards: deliveries, counts, and destruction by two officers.

Nobody is two of operator, quality officer and stock keeper of one card, and whoever destroys a card
took no part in its dossier (invariant I4).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import orders
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.dossiers import acts
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.personalization.blank_stock import repository
from issuance_backend.personalization.blank_stock.domain import (
    DESTRUCTIONS,
    Account,
    DestructionEvent,
    Movement,
    read_serial,
    serial_number,
    serial_range,
)
from issuance_backend.personalization.blank_stock.repository import Blank, Destruction, Posted, Range
from issuance_backend.refusals import BlankDestructionUnknown, BlankStockEmpty, BlankUnknown, SameOfficer
from issuance_backend.steps import SYSTEM, Step
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.production import (
    BlankDelivery,
    BlankDestruction,
    BlankRange,
    BlankSerials,
    BlankStock,
    SpoiledBlank,
    StockCount,
    StockCounted,
)

MAX_DESTROYED = 500
"""Blanks of one destruction."""

MAX_COUNTED = 100_000_000
"""More blanks than that are in no safe."""

_READERS = (Role.STOCK_KEEPER, Role.QUALITY, Role.PRODUCTION, Role.AUDITOR)


class StockOffice:
    """What officers do with blanks; ``shred`` makes the card on one unusable."""

    def __init__(self, database: Database, clock: Clock, shred: Callable[[str], None]) -> None:
        self._database = database
        self._clock = clock
        self._shred = shred

    def receive(self, officer: Officer, delivery: BlankDelivery) -> BlankRange:
        """Take a delivery into the books; raises FieldsRefused, and TransitionRefused for known serials."""
        officer.require(Role.STOCK_KEEPER)
        serials, moment = serial_range(delivery.first, delivery.last), rfc3339(self._clock())
        delivered = Range(
            id=secrets.token_hex(8),
            serials=serials,
            next=serials.first,
            received_by=officer.id,
            received_at=moment,
        )
        detail = {"first": delivery.first, "last": delivery.last, "count": str(serials.count)}
        with self._database.writing() as connection:
            repository.add_range(connection, delivered)
            _post(connection, Movement.RECEIVE, serials.count, (officer.id, moment), delivered.id)
            recorded_events.append(
                connection, _step(f"blanks/{delivered.id}", "receive", "received", officer, moment, detail)
            )
        return _range(delivered)

    def ranges(self, officer: Officer, asked: PageAsked) -> Page[BlankRange]:
        """Every delivery."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            found = repository.ranges(connection, asked)
        return Page(tuple(_range(each) for each in found.entries), found.cursor)

    def books(self, officer: Officer) -> BlankStock:
        """The balances of this moment (invariant I8: received = issued + spoiled + destroyed + stock)."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            held = repository.balances(connection)
        return BlankStock(
            received=-held[Account.SUPPLIER],
            stock=held[Account.STOCK],
            issued=held[Account.ISSUED],
            spoiled=held[Account.SPOILED],
            destroyed=held[Account.DESTROYED],
        )

    def count(self, officer: Officer, counted: StockCount) -> StockCounted:
        """Put what lies in the safe beside the books; a difference is recorded and corrects nothing."""
        officer.require(Role.STOCK_KEEPER)
        if not 0 <= counted.counted <= MAX_COUNTED:
            raise FieldsRefused({"counted": "FIELD_CHARACTERS"})
        name, moment = secrets.token_hex(8), rfc3339(self._clock())
        with self._database.writing() as connection:
            booked = repository.hold_books(connection)[Account.STOCK]
            repository.add_count(
                connection, id=name, counted=counted.counted, booked=booked, officer=officer.id, at=moment
            )
            difference = counted.counted - booked
            detail = {"counted": str(counted.counted), "difference": str(difference)}
            recorded_events.append(
                connection, _step(f"blank-count/{name}", "count", "counted", officer, moment, detail)
            )
        return StockCounted(id=name, counted=counted.counted, booked=booked, difference=difference)

    def write_off(self, officer: Officer, named: BlankSerials) -> BlankStock:
        """Take damaged blanks out of the stock; they wait to be destroyed. Raises BlankUnknown."""
        officer.require(Role.STOCK_KEEPER)
        moment = rfc3339(self._clock())
        with self._database.writing() as connection:
            repository.hold_books(connection)
            for serial in _serials(named):
                _write_off(connection, serial, officer, moment)
        return self.books(officer)

    def spoiled(self, officer: Officer, asked: PageAsked) -> Page[SpoiledBlank]:
        """Blanks that wait for their destruction."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            found = repository.spoiled(connection, asked)
        return Page(tuple(SpoiledBlank(serial=b.serial, card=b.card) for b in found.entries), found.cursor)

    def propose_destruction(self, officer: Officer, named: BlankSerials) -> BlankDestruction:
        """First of two: name spoiled blanks to destroy; raises BlankUnknown, SameOfficer."""
        officer.require(Role.QUALITY)
        serials, moment = _serials(named), rfc3339(self._clock())
        made = Destruction(
            id=secrets.token_hex(8),
            state=DESTRUCTIONS.advance(None, DestructionEvent.PROPOSE),
            proposed_by=officer.id,
            proposed_at=moment,
        )
        with self._database.writing() as connection:
            found = repository.blanks(connection, serials)
            free = [each for each in found if each.account is Account.SPOILED and each.destruction is None]
            if len(free) != len(serials):
                raise BlankUnknown("not every one of these waits to be destroyed")
            require_uninvolved(connection, officer, found)
            if any(each.keeper == officer.id for each in found):
                raise SameOfficer("whoever keeps a blank does not judge it")
            repository.add_destruction(connection, made)
            repository.name_destruction(connection, serials, made.id)
            _record(connection, made, DestructionEvent.PROPOSE, officer, moment)
            return _destruction(connection, made)

    def confirm_destruction(self, officer: Officer, which: str) -> BlankDestruction:
        """Second of two: the blanks are destroyed, and the cards on them; raises SameOfficer."""
        officer.require(Role.STOCK_KEEPER)
        moment = self._clock()
        with self._database.writing() as connection:
            # The books come first in every transaction: nobody waits for somebody who waits for him.
            repository.hold_books(connection)
            former = _known(connection, which)
            done = replace(
                former,
                state=DESTRUCTIONS.advance(former.state, DestructionEvent.CONFIRM),
                confirmed_by=officer.id,
                confirmed_at=rfc3339(moment),
            )
            found = repository.of_destruction(connection, which)
            if officer.id == former.proposed_by:
                raise SameOfficer("the second officer is another one")
            require_uninvolved(connection, officer, found)
            _post(connection, Movement.DESTROY, len(found), (officer.id, rfc3339(moment)), which)
            repository.put(connection, [each.serial for each in found], Account.DESTROYED)
            cards_on_them = [each.card for each in found if each.card]
            for card in cards_on_them:
                _destroy_card(connection, card, done, moment)
            repository.save_destruction(connection, done)
            _record(connection, done, DestructionEvent.CONFIRM, officer, rfc3339(moment))
            # Last, and before the commit: what is recorded as destroyed lies nowhere.
            for card in cards_on_them:
                self._shred(card)
            return _destruction(connection, done)

    def cancel_destruction(self, officer: Officer, which: str) -> BlankDestruction:
        """Free the blanks of a destruction that was not carried out."""
        officer.require(Role.STOCK_KEEPER, Role.QUALITY)
        moment = rfc3339(self._clock())
        with self._database.writing() as connection:
            former = _known(connection, which)
            state = DESTRUCTIONS.advance(former.state, DestructionEvent.CANCEL)
            ended = replace(former, state=state)
            told = _destruction(connection, ended)
            repository.name_destruction(connection, told.serials, None)
            repository.save_destruction(connection, ended)
            _record(connection, ended, DestructionEvent.CANCEL, officer, moment)
            return told

    def open_destructions(self, officer: Officer) -> list[BlankDestruction]:
        """What waits for its second officer."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            found = repository.open_destructions(connection)
            return [_destruction(connection, each) for each in found]


def issue(connection: Connection, card: str, operator: str, moment: datetime) -> str:
    """Take a blank for a card in the caller's transaction and return its serial; raises BlankStockEmpty.

    Never one that the operator of the batch received into the stock.
    """
    taken = repository.take(connection, operator)
    if taken is None:
        raise BlankStockEmpty("no blank for this operator")
    serial, delivery = taken
    repository.add_blank(connection, serial, delivery, Account.ISSUED, card)
    _post(connection, Movement.ISSUE, 1, (SYSTEM, rfc3339(moment)), card)
    return serial


def spoil(connection: Connection, card: str, actor: str, moment: datetime) -> None:
    """Write the blank of a card off as spoiled, in the caller's transaction, if one was taken."""
    serial = repository.blank_of_card(connection, card)
    if serial is not None:
        _post(connection, Movement.SPOIL, 1, (actor, rfc3339(moment)), card)
        repository.put(connection, [serial], Account.SPOILED)


def destroyed(connection: Connection, card: str, actor: str, moment: datetime) -> None:
    """Write the blank of a good card that nobody fetched off as destroyed, in the caller's transaction."""
    serial = repository.blank_of_card(connection, card)
    if serial is not None:
        _post(connection, Movement.DESTROY_CARD, 1, (actor, rfc3339(moment)), card)
        repository.put(connection, [serial], Account.DESTROYED)


def require_uninvolved(connection: Connection, officer: Officer, found: Iterable[Blank]) -> None:
    """Raise SameOfficer for the operator of one of the cards, or whoever took part in its dossier."""
    for each in found:
        if each.operator == officer.id:
            raise SameOfficer("the operator destroys none of his own cards")
        if each.dossier and officer.id in _took_part(connection, each.dossier):
            raise SameOfficer("this officer took part in the dossier")


def _took_part(connection: Connection, dossier: str) -> set[str]:
    found = dossiers.find(connection, dossier)
    return acts.took_part(connection, found) if found else set()


def _write_off(connection: Connection, serial: str, officer: Officer, moment: str) -> None:
    series, number = read_serial(serial) or ("", 0)
    delivery = repository.in_stock(connection, series, number)
    if delivery is None:
        raise BlankUnknown("not in the stock")
    repository.add_blank(connection, serial, delivery, Account.SPOILED)
    _post(connection, Movement.WRITE_OFF, 1, (officer.id, moment), serial)
    detail = {"serial": serial}
    recorded_events.append(
        connection, _step(f"blank/{serial}", "write_off", "spoiled", officer, moment, detail)
    )


def _destroy_card(connection: Connection, card_id: str, done: Destruction, moment: datetime) -> None:
    card = cards.find(connection, card_id)
    if card is None:
        raise TransitionRefused("the card of this blank is gone")
    detail = {"destruction": done.id, "witness": done.proposed_by}
    actor = str(done.confirmed_by)
    orders.take_step(connection, card, CardEvent.DESTROY, actor=actor, moment=moment, detail=detail)


def _post(connection: Connection, kind: Movement, count: int, by: tuple[str, str], reference: str) -> None:
    actor, at = by
    posted = Posted(kind=kind, count=count, actor=actor, at=at, reference=reference)
    repository.post(connection, posted)


def _serials(named: BlankSerials) -> Sequence[str]:
    serials = sorted(set(named.serials))
    if not 0 < len(serials) <= MAX_DESTROYED or not all(map(read_serial, serials)):
        raise FieldsRefused({"serials": "FIELD_CHARACTERS"})
    return serials


def _known(connection: Connection, which: str) -> Destruction:
    found = repository.destruction(connection, which)
    if found is None:
        raise BlankDestructionUnknown("no destruction with this id")
    return found


def _record(
    connection: Connection, made: Destruction, event: DestructionEvent, officer: Officer, at: str
) -> None:
    subject = f"destruction/{made.id}"
    recorded_events.append(connection, _step(subject, event.value, made.state.value, officer, at, {}))


def _step(subject: str, event: str, state: str, officer: Officer, at: str, detail: dict[str, str]) -> Step:
    return Step(subject=subject, event=event, state=state, actor=officer.id, at=at, detail=detail)


def _range(each: Range) -> BlankRange:
    serials = each.serials
    return BlankRange(
        id=each.id,
        first=serial_number(serials.series, serials.first),
        last=serial_number(serials.series, serials.last),
        left=serials.last - each.next + 1,
        received_by=each.received_by,
        received_at=each.received_at,
    )


def _destruction(connection: Connection, made: Destruction) -> BlankDestruction:
    return BlankDestruction(
        id=made.id,
        state=made.state.value,
        serials=tuple(each.serial for each in repository.of_destruction(connection, made.id)),
        proposed_by=made.proposed_by,
        proposed_at=made.proposed_at,
        confirmed_by=made.confirmed_by,
        confirmed_at=made.confirmed_at,
    )
