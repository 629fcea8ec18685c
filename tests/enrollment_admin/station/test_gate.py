"""The gate of a kit without a network: what it stops, what it lets through, and how often it is wrong."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import cycle, islice

import pytest
from msgspec.structs import replace

from enrollment_admin.station.gate import Declaration, GateAnswer, GateCode, Stop, judge
from tests.support.gate_trial import ERRORS, TODAY, Citizen, citizens, extract_of, injected, is_dead, right
from verification.messages.commune_extract import CommuneExtract
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.person_query import LifeStatus

PEOPLE = 20_000
DECLARATIONS = 2_000
UNIT_PROVINCES = frozenset({"001", "079", "048"})


@pytest.fixture(scope="module")
def nation() -> list[Citizen]:
    return citizens(PEOPLE)


@pytest.fixture(scope="module")
def unit(nation: list[Citizen]) -> list[Citizen]:
    """Whole households, so that the number of somebody else under the roof is one of the unit's."""
    return [citizen for citizen in nation if citizen.entry.citizen_number[:3] in UNIT_PROVINCES]


@pytest.fixture(scope="module")
def elsewhere(nation: list[Citizen]) -> list[Citizen]:
    return [citizen for citizen in nation if citizen.entry.citizen_number[:3] not in UNIT_PROVINCES]


@pytest.fixture(scope="module")
def extract(nation: list[Citizen], unit: list[Citizen]) -> CommuneExtract:
    return extract_of(nation, unit)


def share_stopped(declarations: list[Declaration], extract: CommuneExtract) -> float:
    return sum(not judge(each, extract, TODAY).is_open for each in declarations) / len(declarations)


@pytest.mark.parametrize("kind", ERRORS)
def test_a_mistake_about_somebody_of_the_unit_is_stopped(
    kind: str, unit: list[Citizen], extract: CommuneExtract
) -> None:
    assert share_stopped(list(injected(kind, unit, DECLARATIONS)), extract) >= 0.95


# What only shows beside the entry itself: marks, which the filter of names leaves out.
@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind != "tone marks lost or confused"])
def test_a_mistake_about_somebody_of_another_unit_is_stopped(
    kind: str, elsewhere: list[Citizen], extract: CommuneExtract
) -> None:
    assert share_stopped(list(injected(kind, elsewhere, DECLARATIONS)), extract) >= 0.95


def test_the_dead_are_stopped(unit: list[Citizen], extract: CommuneExtract) -> None:
    dead = [citizen for citizen in unit if is_dead(citizen)]
    answers = [judge(each.declared, extract, TODAY) for each in islice(cycle(dead), DECLARATIONS)]
    assert {answer.stops for answer in answers} == {(Stop(GateCode.DECEASED, "citizen_number"),)}


def test_a_right_declaration_is_not_stopped(
    unit: list[Citizen], elsewhere: list[Citizen], extract: CommuneExtract
) -> None:
    assert share_stopped(list(right(unit, DECLARATIONS)), extract) == 0
    assert share_stopped(list(right(elsewhere, DECLARATIONS)), extract) == 0


def test_whoever_truly_has_no_number_is_not_stopped(extract: CommuneExtract) -> None:
    strangers = [replace(each.declared, citizen_number=None) for each in citizens(DECLARATIONS, seed=77)]
    assert share_stopped(strangers, extract) <= 0.01


def answered(extract: CommuneExtract, citizen: Citizen, **said: object) -> GateAnswer:
    return judge(replace(citizen.declared, **said), extract, TODAY)


def test_a_right_declaration_of_the_unit_brings_the_entry_that_pre_fills(
    unit: list[Citizen], extract: CommuneExtract
) -> None:
    citizen = next(each for each in unit if not is_dead(each))
    assert answered(extract, citizen) == GateAnswer((), person=citizen.entry)


def test_of_another_unit_nothing_can_be_compared_and_a_supervisor_answers(
    elsewhere: list[Citizen], extract: CommuneExtract
) -> None:
    answer = answered(extract, elsewhere[0])
    assert answer == GateAnswer((), notices=(GateCode.NOT_OF_THIS_COMMUNE,))
    assert answer.needs_exception


@pytest.mark.parametrize("known", [4, 7])
def test_a_date_that_the_registry_knows_in_part_is_completed_there_first(
    known: int, unit: list[Citizen]
) -> None:
    citizen = next(each for each in unit if not is_dead(each))
    said, born = citizen.declared, citizen.declared.date_of_birth
    person = replace(citizen.entry.person, date_of_birth=born.isoformat()[:known])
    partly = Citizen(replace(citizen.entry, person=person), citizen.others)
    extract = extract_of([partly], [partly])
    assert judge(said, extract, TODAY).stops == (Stop(GateCode.BIRTH_DATE_PARTIAL, "date_of_birth"),)
    other = judge(replace(said, date_of_birth=born.replace(year=born.year - 1, day=1)), extract, TODAY)
    assert {GateCode.BIRTH_DATE_PARTIAL, GateCode.BIRTH_DATE_DIFFERS} <= {stop.code for stop in other.stops}
    new = judge(replace(said, citizen_number=None), extract, TODAY)
    assert new == GateAnswer((Stop(GateCode.HAS_NUMBER, "citizen_number"),), person=partly.entry)
    assert judge(said, extract_of([partly], []), TODAY).is_open, "another unit's"


