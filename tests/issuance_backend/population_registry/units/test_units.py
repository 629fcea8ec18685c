from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.population_registry.units import __main__ as command
from issuance_backend.population_registry.units.domain import (
    NATION,
    OPEN_END,
    TWO_LEVELS_FROM,
    UNKNOWN,
    Succession,
    Unit,
    UnitLevel,
    UnitRegister,
    lies_in,
    national_units,
)
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import UnitTablesRefused, UnitUnknown
from monitoring.database import Database
from tests.support.engines import Engine
from verification.errors import FieldsRefused
from verification.messages.dc01 import SuccessionEntry, UnitEntry, UnitTables

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
OLD = date(2008, 8, 1)


def entry(
    code: str, level: str, since: date = OLD, until: date | None = None, name: str = "Tên"
) -> UnitEntry:
    return UnitEntry(
        code=code, level=level, name=name, valid_from=since, valid_to=until, legal_basis="thử nghiệm"
    )


def passed(code: str, successor: str, on: date) -> SuccessionEntry:
    return SuccessionEntry(code=code, successor=successor, on=on, legal_basis="thử nghiệm")


SPLIT_ON, RENAMED_ON = date(2015, 1, 1), date(2019, 5, 1)
TABLES = UnitTables(
    units=(
        entry("002.024", "district", until=AFTER),
        # Split in two, of which one was renamed later.
        entry("002.024.00688", "commune", until=SPLIT_ON),
        entry("002.024.00701", "commune", SPLIT_ON, AFTER),
        entry("002.024.00702", "commune", SPLIT_ON, RENAMED_ON, "Tên cũ"),
        entry("002.024.00702", "commune", RENAMED_ON, AFTER, "Tên mới"),
        entry("002.024.00799", "commune", until=AFTER),
        entry("08.00700", "commune", AFTER),
        entry("08.00799", "commune", AFTER),
    ),
    successions=(
        passed("002.024.00688", "002.024.00701", SPLIT_ON),
        passed("002.024.00688", "002.024.00702", SPLIT_ON),
        passed("002.024.00701", "08.00700", AFTER),
        passed("002.024.00702", "08.00700", AFTER),
        passed("002.024.00799", "08.00799", AFTER),
    ),
)


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(REGISTRY_MIGRATIONS))


@pytest.fixture
def office(database: Database) -> UnitOffice:
    office = UnitOffice(database, lambda: NOW)
    office.load(TABLES, "bộ nội vụ")
    return office


def test_sixty_three_provinces_became_thirty_four_units() -> None:
    register = UnitRegister(*national_units())
    assert len(register.under(NATION, BEFORE)) == 63
    assert len(register.under(NATION, AFTER)) == 34
    assert register.line("002", BEFORE) == "002"
    assert register.line("002", AFTER) == "08"
    assert register.line("001", AFTER) == "01"


def test_every_old_province_stands_under_the_unit_that_lists_it() -> None:
    register = UnitRegister(*national_units())
    lines = {unit.code: register.line(unit.code, AFTER) for unit in register.under(NATION, BEFORE)}
    assert len(set(lines.values())) == 34
    assert all(register.unit(line, AFTER) is not None for line in lines.values())


def test_asked_about_the_past_a_unit_that_several_became_cannot_be_told_apart() -> None:
    register = UnitRegister(*national_units())
    assert register.line("01", BEFORE) == "001"
    assert register.line("08", BEFORE) == UNKNOWN
    assert register.line("999", AFTER) == UNKNOWN
    assert register.line("not a code", AFTER) == UNKNOWN


def test_a_split_commune_stands_under_its_district_and_a_merged_one_under_what_it_became(
    office: UnitOffice,
) -> None:
    register = office.register()
    assert register.line("002.024.00688", date(2014, 12, 31)) == "002.024.00688"
    assert register.line("002.024.00688", date(2016, 1, 1)) == "002.024"
    # Both parts became one commune in the end.
    assert register.line("002.024.00688", AFTER) == "08.00700"
    assert register.line("002.024.00799", AFTER) == "08.00799"
    # A district that ended with the reform stands under the province's successor.
    assert register.line("002.024", AFTER) == "08"


