"""What was heard of cards, in SQL: states and position change in one transaction, so nothing is skipped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from gateway.adapters.sql_schema import card_events, card_states
from gateway.domain.card_standing import FollowedCard, Heard
from gateway.ports import KnownCards
from monitoring.database import Database
from verification.messages.credential_status import CredentialState
from verification.messages.event_feed import EventFeed, FeedPlace, PublishedEvent

SEAT_SECONDS = 5
"""A worker that says nothing for this long no longer follows; another takes its seat."""

_BATCH = 400
_STATES = {state.value: state for state in CredentialState}


class SqlCardStates:
    """The CardStates port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lead(self, worker: str, now: datetime) -> bool:
        """Take or keep the seat."""
        at = _milliseconds(now)
        free = or_(card_events.c.worker == worker, card_events.c.seat_until_ms < at)
        with self._database.writing() as connection:
            taken = connection.execute(
                update(card_events).where(free).values(worker=worker, seat_until_ms=at + 1_000 * SEAT_SECONDS)
            )
        return taken.rowcount == 1

    def place(self) -> FeedPlace:
        """Where to go on."""
        with self._database.reading() as connection:
            row = connection.execute(select(card_events.c.position, card_events.c.mark)).one()
        return FeedPlace(row.position, row.mark)

    def take_in(self, worker: str, feed: EventFeed, asked_at: datetime) -> bool:
        """Keep the feed and its place."""
        values: dict[str, Any] = {"position": feed.next, "mark": feed.mark}
        if feed.next >= feed.newest:
            # Everything that the issuer had committed when it was asked is known here.
            values["heard_at_ms"] = _milliseconds(asked_at)
        with self._database.writing() as connection:
            moved = connection.execute(
                update(card_events)
                .where(card_events.c.worker == worker, card_events.c.position <= feed.next)
                .values(values)
            )
            if moved.rowcount != 1:
                return False
            _keep(connection, feed.events)
        return True

    def begin_again(self, worker: str) -> None:
        """Read every event again from the first."""
        with self._database.writing() as connection:
            again = update(card_events).where(card_events.c.worker == worker)
            if connection.execute(again.values(position=0, mark="", heard_at_ms=None)).rowcount == 1:
                connection.execute(update(card_states).values(sequence=0))
                # What the issuer no longer tells it does not vouch for; what was withdrawn stays so.
                was_good = card_states.c.state == CredentialState.ACTIVE
                connection.execute(update(card_states).where(was_good).values(state=CredentialState.UNKNOWN))

    def heard(self, status_key: str) -> Heard:
        """What is known of a card, and how fresh that is."""
        with self._database.reading() as connection:
            card = connection.execute(
                select(card_states.c.state, card_states.c.expires_on).where(
                    card_states.c.status_key == status_key
                )
            ).one_or_none()
            at = connection.execute(select(card_events.c.heard_at_ms)).scalar_one()
        known = FollowedCard(CredentialState(card.state), card.expires_on) if card else None
        return Heard(known, _moment(at))

    def heard_at(self) -> datetime | None:
        """When nothing was left to tell."""
        with self._database.reading() as connection:
            return _moment(connection.execute(select(card_events.c.heard_at_ms)).scalar_one())

    def not_good(self) -> KnownCards:
        """The keys of all cards that are not active."""
        with self._database.reading() as connection:
            withdrawn = connection.execute(
                select(card_states.c.status_key).where(card_states.c.state != CredentialState.ACTIVE)
            ).scalars()
            keys = tuple(withdrawn)
            known = connection.execute(select(func.count()).select_from(card_states)).scalar_one()
            at = connection.execute(select(card_events.c.heard_at_ms)).scalar_one()
        return KnownCards(keys, int(known), _moment(at))


def _keep(connection: Connection, events: Iterable[PublishedEvent]) -> None:
    """The last word on each card, which the issuer may mend; an older word changes nothing."""
    told = {event.key: event for event in events}
    keys = sorted(told)
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        question = select(card_states.c.status_key, card_states.c.sequence)
        rows = connection.execute(question.where(card_states.c.status_key.in_(some)))
        before = {row.status_key: row.sequence for row in rows}
        new = [_row(told[key]) for key in some if key not in before]
        if new:
            connection.execute(insert(card_states), new)
        for key in some:
            if key in before and before[key] <= told[key].sequence:
                changed = update(card_states).where(card_states.c.status_key == key)
                connection.execute(changed.values(_row(told[key])))


def _row(event: PublishedEvent) -> dict[str, Any]:
    said, expires_on = event.data.get("state", ""), event.data.get("expires_on")
    # A state that this gateway has no word for is no state to rely on: the issuer is asked.
    state = _STATES.get(said, CredentialState.UNKNOWN)
    return {
        "status_key": event.key,
        "state": state.value,
        "expires_on": date.fromisoformat(expires_on) if expires_on else None,
        "sequence": event.sequence,
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1_000, UTC)
