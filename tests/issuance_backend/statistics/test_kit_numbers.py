"""Which numbers of a kit are missing is known for every moment, whatever order its packets come in (I7)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from issuance_backend.moments import rfc3339
from issuance_backend.paging import PageAsked
from issuance_backend.statistics import number_repository
from issuance_backend.statistics.kit_numbers import MAX_AHEAD, KitNumbers, NumberTold, numbers_after
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.recount import Recount
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.tables import FIGURE_NUMBERS
from monitoring.database import Database
from tests.support.figure_history import START, Told, count, record, wipe
from verification.messages.statistics import KitFigure

HOUR = timedelta(hours=1)
UNITS = {"kit-1": "001.02", "kit-2": "036"}


def announced(hour: int, kit: str, number: int) -> Told:
    detail = {"kit": kit, "sequence": str(number), "unit": UNITS[kit]}
    return Told(START + hour * HOUR, f"packet/{kit}-{number}", "announced", detail)


def given_up(hour: int, kit: str, number: int) -> Told:
    return Told(START + hour * HOUR, "kit", "close_gap", {"kit": kit, "sequence": str(number)})


def kits(database: Database, hour: int, unit: str = "") -> tuple[KitFigure, ...]:
    office = StatisticsOffice(database, lambda: START + timedelta(days=90))
    return office.report(Asked(unit=unit, as_of=START + hour * HOUR)).kits


def test_a_number_is_missing_from_the_packet_that_told_of_it_until_its_own_comes(database: Database) -> None:
    record(database, [
        announced(0, "kit-1", 1),
        announced(1, "kit-1", 5),
        announced(2, "kit-2", 1),
        announced(3, "kit-1", 3),
        given_up(4, "kit-1", 2),
        announced(5, "kit-1", 2),
    ])  # fmt: skip
    since = rfc3339(START + HOUR)
    assert kits(database, 0) == ()
    assert kits(database, 1) == (KitFigure("kit-1", "001.02", 5, 3, 0, since),)
    assert kits(database, 3) == (KitFigure("kit-1", "001.02", 5, 2, 0, since),)
    assert kits(database, 4) == (KitFigure("kit-1", "001.02", 5, 1, 1, since),)
    assert kits(database, 5) == (KitFigure("kit-1", "001.02", 5, 1, 0, since),), "it came all the same"
    assert kits(database, 5, "001") == kits(database, 5)
    assert kits(database, 5, "036") == ()


def test_the_missing_numbers_stand_behind_their_figure(database: Database) -> None:
    record(database, [announced(0, "kit-1", 4), announced(1, "kit-1", 2)])
    office = StatisticsOffice(database, lambda: START + 9 * HOUR)
    first = office.records(Asked(), "missing.kit-1", PageAsked(1, None))
    assert [(line.sequence, line.subject, line.state) for line in first.entries] == [
        (1, "kit/kit-1/1", "missing")
    ]
    rest = office.records(Asked(), "missing.kit-1", PageAsked(9, ("1",)))
    assert [line.sequence for line in rest.entries] == [3]
    then = office.records(Asked(as_of=START), "missing.kit-1", PageAsked(9, None))
    assert [line.sequence for line in then.entries] == [1, 2, 3]
    assert office.records(Asked(unit="036"), "missing.kit-1", PageAsked(9, None)).entries == ()


@st.composite
def arrivals(draw: st.DrawFn) -> list[Told]:
    """Packets of two kits in any order, and cases that give up what is missing then."""
    waiting = [(kit, number) for kit in UNITS for number in range(1, draw(st.integers(1, 7)))]
    steps, heads, here = [], dict.fromkeys(UNITS, 0), set()
    for hour, (kit, number) in enumerate(draw(st.permutations(waiting))):
        if draw(st.integers(0, 4)):
            steps.append(announced(hour, kit, number))
            heads[kit] = max(heads[kit], number)
            here.add((kit, number))
        elif number < heads[kit] and (kit, number) not in here:
            steps.append(given_up(hour, kit, number))
    return steps


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=arrivals(), again=st.booleans())
def test_every_number_is_here_or_missing_or_given_up_at_every_moment(
    database: Database, steps: list[Told], again: bool
) -> None:
    wipe(database)
    for step in steps:
        record(database, [step])
    if again:
        Recount(database).everything()
    assert RecordCheckDesk(database, lambda: START).check().named == ()
    for version, step in enumerate(steps, start=1):
        found = {}
        with database.reading() as connection:
            for each in number_repository.missing(connection, ("",), version):
                found[each.kit] = (each.newest, each.missing, each.given_up)
        numbers = count(steps, step.at).numbers
        expected = {}
        for kit, told in numbers.items():
            newest = max(told["came"], default=0)
            lost = set(range(1, newest + 1)) - told["came"]
            if lost:
                expected[kit] = (newest, len(lost - told["closed"]), len(lost & told["closed"]))
        assert found == expected


def test_a_number_that_no_kit_can_have_makes_no_gap() -> None:
    told = [NumberTold(1, "kit-1", number, "001", came=True) for number in (0, MAX_AHEAD + 1, 2)]
    assert sorted(numbers_after(told, {}, ())) == [("kit-1", 1), ("kit-1", 2)]


def test_a_packet_far_ahead_makes_one_row_of_all_that_is_missing(database: Database) -> None:
    record(database, [announced(0, "kit-1", MAX_AHEAD)])
    assert rows(database) == 2
    since = rfc3339(START)
    assert kits(database, 0) == (KitFigure("kit-1", "001.02", MAX_AHEAD, MAX_AHEAD - 1, 0, since),)
    record(database, [announced(1, "kit-1", 500), given_up(2, "kit-1", 501), announced(3, "kit-1", 99_999)])
    assert rows(database) == 6
    assert RecordCheckDesk(database, lambda: START).check().named == ()
    assert kits(database, 3) == (KitFigure("kit-1", "001.02", MAX_AHEAD, MAX_AHEAD - 4, 1, since),)
    assert kits(database, 0)[0].missing == MAX_AHEAD - 1, "as it was known then"
    office = StatisticsOffice(database, lambda: START + 9 * HOUR)
    found = office.records(Asked(), "missing.kit-1", PageAsked(3, ("498",))).entries
    assert [line.sequence for line in found] == [499, 502, 503]
    last = office.records(Asked(), "missing.kit-1", PageAsked(9, ("99996",))).entries
    assert [line.sequence for line in last] == [99_997, 99_998]


def rows(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(FIGURE_NUMBERS)).scalar_one())


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=40), st.integers(1, 5))
def test_ranges_know_of_each_number_what_one_row_each_would(
    steps: list[tuple[int, bool]], at_once: int
) -> None:
    """Told in portions, of which each is given what was kept of those before."""
    told = [NumberTold(place, "kit-1", number, "001", came) for place, (number, came) in enumerate(steps)]
    kept: dict[tuple[str, int], KitNumbers] = {}
    for first in range(0, len(told), at_once):
        newest = {"kit-1": max((each.last for each in kept.values()), default=0)}
        kept |= numbers_after(told[first : first + at_once], newest, kept.values())
    by_number = {n: each for each in kept.values() for n in range(each.number, each.last + 1)}
    assert len(by_number) == sum(each.further + 1 for each in kept.values()), "no number stands twice"
    head = 0
    expected: dict[int, list[int | None]] = {}
    for each in told:
        expected |= {n: [each.sequence, None, None] for n in range(head + 1, each.number + 1)}
        head = max(head, each.number)
        which = 1 if each.came else 2
        if expected[each.number][which] is None:
            expected[each.number][which] = each.sequence
    assert {n: [each.since, each.came, each.closed] for n, each in by_number.items()} == expected
