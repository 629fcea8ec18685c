"""Cards on their way: finished without a chip, packed, carried, taken in, handed over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from issuance_backend.credentials import repository
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.credentials.handover_receipts import ReceiptDesk
from issuance_backend.credentials.orders import take_step
from issuance_backend.credentials.repository import Card
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.refusals import HandOverProofRefused
from issuance_backend.steps import SYSTEM
from monitoring.database import Database
from tests.support.issuance_office import Office
from verification.messages.delivery import HandOver

UNIT = "001.002"
EXCHANGED = {"reason": "exchange", "old_card": "taken", "receipt": "BL-0000001"}
"""On what terms somebody asks for another card, whose older one was taken at the counter."""

PACKER, COURIER, RECEIVER, SUPERVISOR = "khoa.stock", "dung.courier", "mai.office", "son.supervisor"


def card_of(office: Office, card: str) -> Card:
    """The card as the database holds it."""
    with office.database.reading() as connection:
        found = repository.find(connection, card)
    assert found is not None
    return found


def ordered(office: Office, person: RegistryPerson, capture_id: str = "capture-0000000001") -> str:
    """A card that is ordered for an approved dossier."""
    dossier = office.sign_in("lan.capture").capture(person, capture_id).get_json()["id"]
    office.approve_all(dossier)
    return _card_of_dossier(office, dossier).id


def finished(
    office: Office, person: RegistryPerson, capture_id: str = "capture-0000000001", **changes: Any
) -> str:
    """A card of a new dossier that passed quality control."""
    return made(office, office.sign_in("lan.capture").capture(person, capture_id, **changes).get_json()["id"])


def made(office: Office, dossier: str) -> str:
    """The card of a validated dossier that passed quality control: on paper, no chip was written."""
    office.approve_all(dossier)
    with office.database.writing() as connection:
        card = replace(_card_of_dossier(office, dossier), status_key=secrets.token_hex(8))
        for event in (CardEvent.BEGIN, CardEvent.WRITTEN, CardEvent.PASS):
            # As the line records it: a program acts, for the operator of a batch.
            detail = {"operator": "hoa.production"} if event is CardEvent.BEGIN else None
            card = take_step(connection, card, event, actor=SYSTEM, moment=office.now[0], detail=detail)
    return card.id


def _card_of_dossier(office: Office, dossier: str) -> Card:
    with office.database.reading() as connection:
        card = repository.of_dossier(connection, dossier)
    assert card is not None
    return card


def packed(office: Office, cards: Sequence[str], unit: str = UNIT) -> Any:
    """The box that cards were sealed into."""
    answer = office.sign_in(PACKER).post("/v1/boxes", {"unit": unit, "cards": list(cards)})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()["box"]


def dispatched(office: Office, cards: Sequence[str], unit: str = UNIT) -> Any:
    """The box that a courier carries."""
    box = packed(office, cards, unit)
    answer = office.sign_in(COURIER).post(f"/v1/boxes/{box['id']}/dispatch", {"digest": box["digest"]})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["box"]


def deliver(office: Office, *cards: str, unit: str = UNIT) -> None:
    """Bring cards that passed quality control to their office."""
    box = dispatched(office, cards, unit)
    answer = office.sign_in(RECEIVER).post(f"/v1/boxes/{box['id']}/receipt", {"cards": list(cards)})
    assert answer.status_code == 200, answer.get_data(as_text=True)


def confirm(office: Office, card: str) -> None:
    """A supervisor has seen the holder."""
    path = f"/v1/credentials/{card}/holder-confirmation"
    answer = office.sign_in(SUPERVISOR).post(path, {"reason": "chip_unreadable"})
    assert answer.status_code == 200, answer.get_data(as_text=True)


def hand_over(office: Office, card: str) -> Any:
    """Hand a card that is at its office over, on a supervisor's word."""
    confirm(office, card)
    return office.sign_in(RECEIVER).post(f"/v1/credentials/{card}/handover")


def active(office: Office, person: RegistryPerson, capture_id: str = "capture-0000000001") -> str:
    """A card in its holder's hands."""
    card = finished(office, person, capture_id)
    deliver(office, card)
    answer = hand_over(office, card)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return card


def hand_over_in_a_process(url: str, card: str, moment: datetime) -> None:
    """What one of several office machines does: a program of its own on the same database."""
    desk = DeliveryDesk(Database(url), lambda: moment, ReceiptDesk({}), lambda *_: None)
    officer = Officer(RECEIVER, RECEIVER, frozenset({Role.OFFICE}))
    desk.hand_over(officer, card, HandOver())


def shown_to_nobody(office: Office, card: str) -> None:
    """Somebody came for the card, and the gateway's receipt proves something else."""

    class Doubting(ReceiptDesk):
        def session(self, token: str, status_key: str | None, moment: datetime) -> str:
            raise HandOverProofRefused("no face was compared")

    desk = DeliveryDesk(office.database, lambda: office.now[0], Doubting({}), lambda *_: None)
    officer = Officer(RECEIVER, RECEIVER, frozenset({Role.OFFICE}))
    with pytest.raises(HandOverProofRefused):
        desk.hand_over(officer, card, HandOver(receipt=secrets.token_hex(8)))