def test_an_area_has_the_codes_of_what_became_it(office: UnitOffice) -> None:
    register = office.register()
    assert "002.024.00688" in register.codes_in("08.00700", AFTER)
    assert "002.024.00688" not in register.codes_in("08.00799", AFTER)
    assert {"08", "002", "002.024", "002.024.00688"} <= set(register.codes_in("08", AFTER))
    # A day earlier it was nobody's yet, and whoever still works for the old unit keeps what is filed there.
    assert "002.024.00688" not in register.codes_in("08.00700", BEFORE)
    assert "002.024.00688" in register.codes_in("002.024", AFTER)


def test_a_renamed_commune_keeps_its_code_and_each_day_has_its_name(office: UnitOffice) -> None:
    names = {unit.code: unit.name for unit in office.under("002.024", RENAMED_ON)}
    assert names["002.024.00702"] == "Tên mới"
    earlier = {unit.code: unit.name for unit in office.under("002.024", date(2019, 4, 30))}
    assert earlier["002.024.00702"] == "Tên cũ"
    with pytest.raises(UnitUnknown):
        office.under("002.024", AFTER)
    assert [unit.code for unit in office.under("08", AFTER)] == ["08.00700", "08.00799"]


def test_a_line_is_told_with_its_name(office: UnitOffice) -> None:
    assert office.line("002", AFTER).name == "Tuyên Quang"
    assert office.line("002", BEFORE).name == "Hà Giang"
    with pytest.raises(UnitUnknown):
        office.line("777", AFTER)


def test_the_same_file_twice_changes_nothing(office: UnitOffice) -> None:
    before = office.under("08", AFTER)
    assert office.load(TABLES, "bộ nội vụ") == len(TABLES.units)
    assert office.under("08", AFTER) == before


@pytest.mark.parametrize(
    "tables",
    [
        UnitTables(units=(entry("003", "commune"),)),
        UnitTables(units=(entry("002.024.00001", "district", until=AFTER),)),
        UnitTables(units=(entry("002.099.00001", "commune", until=AFTER),)),
        # A commune that outlives its district.
        UnitTables(units=(entry("002.024.00900", "commune"),)),
        UnitTables(units=(entry("002.024.00799", "commune", date(2020, 1, 1), AFTER),)),
        UnitTables(units=(entry("002.024.00900", "commune", AFTER, AFTER),)),
        UnitTables(units=(entry("x", "province"),)),
        UnitTables(units=(entry("002.024.00900", "commune", until=AFTER, name=" "),)),
        UnitTables(successions=(passed("002.024.00799", "08.00700", SPLIT_ON),)),
        UnitTables(successions=(passed("002.024.00799", "002.024.00701", AFTER),)),
        UnitTables(successions=(passed("08.00700", "08.00799", AFTER),)),
    ],
)
def test_a_map_with_a_hole_or_an_overlap_is_refused_and_nothing_of_it_stands(
    office: UnitOffice, database: Database, tables: UnitTables
) -> None:
    with pytest.raises(UnitTablesRefused):
        office.load(tables, "ai đó")
    anew = UnitOffice(database, lambda: NOW).register()
    assert [unit.code for unit in anew.communes(NATION, AFTER)] == ["08.00700", "08.00799"]


def test_communes_with_fewer_than_five_officers_are_listed_and_uncounted_ones_too(
    office: UnitOffice,
) -> None:
    office.count_officers("08.00700", date(2025, 8, 1), 4, "lan")
    office.count_officers("08.00700", date(2025, 12, 1), 6, "lan")
    office.count_officers("08.00799", date(2025, 8, 1), 3, "lan")
    assert {gap.code: gap.officers for gap in office.understaffed("08", date(2025, 9, 1))} == {
        "08.00700": 4,
        "08.00799": 3,
    }
    assert [gap.code for gap in office.understaffed(NATION, date(2026, 1, 1))] == ["08.00799"]
    assert all(gap.officers is None for gap in office.understaffed("08", AFTER))
    with pytest.raises(UnitUnknown):
        office.count_officers("08.00001", date(2025, 8, 1), 5, "lan")
    with pytest.raises(FieldsRefused):
        office.count_officers("08.00700", date(2025, 8, 1), -1, "lan")


