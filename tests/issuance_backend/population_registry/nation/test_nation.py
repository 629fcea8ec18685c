from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, text

from issuance_backend import __main__ as command
from issuance_backend.population_registry import repository as registry
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.nation.events import LifeEventKind, events_of
from issuance_backend.population_registry.nation.number_book import BlockExhausted, NumberBook, Shuffle
from issuance_backend.population_registry.nation.old_records import old_records
from issuance_backend.population_registry.nation.paper_mill import Papers, PapersNotWritten, written_beside
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.nation.spoiling import (
    NAME_MISTAKES,
    Mistake,
    in_units_of_2025,
    without_marks,
)
from issuance_backend.population_registry.storage import migrated
from tests.support.engines import Engine
from verification.identity.citizen_number import CitizenNumber
from verification.messages.person_match import MatchQuery
from verification.messages.person_query import LifeStatus

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
NATION = list(make_nation(NationPlan(people=5_000, seed=1, today=TODAY)))


def test_numbers_agree_with_people_and_stand_once() -> None:
    numbers = [person.entry.citizen_number for person in NATION]
    old = [person.entry.old_id for person in NATION if person.entry.old_id]
    assert len(set(numbers)) == len(NATION)
    assert len(set(old)) == len(old) > 1_000
    for person in NATION:
        entry = person.entry
        number = CitizenNumber(entry.citizen_number)
        assert number.doubts(birth_year=entry.date_of_birth.year, sex=entry.sex) == ()


def test_families_fit_together() -> None:
    people = {person.entry.citizen_number: person for person in NATION}
    children = couples = 0
    for person in NATION:
        father = people.get(person.father_number or "")
        mother = people.get(person.mother_number or "")
        spouse = people.get(person.spouse_number or "")
        if father and mother:
            children += 1
            assert (person.entry.father, person.entry.mother) == (
                father.entry.full_name,
                mother.entry.full_name,
            )
            assert mother.entry.sex == "F"
            assert 15 < (person.entry.date_of_birth - mother.entry.date_of_birth).days / 365 < 46
        if spouse:
            couples += 1
            assert spouse.spouse_number == person.entry.citizen_number
            assert spouse.entry.sex != person.entry.sex
            assert person.married_on == spouse.married_on
            assert person.married_on is not None
            assert person.married_on < TODAY
    assert children > 1_000
    assert couples > 1_000


def test_a_nation_looks_like_one() -> None:
    surnames = Counter(person.entry.full_name.split()[0] for person in NATION)
    assert 0.25 < surnames["Nguyễn"] / len(NATION) < 0.4
    assert len({person.entry.full_name for person in NATION}) > 3_500
    assert len({person.entry.citizen_number[:3] for person in NATION}) == 63
    ages = [(TODAY - person.entry.date_of_birth).days / 365 for person in NATION]
    assert sum(age < 18 for age in ages) > 500
    assert sum(age > 65 for age in ages) > 300
    assert all(age >= 0 for age in ages)
    assert any(person.entry.life_status is LifeStatus.DECEASED for person in NATION)
    homes = {person.household for person in NATION}
    assert 1.5 < len(NATION) / len(homes) < 4.5