@pytest.mark.parametrize("number", ["", "12345", "00119000000x", "0011900000012", "００１１９００００００１"])
def test_a_number_that_is_none_is_stopped(number: str, unit: list[Citizen], extract: CommuneExtract) -> None:
    stops = answered(extract, unit[0], citizen_number=number).stops
    assert stops == (Stop(GateCode.NUMBER_MALFORMED, "citizen_number"),)


@pytest.mark.parametrize("name", ["", "   ", "李", "12", "x" * 201])
def test_a_name_that_no_card_carries_is_stopped(
    name: str, unit: list[Citizen], extract: CommuneExtract
) -> None:
    assert answered(extract, unit[0], full_name=name).stops == (Stop(GateCode.NAME_MALFORMED, "full_name"),)


def test_nobody_is_born_tomorrow(unit: list[Citizen], extract: CommuneExtract) -> None:
    tomorrow = TODAY + timedelta(days=1)
    stops = answered(extract, unit[0], date_of_birth=tomorrow).stops
    assert stops == (Stop(GateCode.BORN_LATER, "date_of_birth"),)


def test_an_extract_that_is_over_answers_for_nobody(unit: list[Citizen], extract: CommuneExtract) -> None:
    last_day, next_day = date(2026, 12, 5), date(2026, 12, 6)  # expires at midnight in Viet Nam
    assert judge(unit[0].declared, extract, last_day).is_open
    assert judge(unit[0].declared, extract, next_day).stops[0].code is GateCode.EXTRACT_EXPIRED


def test_a_merged_number_is_stopped_and_leads_to_the_one_in_force(
    nation: list[Citizen], unit: list[Citizen], elsewhere: list[Citizen]
) -> None:
    kept = next(each for each in unit if not is_dead(each))
    former = elsewhere[0].entry.citizen_number
    extract = extract_of(nation, unit, merged={former: kept.entry.citizen_number})
    answer = answered(extract, kept, citizen_number=former)
    assert answer == GateAnswer((Stop(GateCode.NUMBER_MERGED, "citizen_number"),), person=kept.entry)


def test_every_field_that_differs_is_named(unit: list[Citizen], extract: CommuneExtract) -> None:
    one, other = [each for each in unit if each.declared.sex == "M"][:2]
    said = replace(other.declared, citizen_number=one.entry.citizen_number, sex="F")
    fields = {stop.field for stop in judge(said, extract, TODAY).stops}
    assert fields == {"sex", "date_of_birth", "full_name"}


def test_another_s_number_is_told_by_its_digits(elsewhere: list[Citizen], extract: CommuneExtract) -> None:
    """Number and name are both known; that they belong to two people shows in sex and year."""
    said = elsewhere[0].declared
    other = next(
        each.declared
        for each in elsewhere
        if each.declared.sex != said.sex and each.declared.date_of_birth.year != said.date_of_birth.year
    )
    stops = judge(replace(said, citizen_number=other.citizen_number), extract, TODAY).stops
    assert stops == tuple(
        Stop(code, "citizen_number") for code in (GateCode.NUMBER_OF_OTHER_YEAR, GateCode.NUMBER_OF_OTHER_SEX)
    )


def test_a_correction_outranks_the_digits(nation: list[Citizen]) -> None:
    """The registry's sex was put right after the number was given: the number itself never changes."""
    citizen = next(each for each in nation if not is_dead(each))
    other = "F" if citizen.declared.sex == "M" else "M"
    entry = replace(citizen.entry, person=replace(citizen.entry.person, sex=other))
    corrected = Citizen(entry, citizen.others)
    assert answered(extract_of(nation, [corrected]), corrected).is_open


def test_somebody_declared_missing_is_stopped_and_an_open_dossier_is_noticed(nation: list[Citizen]) -> None:
    citizen = next(each for each in nation if not is_dead(each))
    missing = Citizen(replace(citizen.entry, life_status=LifeStatus.MISSING.value), ())
    waiting = Citizen(replace(citizen.entry, open_dossier="d-1"), ())
    stops = answered(extract_of(nation, [missing]), missing).stops
    assert stops == (Stop(GateCode.MISSING, "citizen_number"),)
    answer = answered(extract_of(nation, [waiting]), waiting)
    assert (answer.is_open, answer.notices) == (True, (GateCode.DOSSIER_OPEN,))


def test_declared_new_shows_who_of_the_unit_it_is(unit: list[Citizen], extract: CommuneExtract) -> None:
    answer = answered(extract, unit[0], citizen_number=None)
    assert answer == GateAnswer((Stop(GateCode.HAS_NUMBER, "citizen_number"),), person=unit[0].entry)


def test_a_country_s_code_is_no_fault_in_a_number_that_is_known(nation: list[Citizen]) -> None:
    """Births abroad are registered under a country's code, of which no table is published."""
    citizen = next(each for each in nation if not is_dead(each))
    abroad = Citizen(replace(citizen.entry, citizen_number=f"999{citizen.entry.citizen_number[3:]}"), ())
    assert answered(extract_of([*nation, abroad], []), abroad).is_open
    codes = {stop.code for stop in answered(extract_of(nation, []), abroad).stops}
    assert codes == {GateCode.NUMBER_OF_NO_PROVINCE, GateCode.NO_RECORD}


@pytest.mark.parametrize("sex", ["", "X", "m"])
def test_a_declaration_has_one_of_two_sexes(sex: str) -> None:
    with pytest.raises(ValueError, match="sex"):
        Declaration(None, "Nguyễn Văn An", TODAY, sex)


def test_every_code_of_the_gate_has_its_sentence() -> None:
    assert {code.value for code in GateCode} <= fault_catalogue().keys()
