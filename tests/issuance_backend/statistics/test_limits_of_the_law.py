"""The time limits themselves, written down a second time: the figures follow whatever the definitions say.

Circular 60/2021/TT-BCA: two working days where the dossier was taken, three at the centre to approve and
print (four for what was captured there), two to bring the card to the office, at most eleven in all. Only a
return or a case pauses them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.dossiers.domain import CLOSED, DossierState
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.domain import Position, happening_of, move, told_to
from issuance_backend.statistics.roll_up import rules
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.working_days import working_days
from monitoring.database import Database
from tests.support.figure_history import Told, record
from verification.messages.statistics import ClockFigure

WORKING_DAYS = {"local": 2, "central": 3, "transport": 2, "handover": 10, "total": 11}
PAUSED_IN = {"dossier": {"returned", "suspended"}, "card": {"suspended"}}
TUESDAY = datetime.fromisoformat("2021-04-06T02:00:00Z")


def clock_of(database: Database, name: str, steps: list[Told]) -> ClockFigure:
    """How a time limit stands a month after these steps."""
    record(database, steps)
    report = StatisticsOffice(database, lambda: steps[-1].at + timedelta(days=30)).report(Asked())
    return next(clock for clock in report.clocks if clock.definition == name)


def test_every_limit_of_a_dossier_and_its_card_is_the_one_of_the_law() -> None:
    clocks = [clock for clock in vocabulary().clocks if clock.kind in PAUSED_IN]
    assert {clock.id: clock.days for clock in clocks} == WORKING_DAYS
    assert all(set(clock.pauses) == PAUSED_IN[clock.kind] for clock in clocks)


def test_a_dossiers_limit_runs_until_its_card_is_at_the_office_or_none_will_be() -> None:
    total = next(clock for clock in vocabulary().clocks if clock.id == "total")
    assert set(total.stops) == {DossierState.COMPLETED}
    assert set(total.stopped_by) == {"received"}
    assert set(total.ends) == CLOSED - {DossierState.COMPLETED}


@pytest.mark.parametrize(("days", "is_late"), [(2, False), (3, True)])
def test_the_unit_has_two_working_days(database: Database, days: int, is_late: bool) -> None:
    approved = TUESDAY + timedelta(days=days)
    local = clock_of(
        database,
        "local",
        [
            Told(TUESDAY, "dossier/1", "captured", {"unit": "001"}),
            Told(approved, "dossier/1", "local_approved"),
        ],
    )
    assert (local.on_time, local.late) == ((0, 1) if is_late else (1, 0))


@pytest.mark.parametrize(
    ("returned_after", "is_again_captured", "is_late"),
    [(3, True, True), (3, False, True), (2, True, False), (2, False, False)],
)
def test_a_pause_makes_nothing_late_and_nothing_good(
    database: Database, returned_after: int, is_again_captured: bool, is_late: bool
) -> None:
    """Missed before a return it stays missed, also where the unit approves on the day it comes back."""
    again = TUESDAY + timedelta(days=14)
    came_back = [Told(again, "dossier/1", "captured")] if is_again_captured else []
    local = clock_of(
        database,
        "local",
        [
            Told(TUESDAY, "dossier/1", "captured", {"unit": "001"}),
            Told(TUESDAY + timedelta(days=returned_after), "dossier/1", "returned"),
            *came_back,
            Told(again + timedelta(hours=1), "dossier/1", "local_approved"),
        ],
    )
    assert (local.on_time, local.late) == ((0, 1) if is_late else (1, 0))


@pytest.mark.parametrize(
    ("held_in", "is_late"), [("returned", False), ("suspended", False), ("adjudication", True)]
)
def test_only_a_return_or_a_case_stops_the_clock(database: Database, held_in: str, is_late: bool) -> None:
    """Sixteen working days from capture to hand-over (21 April 2021 is none), nine of them in one state."""
    steps = [
        Told(TUESDAY, "dossier/1", "captured", {"unit": "001"}),
        Told(TUESDAY + timedelta(days=1), "dossier/1", held_in),
        Told(TUESDAY + timedelta(days=14), "dossier/1", "validated"),
        Told(TUESDAY + timedelta(days=23), "dossier/1", "completed"),
    ]
    total = clock_of(database, "total", steps)
    assert (total.on_time, total.late) == ((0, 1) if is_late else (1, 0))


def after(days: float, subject: str, state: str, **detail: str) -> Told:
    return Told(TUESDAY + timedelta(days=days), subject, state, detail)


def printed(ordered: float, passed: float, card: str = "card/1") -> list[Told]:
    """The dossier is approved by the centre and its card made."""
    return [
        after(ordered, "dossier/1", "central_approved"),
        after(ordered, card, "ordered", dossier="1"),
        after(passed, card, "qa_passed"),
        after(passed + 0.1, card, "packed"),
    ]


SENT = [after(-1, "dossier/1", "captured", unit="001"), after(0, "dossier/1", "local_approved")]
AT_CENTRE = [
    after(0, "dossier/1", "captured", captured_at="centre"),
    after(1, "dossier/1", "local_approved"),
]


@pytest.mark.parametrize(
    ("begun", "passed", "is_late"),
    [(SENT, 3, False), (SENT, 6, True), (AT_CENTRE, 6, False), (AT_CENTRE, 7, True)],
    ids=["third", "fourth", "fourth, captured at the centre", "fifth, captured at the centre"],
)
def test_the_centre_has_three_working_days_for_everything_and_four_for_its_own_captures(
    database: Database, begun: list[Told], passed: int, is_late: bool
) -> None:
    """Ordered on the third day, the card has no three days of its own."""
    central = clock_of(database, "central", [*begun, *printed(2, passed)])
    assert (central.started, central.on_time, central.late) == ((1, 0, 1) if is_late else (1, 1, 0))


def test_a_spoiled_card_stops_nothing_and_the_next_one_has_what_is_left(database: Database) -> None:
    first = [*printed(1, 2)[:2], after(2, "card/1", "spoiled")]
    second = [after(2, "card/2", "ordered", dossier="1")]
    central = clock_of(database, "central", [*SENT, *first, *second])
    assert (central.started, central.overdue) == (1, 1)
    record(database, [after(40, "card/2", "qa_passed")])
    report = StatisticsOffice(database, lambda: TUESDAY + timedelta(days=41)).report(Asked())
    central = next(clock for clock in report.clocks if clock.definition == "central")
    assert (central.started, central.overdue, central.late, central.ended) == (1, 0, 1, 0)


def test_what_the_centre_sends_back_is_nobodys_delay_of_the_centre(database: Database) -> None:
    steps = [
        *SENT,
        after(1, "dossier/1", "returned"),
        after(14, "dossier/1", "captured"),
        after(14.1, "dossier/1", "local_approved"),
    ]
    assert clock_of(database, "central", [*steps, *printed(15, 16)]).on_time == 1


def test_a_card_of_no_dossier_and_a_lot_of_another_size_stop_no_dossiers_clock(database: Database) -> None:
    others = [
        after(1, "card/8", "qa_passed"),
        after(1, "card/9", "ordered", dossier="1", size="2"),
        after(1, "card/9", "qa_passed"),
    ]
    assert clock_of(database, "central", [*SENT, *others]).overdue == 1


def test_a_clock_that_a_card_stopped_is_over_for_every_later_transaction(database: Database) -> None:
    record(database, [*SENT, *printed(1, 2)])
    central = clock_of(database, "central", [after(20, "dossier/1", "completed")])
    assert (central.started, central.on_time, central.late) == (1, 1, 0)


def test_only_the_first_capture_says_that_the_centre_took_it(database: Database) -> None:
    later = after(1, "dossier/1", "captured", captured_at="centre")
    record(database, [after(0, "dossier/1", "captured", unit="001"), later])
    report = StatisticsOffice(database, lambda: TUESDAY + timedelta(days=2)).report(Asked())
    assert "central" not in {clock.definition for clock in report.clocks}


Stages = tuple[int, ...]
"""Working days at the unit, at the centre, on the way, and at the office until the card is fetched."""

KEPT: list[tuple[Stages, bool]] = [((2, 3, 2, 10), False), ((0, 4, 2, 10), True)]


def whole_way(first: date, stages: Stages, *, at_centre: bool) -> list[Told]:
    """A dossier and its card, each stage with so many working days."""
    days = [first]
    for count in stages:
        days.append(working_days().after(days[-1], count))
    captured, approved, passed, arrived, fetched = (datetime.combine(day, time(3), UTC) for day in days)
    place = {"captured_at": "centre"} if at_centre else {"unit": "001"}
    return [
        Told(captured, "dossier/1", "captured", place),
        Told(approved, "dossier/1", "local_approved"),
        Told(approved, "card/1", "ordered", {"dossier": "1"}),
        Told(passed, "card/1", "qa_passed"),
        Told(arrived, "card/1", "at_office"),
        Told(fetched, "card/1", "active"),
        Told(fetched, "dossier/1", "completed"),
    ]


def verdicts(database: Database, steps: list[Told]) -> dict[str, tuple[int, int]]:
    """On time and late of every clock, a month after these steps."""
    record(database, steps)
    report = StatisticsOffice(database, lambda: steps[-1].at + timedelta(days=30)).report(Asked())
    return {clock.definition: (clock.on_time, clock.late) for clock in report.clocks}


@pytest.mark.parametrize(("stages", "at_centre"), KEPT, ids=["at a unit", "at the centre"])
def test_a_dossier_that_keeps_the_last_day_of_every_limit_is_on_time_in_all(
    database: Database, stages: Stages, at_centre: bool
) -> None:
    found = verdicts(database, whole_way(TUESDAY.date(), stages, at_centre=at_centre))
    assert found == dict.fromkeys(WORKING_DAYS, (1, 0))


@pytest.mark.parametrize(("central", "late"), [(7, False), (8, True)], ids=["eleventh", "twelfth"])
def test_the_card_has_eleven_working_days_to_be_at_its_office(
    database: Database, central: int, late: bool
) -> None:
    found = verdicts(database, whole_way(TUESDAY.date(), (2, central, 2, 0), at_centre=False))
    assert found["total"] == ((0, 1) if late else (1, 0))
    assert found["central"] == (0, 1)


@given(
    first=st.dates(date(2021, 1, 1), date(2027, 12, 31)),
    kept=st.sampled_from(KEPT),
    spared=st.tuples(*[st.integers(0, 10)] * 4),
)
def test_whoever_keeps_every_part_keeps_the_whole_whatever_the_calendar(
    first: date, kept: tuple[Stages, bool], spared: Stages
) -> None:
    """The clocks themselves, without a database: every day of the week, every Tết."""
    most, at_centre = kept
    stages = tuple(max(0, days - less) for days, less in zip(most, spared, strict=True))
    positions: dict[str, Position] = {}
    marks: list[str] = []
    for number, told in enumerate(whole_way(first, stages, at_centre=at_centre)):
        former = positions.get(told.subject)
        happening = happening_of(number, told.subject, told.state, told.at, told.detail)
        made = move(rules(), former, happening)
        if told.subject == "card/1":
            made, positions["dossier/1"] = told_to(rules(), positions["dossier/1"], made, former)
        positions[told.subject] = made.position
        marks.extend(figure for _, figure in made.marks if figure.startswith("clock."))
    ended = {mark for mark in marks if mark.endswith((".on_time", ".late"))}
    assert ended == {f"clock.{name}.on_time" for name in WORKING_DAYS}
