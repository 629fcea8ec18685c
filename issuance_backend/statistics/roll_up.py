"""Figures follow the recorded events: with each transaction that records some, or all of them over again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain

import msgspec
from sqlalchemy import Connection

from issuance_backend.refusals import FiguresOutdated
from issuance_backend.statistics import number_repository, repository
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
    told_to,
)
from issuance_backend.statistics.kit_numbers import CLOSE_GAP, PACKET, NumberTold, number_of
from issuance_backend.statistics.repository import CountedBy
from issuance_backend.statistics.working_days import working_days
from verification.messages.national_time import vietnam_date

BATCH = 20_000
AGAIN_AT_ONCE = 2_000
"""Steps that are counted again in one transaction: whoever records meanwhile waits for no more of them."""


@cache
def rules() -> Rules:
    """The definitions and the calendar that figures are made by."""
    return Rules(vocabulary(), working_days())


def roll_up(connection: Connection) -> None:
    """Count the recorded events that are not counted yet, many at once.

    This is the last act of every transaction that records steps: their figures stand and fall with them.
    Where the figures that stand are another program's, or are being counted again, nothing is added to
    them: sums of two rules are no figures.
    """
    if not _is_ours(connection):
        return
    while _count_some(connection, BATCH) == BATCH:
        pass


def require_current(connection: Connection) -> None:
    """Raise FiguresOutdated where what stands was not counted by these rules up to the last event."""
    if not is_current(connection):
        raise FiguresOutdated("counted by other rules, or not up to the last event")


def is_current(connection: Connection) -> bool:
    """Whether what stands was counted by these rules, up to the last event."""
    newest, _ = repository.last(connection)
    counted_by = repository.counted_by(connection)
    if counted_by is None:
        return newest == 0 and not repository.lies_behind(connection, newest)
    is_whole = counted_by == CountedBy(rules().fingerprint, is_whole=True)
    return is_whole and not repository.lies_behind(connection, newest)


def begin_again(connection: Connection) -> None:
    """Forget every figure: all of them are counted again, by these rules."""
    repository.forget(connection)
    repository.set_counted_by(connection, CountedBy(rules().fingerprint, is_whole=False))


def go_on(connection: Connection) -> bool:
    """Count some more of the events that are counted again; whether that was all of them.

    Of several programs that do this each takes the next events; the one that comes to the last says so.
    """
    repository.hold_head(connection)
    counted_by = repository.counted_by(connection)
    if counted_by is None or counted_by.fingerprint != rules().fingerprint:
        begin_again(connection)
    if _count_some(connection, AGAIN_AT_ONCE) == AGAIN_AT_ONCE:
        return False
    repository.set_counted_by(connection, CountedBy(rules().fingerprint, is_whole=True))
    return True


def _is_ours(connection: Connection) -> bool:
    counted_by = repository.counted_by(connection)
    if counted_by is None and repository.last(connection)[0] == 0:
        counted_by = CountedBy(rules().fingerprint, is_whole=True)
        repository.set_counted_by(connection, counted_by)
    return counted_by == CountedBy(rules().fingerprint, is_whole=True)


def _count_some(connection: Connection, most: int) -> int:
    reached, former_at = repository.last(connection)
    rows = repository.recorded_steps(connection, reached, most)
    if rows:
        steps = [_step(*row) for row in rows]
        batch = _Batch(connection, steps, former_at)
        for step in steps:
            batch.count(step)
        batch.write()
    return len(rows)


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
        return _dossier(self.detail)


def _step(sequence: int, subject: str, state: str, at: str, detail: str) -> _Step:
    return _Step(sequence, subject, state, at, msgspec.json.decode(detail, type=dict[str, str]))


class _Batch:
    """Many steps: what the database knows of them is read at once, folded in memory and written at once."""

    def __init__(self, connection: Connection, steps: list[_Step], at: datetime | None) -> None:
        self.at = at
        self._connection = connection
        self._rules = rules()
        known = repository.standing(connection, {step.subject for step in steps})
        self._dossier_of = _dossiers_of(connection, steps, known)
        dossiers = set(self._dossier_of.values()).difference(known)
        known |= repository.standing(connection, dossiers)
        self._positions = {subject: position for subject, (_, position) in known.items()}
        self._open = {subject: sequence for subject, (sequence, _) in known.items()}
        self._stood_before = {sequence for sequence, _ in known.values()}
        self._moves: list[Move] = []
        self._numbers: list[NumberTold] = []
        self._ended: dict[int, int] = {}
        self._told_by_others: dict[int, Position] = {}

    def count(self, step: _Step) -> None:
        self.at = recorded_at(step.at, self.at)
        happening = happening_of(step.sequence, step.subject, step.state, self.at, step.detail)
        former = self._positions.get(step.subject)
        if former is None:
            happening = self._placed(happening)
        else:
            self._ended[self._open[step.subject]] = step.sequence
        made = self._told_to_dossier(move(self._rules, former, happening), former)
        self._open[step.subject], self._positions[step.subject] = step.sequence, made.position
        self._moves.append(made)
        self._tell_number(step, made, is_first=former is None)

    def write(self) -> None:
        left = {sequence: by for sequence, by in self._ended.items() if sequence in self._stood_before}
        repository.leave(self._connection, left)
        moves = [(made, self._ended.get(made.happening.sequence)) for made in self._moves]
        repository.add_moves(self._connection, moves)
        repository.set_clocks(self._connection, self._told_by_others)
        repository.add_units(self._connection, {made.position.unit for made in self._moves})
        for day, made_on in _by_day(self._moves):
            amounts = chain.from_iterable(made.amounts for made in made_on)
            repository.add_to_figures(self._connection, day, amounts)
        dues = ((due, made.position.size) for made in self._moves for due in made.dues)
        repository.add_dues(self._connection, dues)
        number_repository.add(self._connection, self._numbers)

    def _tell_number(self, step: _Step, made: Move, *, is_first: bool) -> None:
        """A packet that is announced, or a case that gives a number up, says where a kit's number is."""
        came = made.happening.kind == PACKET and is_first
        told = number_of(step.detail) if came or step.state == CLOSE_GAP else None
        if told is not None:
            kit, number = told
            self._numbers.append(NumberTold(step.sequence, kit, number, made.position.unit, came=came))

    def _placed(self, happening: Happening) -> Happening:
        """A card is counted where its dossier was taken."""
        dossier = self._positions.get(self._dossier_of.get(happening.subject, ""))
        return happening if dossier is None else stands_where(dossier, happening)

    def _told_to_dossier(self, made: Move, former: Position | None) -> Move:
        """A clock of the dossier stops with its card; it stands so from then on."""
        name = self._dossier_of.get(made.happening.subject, "")
        dossier = self._positions.get(name)
        if dossier is None:
            return made
        made, after = told_to(self._rules, dossier, made, former)
        if after is not dossier:
            self._positions[name] = self._told_by_others[self._open[name]] = after
        return made


