"""Ordering a card, and the one way a card changes its state."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.credentials import account_steps, domain, repository
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import rfc3339
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.recorded_events import Step, append
from verification.messages.national_time import vietnam_date

Gone = Callable[[Connection, Card, str, datetime], None]
"""Told of a card that will never reach its holder, in the transaction of the step that says so and before
it: the card, the officer, the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a card is ordered for."""

    dossier: str
    citizen_number: str
    date_of_birth: date
    attempt: int = 1
    unit: str | None = None
    """The unit that will hand it over."""


def place(connection: Connection, order: Order, actor: str, moment: datetime) -> Card:
    """Record the order of a card in the caller's transaction and return the card to make."""
    issued_on = vietnam_date(moment)
    card = Card(
        id=secrets.token_hex(8),
        dossier=order.dossier,
        citizen_number=order.citizen_number,
        attempt=order.attempt,
        state=domain.advance(None, CardEvent.ORDER),
        version=1,
        chip_id=secrets.token_hex(8).upper(),
        issued_on=issued_on,
        expires_on=domain.expiry(order.date_of_birth, issued_on),
        status_key=None,
        findings=(),
        since=rfc3339(moment),
        unit=order.unit,
    )
    repository.add(connection, card)
    detail = {"dossier": card.dossier, "attempt": str(card.attempt)}
    append(connection, _step(card, CardEvent.ORDER, actor, detail))
    account_steps.approve_with_card(connection, order.dossier, actor, moment)
    return card


def take_step(
    connection: Connection,
    card: Card,
    event: CardEvent,
    *,
    actor: str,
    moment: datetime,
    detail: dict[str, str] | None = None,
) -> Card:
    """Record an event of a card with everything else that ``card`` changed; raises TransitionRefused."""
    (stepped,) = take_steps(connection, [card], event, actor=actor, moment=moment, detail=detail)
    return stepped


def take_steps(
    connection: Connection,
    cards: Sequence[Card],
    event: CardEvent,
    *,
    actor: str,
    moment: datetime,
    detail: dict[str, str] | None = None,
) -> list[Card]:
    """Record the same event of several cards, all or none; raises TransitionRefused."""
    stepped = [
        replace(
            card,
            state=domain.advance(card.state, event),
            place=domain.place_after(card.place, event),
            since=rfc3339(moment),
        )
        for card in cards
    ]
    for card in stepped:
        repository.save(connection, card)
    append(connection, *(_step(card, event, actor, detail or {}) for card in stepped))
    return [replace(card, version=card.version + 1) for card in stepped]


def _step(card: Card, event: CardEvent, actor: str, detail: dict[str, str]) -> Step:
    where = {"place": card.place} if event in domain.MOVING and card.place else {}
    unit = {"unit": card.unit} if card.unit else {}
    return Step(
        subject=f"card/{card.id}",
        event=event.value,
        state=card.state.value,
        actor=actor,
        at=card.since,
        detail={**detail, **where, **unit},
        notice=_notice(card),
    )


def _notice(card: Card) -> Notice | None:
    """What relying parties may know; before it is written, a card has no key and nobody has met it."""
    if card.status_key is None:
        return None
    state = domain.meaning(card.state, card.reason, None, card.issued_on)
    data = {"state": state.value, "since": card.since}
    if card.expires_on is not None:
        data["expires_on"] = card.expires_on.isoformat()
    return Notice(topic=Topic.CREDENTIAL_STATUS, key=card.status_key, data=data)
