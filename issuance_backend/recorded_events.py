"""What happened to dossiers and cards, chained: changing or removing one line breaks the rest.

Each line's hash covers its content and the hash of the line before it; ``event_head`` keeps the last
one, so that a cut tail shows too. A state is the fold of its subject's events (invariant I5).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, insert, select, update

from issuance_backend.schema import EVENT_HEAD, EVENTS
from verification.messages.enrollment import RecordedStep

SYSTEM = "system"
"""The actor where a program, not an officer, took a step."""

_CHAINED = ("sequence", "subject", "event", "state", "actor", "at", "detail", "previous_hash")


class ChainBroken(Exception):
    """The recorded events are not what was recorded; the message names the first bad line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened; ``detail`` never names a person."""

    subject: str
    event: str
    state: str
    actor: str
    at: str
    detail: dict[str, str] = field(default_factory=dict)


def append(connection: Connection, step: Step) -> None:
    """Record a step in the caller's transaction: no step, no change of state."""
    head = connection.execute(select(EVENT_HEAD).with_for_update()).one()
    row: dict[str, object] = {
        "sequence": head.sequence + 1,
        "subject": step.subject,
        "event": step.event,
        "state": step.state,
        "actor": step.actor,
        "at": step.at,
        "detail": msgspec.json.encode(step.detail, order="sorted").decode(),
        "previous_hash": head.hash,
    }
    row["hash"] = _hash(row)
    connection.execute(insert(EVENTS).values(**row))
    connection.execute(update(EVENT_HEAD).values(sequence=row["sequence"], hash=row["hash"]))


def of_subject(connection: Connection, subject: str) -> tuple[RecordedStep, ...]:
    """The steps of one dossier or card, oldest first."""
    rows = connection.execute(select(EVENTS).where(EVENTS.c.subject == subject).order_by(EVENTS.c.sequence))
    return tuple(
        RecordedStep(
            at=row.at,
            event=row.event,
            state=row.state,
            actor=row.actor,
            detail=msgspec.json.decode(row.detail, type=dict[str, str]),
        )
        for row in rows
    )


def verify(connection: Connection) -> int:
    """Walk the whole chain and return its length; raises ChainBroken."""
    previous, count = "0" * 64, 0
    for row in connection.execute(select(EVENTS).order_by(EVENTS.c.sequence)):
        values = row._asdict()
        count += 1
        if values["sequence"] != count or values["previous_hash"] != previous:
            raise ChainBroken(f"line {count} does not follow the line before it")
        if values["hash"] != _hash(values):
            raise ChainBroken(f"line {count} was changed")
        previous = values["hash"]
    head = connection.execute(select(EVENT_HEAD)).one()
    if (head.sequence, head.hash) != (count, previous):
        raise ChainBroken(f"lines after {count} are missing")
    return count


def _hash(row: dict[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode([row[name] for name in _CHAINED])).hexdigest()
