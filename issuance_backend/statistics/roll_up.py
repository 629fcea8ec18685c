"""Figures follow the recorded events: with each transaction that records some, or all of them over again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend.statistics import repository
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.domain import (
    Happening,
    Move,
    Position,
    Rules,
    happening_of,
    move,
    recorded_at,
    stands_where,
)
from issuance_backend.statistics.working_days import working_days
from verification.messages.national_time import vietnam_date

BATCH = 20_000
_SENT = "sent"


def rules() -> Rules:
    """The definitions and the calendar that figures are made by."""
    return Rules(vocabulary(), working_days())


def rebuild(connection: Connection) -> int:
    """Make every figure again from the recorded events and return how many events there are.

    After a change of definitions the figures of every past day follow it.
    """
    repository.forget(connection)
    return roll_up(connection)


def roll_up(connection: Connection) -> int:
    """Count the recorded events that are not counted yet, many at once; the number of the last one.

    This is the last act of every transaction that records steps: their figures stand and fall with them.
    """
    reached, former_at = repository.last(connection)
    while True:
        rows = repository.recorded_steps(connection, reached, BATCH)
        if rows:
            steps = [_step(*row) for row in rows]
            batch = _Batch(connection, steps, former_at)
            for step in steps:
                batch.count(step)
            batch.write()
            reached, former_at = steps[-1].sequence, batch.at
        if len(rows) < BATCH:
            return reached


@dataclass(frozen=True, slots=True)
class _Step:
    """One recorded step; ``dossier`` is the subject that a card belongs to."""

    sequence: int
    subject: str
    state: str
    at: str
    detail: dict[str, str]

    @property
    def dossier(self) -> str | None:
        return f"dossier/{self.detail['dossier']}" if "dossier" in self.detail else None


def _step(sequence: int, subject: str, state: str, at: str, detail: str) -> _Step:
    return _Step(sequence, subject, state, at, msgspec.json.decode(detail, type=dict[str, str]))


class _Batch:
    """Many steps: what the database knows of them is read at once, folded in memory and written at once."""

    def __init__(self, connection: Connection, steps: list[_Step], at: datetime | None) -> None:
        self.at = at
        self._connection = connection
        self._rules = rules()
        known = repository.standing(connection, {step.subject for step in steps})
        self._positions = {subject: position for subject, (_, position) in known.items()}
        self._open = {subject: sequence for subject, (sequence, _) in known.items()}
        self._stood_before = {sequence for sequence, _ in known.values()}
        new = {step.dossier for step in steps if step.dossier and step.subject not in known}
        self._dossiers = repository.first_reached(connection, new, _SENT)
        self._moves: list[Move] = []
        self._ended: dict[int, int] = {}

    def count(self, step: _Step) -> None:
        self.at = recorded_at(step.at, self.at)
        happening = happening_of(step.sequence, step.subject, step.state, self.at, step.detail)
        former = self._positions.get(step.subject)
        if former is None:
            happening = self._placed(happening, step.dossier)
        else:
            self._ended[self._open[step.subject]] = step.sequence
        made = move(self._rules, former, happening)
        self._open[step.subject], self._positions[step.subject] = step.sequence, made.position
        self._remember(step.subject, former, made.position)
        self._moves.append(made)

    def write(self) -> None:
        left = {sequence: by for sequence, by in self._ended.items() if sequence in self._stood_before}
        repository.leave(self._connection, left)
        moves = [(made, self._ended.get(made.happening.sequence)) for made in self._moves]
        repository.add_moves(self._connection, moves)
        repository.add_units(self._connection, {made.position.unit for made in self._moves})
        for day, made_on in _by_day(self._moves):
            marks = ((mark, made.position.size) for made in made_on for mark in made.marks)
            repository.add_to_figures(self._connection, day, marks)
        dues = ((due, made.position.size) for made in self._moves for due in made.dues)
        repository.add_dues(self._connection, dues)

    def _remember(self, subject: str, former: Position | None, position: Position) -> None:
        """Cards that are ordered later in the batch stand where the dossier stands then."""
        _, sent = self._dossiers.get(subject, (None, None))
        is_sent = _SENT in position.counted and (former is None or _SENT not in former.counted)
        self._dossiers[subject] = position, position.at if sent is None and is_sent else sent

    def _placed(self, happening: Happening, dossier: str | None) -> Happening:
        """A card is counted where its dossier was taken, and its time runs since that was sent."""
        if dossier is None or dossier not in self._dossiers:
            return happening
        position, sent = self._dossiers[dossier]
        return stands_where(position, vietnam_date(sent or position.at), happening)


def _by_day(moves: list[Move]) -> Iterator[tuple[date, list[Move]]]:
    days: dict[date, list[Move]] = {}
    for made in moves:
        days.setdefault(vietnam_date(made.happening.at), []).append(made)
    yield from sorted(days.items())