@given(seed=st.integers(0, 2**32), people=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_a_seed_gives_the_same_nation_and_a_larger_one_begins_with_it(seed: int, people: int) -> None:
    plan = NationPlan(people=people, seed=seed, today=TODAY)
    larger = NationPlan(people=people + 7, seed=seed, today=TODAY)
    made = list(make_nation(plan))
    assert made == list(make_nation(plan))
    assert list(islice(make_nation(larger), people)) == made
    assert len(made) == people


@given(st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_a_shuffle_gives_every_value_once(seed: int) -> None:
    shuffle = Shuffle(seed, 20, 30)
    assert sorted(shuffle.of(position) for position in range(shuffle.size)) == list(range(600))


def test_a_number_that_is_taken_is_passed_over_until_the_block_is_empty() -> None:
    first = NumberBook(3)
    taken = {first.citizen_number("001", 1990, "M") for _ in range(500)}
    second = NumberBook(3, taken)
    assert not taken & {second.citizen_number("001", 1990, "M") for _ in range(500)}

    class Everything:
        def __contains__(self, _number: object) -> bool:
            return True

    with pytest.raises(BlockExhausted):
        NumberBook(3, Everything()).citizen_number("001", 1990, "M")


def test_events_are_those_of_the_people() -> None:
    events = list(events_of(NATION, date(1900, 1, 1)))
    kinds = Counter(event.kind for event in events)
    assert kinds[LifeEventKind.BIRTH] == len(NATION)
    assert kinds[LifeEventKind.DEATH] == sum(
        person.entry.life_status is LifeStatus.DECEASED for person in NATION
    )
    assert kinds[LifeEventKind.MARRIAGE] > 500
    assert kinds[LifeEventKind.MOVE] > 100
    assert all(event.on <= TODAY for event in events)
    recent = list(events_of(NATION, date(2025, 1, 1)))
    assert 0 < len(recent) < len(events)


def test_every_mistake_occurs_and_every_label_is_true() -> None:
    seen: Counter[Mistake] = Counter()
    for record, person in zip(old_records(NATION, 4), NATION, strict=True):
        entry, claim = person.entry, record.claim
        seen.update(record.mistakes)
        assert record.about == entry.citizen_number
        names = [mistake for mistake in record.mistakes if mistake in NAME_MISTAKES]
        assert bool(names) == (claim.full_name != entry.full_name)
        assert (Mistake.FATHER_LOST in record.mistakes) == (claim.father is None)
        assert (Mistake.SEX_WRONG in record.mistakes) == (claim.sex != entry.sex)
        wrong_birth = {mistake for mistake in record.mistakes if mistake.startswith("birth-")}
        assert claim.date_of_birth is not None
        assert bool(wrong_birth) == (claim.date_of_birth.text != entry.date_of_birth.isoformat())
    assert seen.keys() == set(Mistake)


@pytest.mark.parametrize(
    ("mistake", "name", "spoiled"),
    [
        (Mistake.TONE_MOVED, "Nguyễn Hoà Thuý", "Nguyễn Hòa Thúy"),
        (Mistake.TONE_MOVED, "Lê Quý", "Lê Quý"),
        (Mistake.I_FOR_Y, "Lý Mỹ Thuý", "Lí Mĩ Thuý"),
        (Mistake.D_STROKE_LOST, "Đỗ Đức", "Dỗ Dức"),
        (Mistake.TONE_CONFUSED, "Nghĩa Thủy", "Nghỉa Thũy"),
        (Mistake.GIVEN_NAME_FIRST, "Lê Thị Hoa", "Hoa Lê Thị"),
        (Mistake.SPACES_LOST, "Lê Thị Hoa", "LêThị Hoa"),
        (Mistake.MIDDLE_LOST, "Lê Thị Hoa", "Lê Hoa"),
        (Mistake.MARKS_LOST, "Đặng Thị Ước", "Dang Thi Uoc"),
    ],
)
def test_a_mistake_is_what_its_label_says(mistake: Mistake, name: str, spoiled: str) -> None:
    assert NAME_MISTAKES[mistake](lambda: 0.0, name) == spoiled


def test_an_address_in_the_units_of_2025_has_no_district() -> None:
    assert in_units_of_2025("Thôn Đông, Xã A, Huyện B, Bắc Giang") == "Thôn Đông, Xã A, Bắc Ninh"
    assert without_marks("Bắc Giang") == "Bac Giang"


def test_a_registry_is_filled_with_index_and_all(database_engine: Engine) -> None:
    database = migrated(database_engine.new())
    office = NationOffice(database, lambda: NOW)
    before = _indexes(database_engine.name, database.url)
    assert office.seed(NationPlan(people=600, seed=1, today=TODAY)) == 600
    assert (office.index(), office.index()) == (600, 0)
    # The same seed again: the same people in kind, with numbers that are free.
    assert office.seed(NationPlan(people=100, seed=1, today=TODAY)) == 100
    assert office.index() == 100
    with database.reading() as connection:
        assert registry.count(connection) == 700
        assert registry.person(connection, NATION[0].entry.citizen_number) == NATION[0].entry
        assert connection.execute(text("SELECT count(*) FROM match_entries")).scalar_one() == 700
        common = connection.execute(text("SELECT people FROM match_words WHERE word = 'NGUYEN'"))
        assert common.scalar_one() > 150
    assert _indexes(database_engine.name, database.url) == before
    database.close()


def _indexes(_engine: str, url: str) -> dict[str, list[str | None]]:
    database = migrated(url)
    with database.reading() as connection:
        found = inspect(connection)
        names = {
            table: sorted(str(index["name"]) for index in found.get_indexes(table))
            for table in ("persons", "match_entries")
        }
    database.close()
    assert names["match_entries"]
    return names  # type: ignore[return-value]


def test_a_nation_that_cannot_be_written_leaves_nothing(database_engine: Engine) -> None:
    database = migrated(database_engine.new())

    def full_disk(_people: object) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        NationOffice(database, lambda: NOW).seed(NationPlan(people=50, seed=1, today=TODAY), full_disk)
    with database.reading() as connection:
        assert registry.count(connection) == 0
    assert len(_indexes(database_engine.name, database.url)["match_entries"]) >= 7


def test_the_command_writes_people_events_and_papers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'r.db'}"
    files = ["--events", str(tmp_path / "events"), "--papers", str(tmp_path / "papers")]
    wanted = ["seed", "--seed", "1", "--today", "2026-11-21", "--registry", url]
    assert command.main([*wanted, "--people", "300", *files]) == 0
    assert capsys.readouterr().out.startswith("300 invented people")
    papers = [json.loads(line) for line in (tmp_path / "papers").read_text().splitlines()]
    assert [paper["about"] for paper in papers] == [p.entry.citizen_number for p in NATION[:300]]
    assert {"claim", "mistakes", "about"} == papers[0].keys()
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert {event["kind"] for event in events} <= set(LifeEventKind)
    assert events
    assert command.main([*wanted, "--people", "0"]) == 1


def test_the_command_says_who_is_not_found_yet_and_leaves_no_index_in_part(
    database_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database_engine.new()
    seed = ["seed", "--seed", "1", "--today", "2026-11-21", "--people", "40", "--registry", url]
    database = migrated(url)
    desk, asked = MatchingDesk(database, lambda: NOW), MatchQuery(full_name=NATION[0].entry.full_name)

    def seeded(*more: str) -> tuple[str, bool, int]:
        """What is said of the index, whether an answer passes for whole, and how many are indexed."""
        assert command.main([*seed, *more]) == 0
        told = capsys.readouterr().out.splitlines()
        assert re.fullmatch(r"40 invented people in [0-9.]+ s, [0-9,]+ a second", told[0])
        with database.reading() as connection:
            indexed = connection.execute(text("SELECT count(*) FROM match_entries")).scalar_one()
        return told[1].partition(" in ")[0].partition(":")[0], desk.find(asked).complete, indexed

    assert seeded() == ("not indexed for matching yet", False, 0)
    assert seeded("--index") == ("80 indexed for matching", True, 80)
    # What is there stays whole, or nobody would be told that it is not.
    assert seeded() == ("40 indexed for matching", True, 120)
    database.close()


def test_a_program_beside_writes_what_one_alone_would(tmp_path: Path) -> None:
    plan = NationPlan(people=5_000, seed=1, today=TODAY)
    files = [tmp_path / name for name in ("events", "papers", "events beside", "papers beside")]
    alone, beside = Papers(*files[:2], plan), Papers(*files[2:], plan)
    alone.begin()
    alone.write([NATION])
    with written_beside(beside) as write:
        for portion in (NATION[:2_000], NATION[2_000:], ()):
            write(portion)
    assert [each.read_bytes() for each in files[:2]] == [each.read_bytes() for each in files[2:]]
    assert files[0].stat().st_size > 10_000


def test_papers_that_cannot_be_written_leave_no_nation(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path / 'r.db'}")
    plan = NationPlan(people=300, seed=1, today=TODAY)
    papers = tmp_path / "papers"
    with written_beside(Papers(None, papers, plan)) as write:
        papers.unlink()
        papers.mkdir()
        with pytest.raises(PapersNotWritten):
            NationOffice(database, lambda: NOW).seed(plan, write)
    with database.reading() as connection:
        assert registry.count(connection) == 0
