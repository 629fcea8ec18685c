"""What happened to dossiers and cards, chained: changing or removing one line breaks the rest.

Each line's hash covers its content and the hash of the line before it; ``event_head`` keeps the last
one, so that a cut tail shows too. A state is the fold of its subject's events (invariant I5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from issuance_backend import read_models
from issuance_backend.schema import EVENT_HEAD, EVENTS
from issuance_backend.steps import SYSTEM, Step
from verification.messages.enrollment import RecordedStep

__all__ = [
    "BEGINNING",
    "SYSTEM",
    "ChainBroken",
    "Place",
    "Step",
    "append",
    "chain",
    "newest",
    "of_subject",
    "of_subjects",
    "verify",
    "walk",
]

# Built once: building a statement costs more than executing it.
_HEAD = select(EVENT_HEAD).with_for_update()
_ADD = insert(EVENTS)
_MOVE_HEAD = update(EVENT_HEAD)
_OF_SUBJECTS = (
    select(EVENTS).where(EVENTS.c.subject.in_(bindparam("who", expanding=True))).order_by(EVENTS.c.sequence)
)

_CHAINED = ("sequence", "subject", "event", "state", "actor", "at", "detail", "previous_hash")


class Place(NamedTuple):
    """How far a record has come: the number of its last line, and that line's hash."""

    sequence: int
    hash: str


BEGINNING = Place(0, "0" * 64)


class ChainBroken(Exception):
    """The recorded events are not what was recorded; the message names the first bad line."""


def append(connection: Connection, *steps: Step) -> None:
    """Record steps in the caller's transaction, in their order: no step, no change of state.

    Whoever records next waits until this transaction ends: numbers have no gaps, and their order is
    the order in which they became visible. The read models follow in the same transaction.
    """
    last = chain(connection, *steps)
    read_models.follow(connection, last - len(steps) + 1, steps)


def chain(connection: Connection, *steps: Step) -> int:
    """Write lines and return the last one's number; the population registry's own chain is written so too."""
    head = connection.execute(_HEAD).one()
    sequence, previous = head.sequence, head.hash
    rows = []
    for step in steps:
        sequence += 1
        row: dict[str, object] = {
            "sequence": sequence,
            "subject": step.subject,
            "event": step.event,
            "state": step.state,
            "actor": step.actor,
            "at": step.at,
            "detail": msgspec.json.encode(step.detail, order="sorted").decode(),
            "previous_hash": previous,
        }
        row["hash"] = previous = _hash(row)
        rows.append(row)
    if rows:
        connection.execute(_ADD, rows)
        connection.execute(_MOVE_HEAD, {"sequence": sequence, "hash": previous})
    return int(sequence)


def of_subject(connection: Connection, subject: str) -> tuple[RecordedStep, ...]:
    """The steps of one dossier or card, oldest first."""
    return of_subjects(connection, [subject])[subject]


def of_subjects(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[RecordedStep, ...]]:
    """The steps of each dossier or card, oldest first; one of which nothing was recorded has none."""
    steps: dict[str, list[RecordedStep]] = {subject: [] for subject in subjects}
    for row in connection.execute(_OF_SUBJECTS, {"who": list(steps)}):
        step = RecordedStep(
            at=row.at,
            event=row.event,
            state=row.state,
            actor=row.actor,
            detail=msgspec.json.decode(row.detail, type=dict[str, str]),
        )
        steps[row.subject].append(step)
    return {subject: tuple(taken) for subject, taken in steps.items()}


def newest(connection: Connection) -> int:
    """The number of the step that was recorded last, 0 before the first."""
    return int(connection.execute(select(EVENT_HEAD.c.sequence)).scalar_one())


def verify(connection: Connection) -> int:
    """Walk the whole chain and return its length; raises ChainBroken."""
    return walk(connection, BEGINNING).sequence


def walk(connection: Connection, since: Place) -> Place:
    """Walk the chain from a place that is known to be right, and say where it ends; raises ChainBroken."""
    reached = since
    for row in connection.execute(
        select(EVENTS).where(EVENTS.c.sequence > since.sequence).order_by(EVENTS.c.sequence)
    ):
        values = row._asdict()
        following = reached.sequence + 1
        if values["sequence"] != following or values["previous_hash"] != reached.hash:
            raise ChainBroken(f"line {following} does not follow the line before it")
        if values["hash"] != _hash(values):
            raise ChainBroken(f"line {following} was changed")
        reached = Place(following, values["hash"])
    head = connection.execute(select(EVENT_HEAD)).one()
    if Place(head.sequence, head.hash) != reached:
        raise ChainBroken(f"lines after {reached.sequence} are missing")
    return reached


def _hash(row: dict[str, object]) -> str:
    return hashlib.sha256(msgspec.json.encode([row[name] for name in _CHAINED])).hexdigest()
