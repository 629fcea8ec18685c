"""The one way a capture at a counter changes its state, and what is done with those that were left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import erasures
from issuance_backend.dossiers.counter import repository
from issuance_backend.dossiers.counter.domain import TABLE, CounterEvent, CounterRow
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import SYSTEM, Step
from monitoring.database import Database

LEFT_FOR = timedelta(days=1)
"""The citizen has gone: what was not sealed by then is withdrawn, and nothing of it is kept."""

AT_ONCE = 100


def written(
    connection: Connection,
    row: CounterRow,
    event: CounterEvent,
    actor: str,
    moment: datetime,
    detail: Mapping[str, str] | None = None,
) -> Step:
    """Write a capture as it stands after an event; the step to record of it. Raises TransitionRefused."""
    stepped = replace(row, state=TABLE.advance(row.state, event), updated_at=rfc3339(moment))
    repository.save(connection, stepped)
    return step_of(stepped, event, actor, detail)


def step_of(
    row: CounterRow, event: CounterEvent, actor: str, detail: Mapping[str, str] | None = None
) -> Step:
    """What is recorded of a capture that stands as it does after an event."""
    return Step(
        subject=f"counter/{row.id}",
        event=event.value,
        state=row.state.value,
        actor=actor,
        at=row.updated_at,
        detail={**(detail or {}), **({"unit": row.unit} if row.unit else {})},
    )


def forget(connection: Connection, names: Collection[str], moment: datetime) -> None:
    """Remove pictures that a capture named and names no more, unless something else does."""
    if names:
        erasures.remove_unnamed(connection, names, moment)


def withdraw(connection: Connection, row: CounterRow, actor: str, moment: datetime) -> None:
    """Keep nothing of a capture but that it was begun; raises TransitionRefused."""
    gone = replace(row, capture=None, portrait=None, signature=None, items={})
    step = written(connection, gone, CounterEvent.WITHDRAW, actor, moment)
    forget(connection, row.names, moment)
    recorded_events.append(connection, step)


def withdraw_left(database: Database, moment: datetime) -> int:
    """Withdraw what was left without being sealed; how many there were."""
    with database.reading() as connection:
        left = repository.left_since(connection, rfc3339(moment - LEFT_FOR), AT_ONCE)
    for row in left:
        with database.writing() as connection:
            withdraw(connection, row, SYSTEM, moment)
    return len(left)
