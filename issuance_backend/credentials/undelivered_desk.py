"""Cards that nobody fetches: they age, go back to the centre, and are destroyed by two officers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from issuance_backend.credentials import destruction, repository
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.credentials.orders import Gone, take_step, take_steps
from issuance_backend.credentials.service import card_summary, known
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import SYSTEM
from monitoring.database import Database
from verification.messages.delivery import DestructionView
from verification.messages.enrollment import CardSummary
from verification.messages.national_time import vietnam_date

WAITING_DAYS = 60
"""How long an office keeps a card, unless it is told otherwise."""

_AT_ONCE = 200
_CENTRE = (Role.PRODUCTION, Role.STOCK_KEEPER, Role.QUALITY)


def age(database: Database, clock: Clock, days: int = WAITING_DAYS) -> int:
    """Mark every card UNDELIVERED that lies at an office for more than so many days; how many."""
    done = 0
    while aged := _age_some(database, clock(), timedelta(days=days)):
        done += aged
    return done


class UndeliveredDesk:
    """Takes back and destroys; ``shred`` makes the card itself unusable."""

    def __init__(
        self, database: Database, clock: Clock, destroyed: Gone, shred: Callable[[str], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._destroyed = destroyed
        self._shred = shred

    def return_to_centre(self, officer: Officer, card_id: str) -> CardSummary:
        """Take an undelivered card in at the centre; raises TransitionRefused."""
        officer.require(*_CENTRE)
        moment = self._clock()
        with self._database.writing() as connection:
            card = known(connection, card_id)
            card = take_step(connection, card, CardEvent.RETURN_TO_CENTRE, actor=officer.id, moment=moment)
            return card_summary(connection, card, vietnam_date(moment))

    def destroy(self, officer: Officer, card_id: str) -> DestructionView:
        """Sign for the destruction of a returned card; the second officer's signature destroys it.

        Raises SameOfficer, TransitionRefused. Spoiled blanks are production's: its stock counts them.
        """
        officer.require(Role.STOCK_KEEPER, Role.SUPERVISOR, Role.QUALITY)
        moment = self._clock()
        with self._database.writing() as connection:
            card = known(connection, card_id)
            card, signed = destruction.sign(connection, card, officer.id, moment, self._destroyed)
            if card.state is CardState.DESTROYED:
                # Last, and before the commit: what is recorded as destroyed lies nowhere.
                self._shred(card.id)
        return DestructionView(card.id, card.state.value, signed.first_officer, signed.second_officer)


def _age_some(database: Database, moment: datetime, waiting: timedelta) -> int:
    with database.writing() as connection:
        cards = repository.waiting_since(connection, rfc3339(moment - waiting), _AT_ONCE)
        take_steps(connection, cards, CardEvent.AGE, actor=SYSTEM, moment=moment)
    return len(cards)
