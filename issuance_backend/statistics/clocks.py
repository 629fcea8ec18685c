"""Time limits of one subject: running, paused or over; a clock that stops was on time or late, nothing else.

A limit of N working days is kept when the clock stops on or before the N-th working day after its start.
What is left when it is paused is left when it goes on; a limit that was missed stays missed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import msgspec

from issuance_backend.statistics.definitions import ANY_STATE, Clock
from issuance_backend.statistics.working_days import WorkingDays

START, CAME_LATE = "start", "came_late"
"""Marks of a clock that begins, and of one that runs from a day on which it was late already."""


class Run(StrEnum):
    """How a clock of one subject stands."""

    RUNNING = "running"
    PAUSED = "paused"
    OVER = "over"


class ClockRun(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One clock of one subject. ``unit`` is where it began: that unit answers for it."""

    clock: str
    run: Run
    unit: str
    due_on: date
    left: int = 0
    """Working days that were left when it was paused; negative when it was late by then or at its end."""

    @property
    def is_missed(self) -> bool:
        """Whether its day fell without it; of one that runs, whether or not that day has come."""
        return self.run is Run.RUNNING or self.left < 0


@dataclass(frozen=True, slots=True)
class Due:
    """A day on which something falls due, or no longer does because it was done with in time."""

    clock: str
    unit: str
    due_on: date
    due: int = 0
    cleared: int = 0


@dataclass(slots=True)
class ClockWork:
    """Moves the clocks of one subject by one step and notes what that changed."""

    calendar: WorkingDays
    marks: list[tuple[str, str]]
    dues: list[Due]

    def start(self, clock: Clock, days: int, arrival: Arrival) -> ClockRun:
        """A clock that begins, perhaps on an earlier day than it is told of."""
        due_on = self.calendar.after(arrival.started, days)
        run = ClockRun(clock.id, Run.RUNNING, arrival.unit, due_on)
        self._mark(run, START)
        self._set(run, arrival.today)
        return run

    def stop(self, run: ClockRun, today: date) -> ClockRun:
        """A clock that is stopped by what it waited for."""
        late = self._leave(run, today)
        self._mark(run, "late" if late else "on_time")
        return _over(run, late=late)

    def end(self, run: ClockRun, today: date) -> ClockRun:
        """A clock whose dossier goes no further: there is nothing to be on time for."""
        late = self._leave(run, today)
        self._mark(run, "ended")
        return _over(run, late=late)

    def pause(self, run: ClockRun, today: date) -> ClockRun:
        """A clock that waits for somebody else."""
        self._clear(run, today)
        self._mark(run, "pause")
        if today > run.due_on:
            left = -max(1, self.calendar.between(run.due_on, today))
        else:
            left = self.calendar.between(today, run.due_on)
        return ClockRun(run.clock, Run.PAUSED, run.unit, run.due_on, left)

    def resume(self, run: ClockRun, today: date) -> ClockRun:
        """A clock that goes on with what was left."""
        due_on = run.due_on if run.left < 0 else self.calendar.after(today, run.left)
        going = ClockRun(run.clock, Run.RUNNING, run.unit, due_on)
        self._mark(going, "resume")
        self._set(going, today)
        return going

    def _leave(self, run: ClockRun, today: date) -> bool:
        """Take a clock out of where it is; whether it was late by then."""
        if run.run is Run.PAUSED:
            self._mark(run, "resume")
            return run.left < 0
        self._clear(run, today)
        return today > run.due_on

    def _set(self, run: ClockRun, today: date) -> None:
        if run.due_on < today:
            self._mark(run, CAME_LATE)
        else:
            self.dues.append(Due(run.clock, run.unit, run.due_on, 1, 0))

    def _clear(self, run: ClockRun, today: date) -> None:
        if run.due_on < today:
            self._mark(run, "left_late")
        else:
            self.dues.append(Due(run.clock, run.unit, run.due_on, 0, 1))

    def _mark(self, run: ClockRun, what: str) -> None:
        self.marks.append((run.unit, f"clock.{run.clock}.{what}"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A subject comes into a state: where, on which day, and since when its clocks are to be counted."""

    state: str
    unit: str
    today: date
    started: date
    is_first: bool
    detail: Mapping[str, str]


def advance(
    clocks: tuple[Clock, ...], runs: Mapping[str, ClockRun], arrival: Arrival, work: ClockWork
) -> dict[str, ClockRun]:
    """The clocks of a subject after it came into a state."""
    return {
        clock.id: moved
        for clock in clocks
        if (moved := _moved(clock, runs.get(clock.id), arrival, work)) is not None
    }


def stop_by(
    clocks: tuple[Clock, ...],
    runs: Mapping[str, ClockRun],
    counted: Collection[str],
    work: ClockWork,
    today: date,
) -> dict[str, ClockRun]:
    """The clocks of a subject after these counters first counted something that belongs to it."""
    stopped = {clock.id for clock in clocks if not set(clock.stopped_by).isdisjoint(counted)}
    return {
        name: work.stop(run, today) if name in stopped and run.run is not Run.OVER else run
        for name, run in runs.items()
    }


def _moved(clock: Clock, run: ClockRun | None, arrival: Arrival, work: ClockWork) -> ClockRun | None:
    if run is None:
        days = _days(clock, arrival)
        if days is None:
            return None
        run = work.start(clock, days, arrival)
    if run.run is Run.OVER:
        return run
    if arrival.state in clock.stops:
        return work.stop(run, arrival.today)
    if arrival.state in clock.ends:
        return work.end(run, arrival.today)
    if arrival.state in clock.pauses:
        return run if run.run is Run.PAUSED else work.pause(run, arrival.today)
    return work.resume(run, arrival.today) if run.run is Run.PAUSED else run


def _days(clock: Clock, arrival: Arrival) -> int | None:
    """The days of a clock that starts now; None for one that does not."""
    at_once = clock.at_once
    if at_once and arrival.is_first and arrival.detail.get(at_once.detail) == at_once.says:
        return at_once.days
    starts = arrival.state in clock.starts or (arrival.is_first and ANY_STATE in clock.starts)
    return clock.days if starts else None


def _over(run: ClockRun, *, late: bool) -> ClockRun:
    return ClockRun(run.clock, Run.OVER, run.unit, run.due_on, -1 if late else 0)
