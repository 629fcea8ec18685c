"""The SQL of signatures under the destruction of cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.tables import CARD_DESTRUCTIONS
from issuance_backend.moments import rfc3339
from verification.errors import TransitionRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """Who signed."""

    card: str
    first_officer: str
    first_at: str
    second_officer: str | None
    second_at: str | None


def find(connection: Connection, card: str) -> Destruction | None:
    """The signatures under a card's destruction so far."""
    question = select(CARD_DESTRUCTIONS).where(CARD_DESTRUCTIONS.c.card == card).with_for_update()
    row = connection.execute(question).mappings().one_or_none()
    return Destruction(**row) if row else None


def add(connection: Connection, signed: Destruction) -> None:
    """Write the first signature; raises TransitionRefused when somebody else's stands meanwhile."""
    values = {name: getattr(signed, name) for name in Destruction.__dataclass_fields__}
    try:
        connection.execute(insert(CARD_DESTRUCTIONS).values(**values))
    except IntegrityError:
        raise TransitionRefused("somebody else signed meanwhile") from None


def complete(connection: Connection, signed: Destruction, officer: str, moment: datetime) -> Destruction:
    """Write the second signature."""
    connection.execute(
        update(CARD_DESTRUCTIONS)
        .where(CARD_DESTRUCTIONS.c.card == signed.card)
        .values(second_officer=officer, second_at=rfc3339(moment))
    )
    return replace(signed, second_officer=officer, second_at=rfc3339(moment))
