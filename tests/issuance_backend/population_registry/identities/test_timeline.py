"""Against a plain model: the value on a day, as known then, is what the last statement about it said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.population_registry.identities import timeline
from issuance_backend.population_registry.identities.timeline import OPEN_END, Fact, Origin

START = date(2000, 1, 1)
DAYS = st.integers(0, 40)


@dataclass(frozen=True)
class Said:
    """A statement of the model: over [first, end) the value was so."""

    value: str
    first: int
    end: int


statements = st.lists(
    st.tuples(DAYS, st.integers(1, 40)).map(lambda pair: Said("", pair[0], pair[0] + pair[1])), max_size=12
).map(lambda said: [replace(each, value=f"value {index}") for index, each in enumerate(said)])


def fact(said: Said, recorded: int) -> Fact:
    return Fact(
        value=said.value,
        valid_from=START + timedelta(days=said.first),
        valid_to=START + timedelta(days=said.end),
        recorded_at=moment(recorded),
        origin=Origin(source=said.value, evidence="", confidence=100, reported_for=""),
        id=0,
    )


def moment(recorded: int) -> str:
    return f"2026-01-01T00:00:{recorded:02d}.000000Z"


class Shelf:
    """Keeps facts as the table does."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    @property
    def standing(self) -> list[Fact]:
        return [each for each in self.facts if each.stands]

    def keep(self, revision: timeline.Revision, recorded: int) -> None:
        ended = {each.id for each in revision.superseded}
        self.facts = [
            replace(each, superseded_at=moment(recorded)) if each.id in ended and each.stands else each
            for each in self.facts
        ]
        for added in revision.added:
            self.facts.append(replace(added, id=len(self.facts) + 1))


@given(said=statements)
def test_every_day_is_known_as_it_was_known_at_every_moment(said: list[Said]) -> None:
    shelf = Shelf()
    for recorded, each in enumerate(said, 1):
        shelf.keep(timeline.state(shelf.standing, fact(each, recorded)), recorded)
    for known in range(len(said) + 1):
        for day in range(0, 82, 3):
            expected = next(
                (each.value for each in reversed(said[:known]) if each.first <= day < each.end), None
            )
            on = START + timedelta(days=day)
            found = [each for each in shelf.facts if each.holds(on, moment(known))]
            assert len(found) <= 1
            assert (found[0].value if found else None) == expected
            # Parts that were recorded again keep their origin.
            assert not found or found[0].origin.source == found[0].value


@given(moves=st.lists(st.tuples(DAYS, st.text("abc", min_size=1, max_size=2)), max_size=8))
def test_moves_reported_in_any_order_end_where_the_latest_move_says(moves: list[tuple[int, str]]) -> None:
    shelf = Shelf()
    for recorded, (day, home) in enumerate(moves, 1):
        said = replace(fact(Said(home, day, 10**4), recorded), valid_to=OPEN_END)
        shelf.keep(timeline.change(shelf.standing, said), recorded)
    for day in range(45):
        happened = [(at, -index) for index, (at, _) in enumerate(moves) if at <= day]
        found = timeline.in_force(shelf.facts, START + timedelta(days=day), moment(59))
        if not happened:
            assert found is None
        else:
            latest = max(at for at, _ in happened)
            last_report = max(index for index, (at, _) in enumerate(moves) if at == latest)
            assert found is not None
            assert found.value == moves[last_report][1]


@given(said=statements, day=DAYS)
def test_a_correction_touches_nothing_but_what_was_wrong(said: list[Said], day: int) -> None:
    shelf = Shelf()
    for recorded, each in enumerate(said, 1):
        shelf.keep(timeline.state(shelf.standing, fact(each, recorded)), recorded)
    on = START + timedelta(days=day)
    wrong = timeline.in_force(shelf.standing, on, moment(58))
    if wrong is None:
        return
    right = replace(fact(Said("right", day, day + 1), 58), valid_to=OPEN_END)
    before = list(shelf.standing)
    shelf.keep(timeline.correct(shelf.standing, right), 58)
    assert [each for each in shelf.standing if each.value != "right"] == [
        each for each in before if each.id != wrong.id
    ]
    corrected = [each for each in shelf.standing if each.value == "right"]
    assert [(each.valid_from, each.valid_to) for each in corrected] == [(wrong.valid_from, wrong.valid_to)]