def test_another_desk_sees_what_was_loaded_after_it_looked(database: Database) -> None:
    one, other = UnitOffice(database, lambda: NOW), UnitOffice(database, lambda: NOW)
    assert one.register().communes(NATION, AFTER) == []
    other.load(TABLES, "bộ nội vụ")
    assert len(one.register().communes(NATION, AFTER)) == 2


def test_the_command_loads_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'r.db'}")
    file = tmp_path / "units.json"
    district = {"code": "002.024", "level": "district", "name": "Huyện A", "valid_from": "2008-08-01"}
    file.write_text(json.dumps({"units": [{**district, "valid_to": "2025-07-01", "legal_basis": "x"}]}))
    assert command.main(["load", str(file), "--actor", "lan"]) == 0
    assert command.main(["show", "--parent", "002", "--on", "2020-01-01"]) == 0
    assert "002.024\tdistrict\tHuyện A" in capsys.readouterr().out
    file.write_text(json.dumps({"units": [{**district, "legal_basis": "x"}]}))
    assert command.main(["load", str(file), "--actor", "lan"]) == 1
    assert "UNIT_TABLES_REFUSED" in capsys.readouterr().err
    file.write_text("{}}")
    assert command.main(["load", str(file), "--actor", "lan"]) == 1


@st.composite
def histories(draw: st.DrawFn) -> UnitRegister:
    """Twelve communes of one district, merged and split at random on random days."""
    units, successions = national_units()
    units.append(Unit("002.024", UnitLevel.DISTRICT, "Huyện", OLD, TWO_LEVELS_FROM, "x"))
    alive = {f"002.024.{number:05d}": OLD for number in range(12)}
    ended: list[Unit] = []
    number = 100
    for year in draw(st.lists(st.integers(2009, 2024), unique=True, max_size=6).map(sorted)):
        day = date(year, 1, 1)
        gone = draw(st.lists(st.sampled_from(sorted(alive)), unique=True, min_size=1, max_size=3))
        made = [f"002.024.{number + extra:05d}" for extra in range(draw(st.integers(1, 3)))]
        number += 10
        for code in gone:
            ended.append(Unit(code, UnitLevel.COMMUNE, "Xã", alive.pop(code), day, "x"))
            successions += [Succession(code, successor, day, "x") for successor in made]
        alive.update(dict.fromkeys(made, day))
    units += ended
    units += [Unit(code, UnitLevel.COMMUNE, "Xã", day, TWO_LEVELS_FROM, "x") for code, day in alive.items()]
    return UnitRegister(units, successions)


@settings(max_examples=60, deadline=None)
@given(register=histories(), day=st.dates(OLD, date(2027, 1, 1)), asked=st.dates(OLD, date(2027, 1, 1)))
def test_every_record_stands_under_one_unit_of_the_day_asked_about(
    register: UnitRegister, day: date, asked: date
) -> None:
    """Nothing filed on any day is lost from a report for any other, and no line is of another day."""
    for unit in [*register.communes(NATION, day), *register.under(NATION, day)]:
        line = register.line(unit.code, asked)
        assert line == UNKNOWN or register.unit(line, asked) is not None
        if register.unit(unit.code, asked) is not None:
            assert line == unit.code
        if asked >= day:
            assert line != UNKNOWN


def test_an_area_holds_what_lies_in_it_and_not_its_namesakes() -> None:
    assert lies_in("002.024.00688", "002")
    assert lies_in("002", NATION)
    assert not lies_in("0021.1", "002")
    assert OPEN_END > AFTER