def _dossiers_of(
    connection: Connection, steps: list[_Step], known: Mapping[str, tuple[int, Position]]
) -> dict[str, str]:
    """The dossier, as its first step says, of each subject that begins or may now stop a clock of it."""
    found: dict[str, str] = {}
    stopping = rules().vocabulary.stopping
    begun, asked = set(known), set()
    for step in steps:
        if step.subject not in begun:
            begun.add(step.subject)
            if step.dossier is not None:
                found[step.subject] = step.dossier
        elif step.subject in known:
            counted = known[step.subject][1].counted
            kind = step.subject.partition("/")[0]
            if any(each.kind == kind and each.counts(step.state, counted) for each in stopping):
                asked.add(step.subject)
    for subject, detail in repository.first_details(connection, asked).items():
        dossier = _dossier(msgspec.json.decode(detail, type=dict[str, str]))
        if dossier is not None:
            found[subject] = dossier
    return found


def _dossier(detail: Mapping[str, str]) -> str | None:
    return f"dossier/{detail['dossier']}" if "dossier" in detail else None


def _by_day(moves: list[Move]) -> Iterator[tuple[date, list[Move]]]:
    days: dict[date, list[Move]] = {}
    for made in moves:
        days.setdefault(vietnam_date(made.happening.at), []).append(made)
    yield from sorted(days.items())
