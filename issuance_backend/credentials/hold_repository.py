"""The SQL of holds on holders, and of how far the registry's events were followed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.tables import FOLLOWED, HOLDER_HOLDS
from issuance_backend.moments import rfc3339


def is_held(connection: Connection, citizen_number: str) -> bool:
    """Whether a hold stands on this number."""
    question = select(HOLDER_HOLDS.c.event).where(HOLDER_HOLDS.c.citizen_number == citizen_number)
    return connection.execute(question).one_or_none() is not None


def put(connection: Connection, citizen_number: str, event: str, moment: datetime) -> bool:
    """Put a hold on a number; False when one stands already."""
    row = insert(HOLDER_HOLDS).values(citizen_number=citizen_number, event=event, since=rfc3339(moment))
    try:
        with connection.begin_nested():
            connection.execute(row)
    except IntegrityError:
        return False
    return True


def lift(connection: Connection, citizen_number: str) -> bool:
    """Take a hold away; False when there is none."""
    removed = connection.execute(delete(HOLDER_HOLDS).where(HOLDER_HOLDS.c.citizen_number == citizen_number))
    return removed.rowcount == 1


def position(connection: Connection, feed: str) -> int:
    """How far a feed was followed, kept from everybody else until the transaction ends; 0 at first."""
    question = select(FOLLOWED.c.position).where(FOLLOWED.c.feed == feed).with_for_update()
    reached = connection.execute(question).scalar_one_or_none()
    if reached is None:
        _begin(connection, feed)
        reached = connection.execute(question).scalar_one()
    return int(reached)


def reach(connection: Connection, feed: str, reached: int, moment: datetime) -> None:
    """Remember how far a feed was followed, in the transaction that did what its events ask."""
    connection.execute(
        update(FOLLOWED).where(FOLLOWED.c.feed == feed).values(position=reached, updated_at=rfc3339(moment))
    )


def _begin(connection: Connection, feed: str) -> None:
    """Write the row that followers wait for each other at; two may begin at once."""
    try:
        with connection.begin_nested():
            connection.execute(insert(FOLLOWED).values(feed=feed, position=0, updated_at=""))
    except IntegrityError:
        return
