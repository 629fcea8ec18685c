"""What happened to persons and numbers: the registry's own chain of recorded events.

The chain's head is taken before anything is read or written. Registrations are therefore recorded one
after the other, and each has a later moment than the one before, whatever the machines' clocks say: "what
was known at that instant" has one answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from issuance_backend import recorded_events
from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.outbox import repository as outbox
from issuance_backend.schema import EVENT_HEAD, EVENTS
from issuance_backend.steps import Step

_TICK = timedelta(microseconds=1)


def begin(connection: Connection, now: datetime) -> datetime:
    """Wait for whoever is registering, and return a moment later than everything recorded so far."""
    head = connection.execute(select(EVENT_HEAD.c.sequence).with_for_update()).scalar_one()
    last = connection.execute(select(EVENTS.c.at).where(EVENTS.c.sequence == head)).scalar_one_or_none()
    if last is None:
        return now
    return max(now, parse_moment(last) + _TICK)


def latest(connection: Connection, now: datetime) -> datetime:
    """A moment at which everything that is recorded is known, also where a clock was set back."""
    last = connection.execute(
        select(EVENTS.c.at).join(EVENT_HEAD, EVENT_HEAD.c.sequence == EVENTS.c.sequence)
    ).scalar_one_or_none()
    return now if last is None else max(now, parse_moment(last))


def record(connection: Connection, step: Step) -> None:
    """Record a step in the caller's transaction, and tell of it whoever is to be told."""
    sequence = recorded_events.chain(connection, step)
    if step.notice is not None:
        outbox.add(connection, [(sequence, step.notice, step.at)])


def step(subject: str, event: str, state: str, actor: str, moment: datetime) -> Step:
    """A step without details."""
    return Step(subject=subject, event=event, state=state, actor=actor, at=rfc3339(moment))
