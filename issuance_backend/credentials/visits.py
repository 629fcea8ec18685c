"""How often a citizen came for one card: captures, days on which a proof was refused, and the hand-over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from issuance_backend.credentials.repository import Card
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import Step, append
from issuance_backend.schema import EVENTS
from issuance_backend.statistics.returns import CAPTURED
from verification.messages.national_time import vietnam_date

TURNED_AWAY = "turned_away"

_CAPTURES = select(func.count()).where(EVENTS.c.subject == bindparam("dossier"), EVENTS.c.event.in_(CAPTURED))
_DAYS = select(EVENTS.c.subject).where(
    # One range of an index: ``/`` is the character behind the dot.
    EVENTS.c.subject >= bindparam("first"),
    EVENTS.c.subject < bindparam("behind"),
)


def visits(connection: Connection, card: Card, moment: datetime) -> int:
    """Captures of a card's dossier, earlier days on which somebody was turned away, and this visit."""
    captures = connection.execute(_CAPTURES, {"dossier": f"dossier/{card.dossier}"}).scalar_one()
    return int(captures) + len(_days(connection, card) - {_subject(card, moment)}) + 1


def turn_away(connection: Connection, card: Card, code: str, moment: datetime, officer: str) -> None:
    """Record that somebody came for a card and a proof was refused; once a day for each dossier.

    Whoever calls holds the card's number: two at once would both find nothing recorded yet.
    """
    if _subject(card, moment) in _days(connection, card):
        return
    where = {"unit": card.unit} if card.unit else {}
    append(
        connection,
        Step(
            subject=_subject(card, moment),
            event="turn_away",
            state=TURNED_AWAY,
            actor=officer,
            at=rfc3339(moment),
            detail={"card": card.id, "code": code, **where},
        ),
    )


def _days(connection: Connection, card: Card) -> set[str]:
    asked = {"first": f"{_of(card)}.", "behind": f"{_of(card)}/"}
    return set(connection.execute(_DAYS, asked).scalars())


def _of(card: Card) -> str:
    return f"visit/{card.dossier}"


def _subject(card: Card, moment: datetime) -> str:
    return f"{_of(card)}.{vietnam_date(moment):%Y%m%d}"
