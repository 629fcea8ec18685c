"""Cards from the centre to the offices: packed and sealed, carried, opened and scanned."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.credentials import box_repository, boxes, domain, repository
from issuance_backend.credentials.box_repository import Box
from issuance_backend.credentials.boxes import BOXES, BoxEvent, BoxState
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.orders import Gone, take_steps
from issuance_backend.credentials.repository import Card
from issuance_backend.credentials.territory import require_area
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import append
from issuance_backend.refusals import BoxSealBroken, BoxUnknown, SameOfficer
from issuance_backend.steps import Step
from issuance_backend.unit_codes import is_unit
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.delivery import (
    BoxPacking,
    BoxScan,
    BoxSeal,
    BoxSummary,
    BoxView,
    WaitingCard,
    WaitingOffice,
)

_PACKERS = (Role.PRODUCTION, Role.STOCK_KEEPER)
_READERS = (*_PACKERS, Role.COURIER, Role.OFFICE, Role.SUPERVISOR, Role.AUDITOR)


class ShippingDesk:
    """Packs boxes, gives them to couriers and takes them in at the offices."""

    def __init__(self, database: Database, clock: Clock, revoked: Gone) -> None:
        self._database = database
        self._clock = clock
        self._revoked = revoked

    def pack(self, officer: Officer, packing: BoxPacking) -> BoxView:
        """Seal cards that passed quality control into a box for their office, all or none.

        Raises FieldsRefused naming each card that is not here or belongs to another office.
        """
        officer.require(*_PACKERS)
        scanned = boxes.require_scan(packing.cards)
        if not is_unit(packing.unit):
            raise FieldsRefused({"unit": "FIELD_CHARACTERS"})
        moment = self._clock()
        with self._database.writing() as connection:
            found = repository.locked(connection, scanned)
            _require_packable(scanned, found, packing.unit)
            box = _new_box(packing.unit, scanned, officer, moment)
            box_repository.add(connection, box)
            append(connection, _step(box, BoxEvent.SEAL, officer.id, {"cards": str(box.amount)}))
            packed = [
                replace(card, unit=box.unit, box=box.id, place=f"box:{box.id}") for card in found.values()
            ]
            take_steps(connection, packed, CardEvent.PACK, actor=officer.id, moment=moment)
        return BoxView(_summary(box), tuple(sorted(scanned)))

    def dispatch(self, officer: Officer, box_id: str, seal: BoxSeal) -> BoxView:
        """Give a box to the courier who read its seal; raises BoxSealBroken, SameOfficer."""
        officer.require(Role.COURIER)
        moment = self._clock()
        with self._database.writing() as connection:
            box = _known(connection, box_id)
            BOXES.advance(box.state, BoxEvent.DISPATCH)
            if officer.id == box.packed_by:
                raise SameOfficer("who packed a box does not carry it")
            if not hmac.compare_digest(box.digest.encode(), seal.digest.encode()):
                raise BoxSealBroken("the seal is not the one that was put on")
            cards = repository.of_box(connection, box.id)
            box = _advance(connection, replace(box, courier=officer.id), BoxEvent.DISPATCH, officer, moment)
            carried = [replace(card, place=f"courier:{officer.id}") for card in _going(cards)]
            take_steps(connection, carried, CardEvent.DISPATCH, actor=officer.id, moment=moment)
        return BoxView(_summary(box), tuple(card.id for card in cards))

    def receive(self, officer: Officer, box_id: str, scan: BoxScan) -> BoxView:
        """Take in a box whose every card was scanned; raises SameOfficer for whoever packed or carried it.

        Raises FieldsRefused with each card that is missing or was never in it: nothing is received then,
        and that the count was wrong is recorded. A supervisor who closes the box short receives what is
        there; what is missing is revoked. Of a box that never came, or never left, that is every card.
        """
        officer.require(*((Role.SUPERVISOR,) if scan.close_short else (Role.OFFICE, Role.SUPERVISOR)))
        scanned = boxes.require_scan(scan.cards, at_least=0 if scan.close_short else 1)
        moment = self._clock()
        with self._database.writing() as connection:
            box = _known(connection, box_id)
            require_area(officer, box.unit)
            BOXES.advance(box.state, BoxEvent.RECEIVE_SHORT if scan.close_short else BoxEvent.RECEIVE)
            if officer.id in {box.packed_by, box.courier}:
                raise SameOfficer("who packed or carried a box does not take it in")
            cards = repository.of_box(connection, box.id)
            # One that was revoked on its way lies in the box or does not: nobody waits for it.
            expected = {card.id for card in _going(cards)} | scanned.intersection(card.id for card in cards)
            wrong = boxes.differences(expected, scanned)
            blocking = _blocking(wrong, scan)
            if blocking:
                _advance(connection, box, BoxEvent.MISCOUNT, officer, moment, {"cards": str(len(wrong))})
            else:
                for card in _missing(cards, wrong):
                    self._revoked(connection, card, officer.id, moment)
                box = _take_in(connection, box, _going(cards), wrong, officer, moment)
        if blocking:
            raise FieldsRefused(blocking)
        return BoxView(_summary(box), tuple(card.id for card in cards))

    def waiting_offices(self, officer: Officer) -> tuple[WaitingOffice, ...]:
        """The offices for which cards wait to be packed."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            counts = repository.counts_to_pack(connection, officer.area)
        by_unit = sorted(counts.items(), key=lambda each: each[0] or "")
        return tuple(WaitingOffice(unit, cards) for unit, cards in by_unit)

    def waiting_cards(self, officer: Officer, unit: str, asked: PageAsked) -> Page[WaitingCard]:
        """The cards that wait for a box to one office, the oldest first; raises CardElsewhere."""
        officer.require(*_READERS)
        if not is_unit(unit):
            raise FieldsRefused({"unit": "FIELD_CHARACTERS"})
        require_area(officer, unit)
        with self._database.reading() as connection:
            found = repository.to_pack(connection, unit, asked)
        return Page(tuple(WaitingCard(card.id, card.since) for card in found.entries), found.cursor)

    def listed(self, officer: Officer, state: str, asked: PageAsked) -> Page[BoxSummary]:
        """Boxes in one state for the offices that the officer works for; raises FieldsRefused."""
        officer.require(*_READERS)
        if state not in set(BoxState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            found = box_repository.listed(connection, BoxState(state), officer.area, asked)
        return Page(tuple(_summary(box) for box in found.entries), found.cursor)

    def view(self, officer: Officer, box_id: str) -> BoxView:
        """A box and what was packed into it; raises BoxUnknown."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            box = _known(connection, box_id)
            require_area(officer, box.unit)
            return BoxView(_summary(box), tuple(repository.ids_of_box(connection, box.id)))


def _require_packable(scanned: Collection[str], found: dict[str, Card], unit: str) -> None:
    wrong = dict.fromkeys(sorted(set(scanned) - found.keys()), "CREDENTIAL_UNKNOWN")
    for card in found.values():
        if (card.state, CardEvent.PACK) not in domain.TRANSITIONS:
            wrong[card.id] = "STATE_NOT_ALLOWED"
        elif card.unit is not None and card.unit != unit:
            wrong[card.id] = "CARD_NOT_OF_UNIT"
    if wrong:
        raise FieldsRefused(wrong)


def _going(cards: Iterable[Card]) -> list[Card]:
    """The cards of a box that still go to somebody; one that was revoked keeps its place in the books."""
    return [card for card in cards if card.state is not CardState.REVOKED]


def _missing(cards: Iterable[Card], missing: Collection[str]) -> list[Card]:
    """The missing ones among these cards, as they are given up."""
    return [
        replace(card, place=domain.MISSING, reason=Reason.MISSING) for card in cards if card.id in missing
    ]


def _blocking(wrong: dict[str, str], scan: BoxScan) -> dict[str, str]:
    """What stops the receipt: cards that are missing too, unless they are given up."""
    if not scan.close_short:
        return wrong
    return {card: code for card, code in wrong.items() if code != "CARD_MISSING_FROM_BOX"}


def _take_in(
    connection: Connection,
    box: Box,
    cards: list[Card],
    missing: Collection[str],
    officer: Officer,
    moment: datetime,
) -> Box:
    box = replace(box, received_by=officer.id, missing=len(missing))
    is_short = missing or box.state is BoxState.SEALED
    event = BoxEvent.RECEIVE_SHORT if is_short else BoxEvent.RECEIVE
    box = _advance(connection, box, event, officer, moment, {"missing": str(len(missing))})
    here = [replace(card, place=f"office:{box.unit}") for card in cards if card.id not in missing]
    gone = _missing(cards, missing)
    take_steps(connection, here, CardEvent.RECEIVE, actor=officer.id, moment=moment)
    detail = {"reason": Reason.MISSING.value}
    take_steps(connection, gone, CardEvent.REVOKE, actor=officer.id, moment=moment, detail=detail)
    return box


def _new_box(unit: str, cards: Collection[str], officer: Officer, moment: datetime) -> Box:
    return Box(
        id=secrets.token_hex(8),
        unit=unit,
        state=BOXES.advance(None, BoxEvent.SEAL),
        version=1,
        amount=len(cards),
        digest=boxes.seal(unit, cards),
        packed_by=officer.id,
        courier=None,
        received_by=None,
        missing=0,
        packed_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )


def _advance(
    connection: Connection,
    box: Box,
    event: BoxEvent,
    officer: Officer,
    moment: datetime,
    detail: dict[str, str] | None = None,
) -> Box:
    stepped = replace(box, state=BOXES.advance(box.state, event), updated_at=rfc3339(moment))
    box_repository.save(connection, stepped)
    append(connection, _step(stepped, event, officer.id, detail or {}))
    return replace(stepped, version=box.version + 1)


def _step(box: Box, event: BoxEvent, actor: str, detail: dict[str, str]) -> Step:
    return Step(
        subject=f"box/{box.id}",
        event=event.value,
        state=box.state.value,
        actor=actor,
        at=box.updated_at,
        detail={**detail, "unit": box.unit},
    )


def _summary(box: Box) -> BoxSummary:
    return BoxSummary(
        id=box.id,
        unit=box.unit,
        state=box.state.value,
        amount=box.amount,
        digest=box.digest,
        packed_by=box.packed_by,
        courier=box.courier,
        received_by=box.received_by,
        missing=box.missing,
        packed_at=box.packed_at,
        updated_at=box.updated_at,
    )


def _known(connection: Connection, box_id: str) -> Box:
    box = box_repository.find(connection, box_id)
    if box is None:
        raise BoxUnknown("no box with this id")
    return box
