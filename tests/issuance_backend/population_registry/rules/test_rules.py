from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.rules import __main__ as command
from issuance_backend.population_registry.rules.bulk import check_lines
from issuance_backend.population_registry.rules.checks import CHECKS, MANDATORY
from issuance_backend.population_registry.rules.domain import (
    Measure,
    Rule,
    Weight,
    rule_book,
    rules_on,
)
from issuance_backend.population_registry.rules.form_date import read_form_date
from tests.support.rule_vectors import broken_vectors, vector_units
from verification.errors import MalformedDocument

DAY = date(2021, 1, 15)
RULES = rule_book()
WHOLE = next(rule for rule in RULES if rule.id == "MANDATORY_FIELDS").vectors[0].record
NUMBER = "001190123456"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_of_its_examples_what_the_data_say(rule: Rule) -> None:
    assert broken_vectors(rule) == []
    assert {vector.holds for vector in rule.vectors} >= {True, False}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_its_legal_basis_and_its_words_in_both_languages(rule: Rule) -> None:
    assert rule.legal_basis.strip()
    assert rule.text.vi != rule.text.en
    assert rule.text.vi.endswith(".")
    assert rule.text.en.endswith(".")
    assert rule.valid_to is None or rule.valid_from < rule.valid_to


def test_every_check_belongs_to_a_rule_and_every_version_follows_the_one_before() -> None:
    assert {rule.check for rule in RULES} == set(CHECKS)
    by_id: dict[str, list[Rule]] = {}
    for rule in RULES:
        by_id.setdefault(rule.id, []).append(rule)
    for versions in by_id.values():
        assert [rule.version for rule in versions] == list(range(1, len(versions) + 1))
        assert versions[-1].valid_to is None
        for one, other in pairwise(versions):
            assert one.valid_to == other.valid_from


def test_a_form_is_judged_by_the_rules_of_its_own_day() -> None:
    broken = {**WHOLE, "citizen_number": "12"}
    before = rules_on(date(2024, 6, 30), vector_units()).check(broken)
    after = rules_on(date(2024, 7, 1), vector_units()).check(broken)
    assert [f.rule for f in before] == ["CITIZEN_NUMBER_STRUCTURE@1"]
    assert [f.rule for f in after] == ["CITIZEN_NUMBER_STRUCTURE@2"]
    assert rules_on(date(2015, 12, 31), vector_units()).rules == ()


def test_an_address_is_judged_by_the_map_of_the_forms_own_day() -> None:
    found = rules_on(date(2025, 7, 1), vector_units()).check(WHOLE)
    assert {finding.field for finding in found} == {"permanent_unit", "current_unit"}
    assert rules_on(date(2025, 6, 30), vector_units()).check(WHOLE) == ()


def test_a_whole_form_breaks_no_rule_and_a_finding_says_where_to_look() -> None:
    rules = rules_on(DAY, vector_units())
    assert rules.check({**WHOLE, "citizen_number": NUMBER}) == ()
    (finding,) = rules.check({**WHOLE, "citizen_number": NUMBER, "sex": "M"})
    assert finding.rule == "CITIZEN_NUMBER_SEX@1"
    assert (finding.field, finding.measure, finding.weight) == ("citizen_number", Measure.CLEAN, Weight.FAULT)


def test_a_country_code_in_a_number_is_a_doubt_and_no_fault() -> None:
    (finding,) = rules_on(DAY, vector_units()).check({**WHOLE, "citizen_number": "840190123456"})
    assert (finding.rule, finding.weight) == ("CITIZEN_NUMBER_PLACE@1", Weight.DOUBT)


@pytest.mark.parametrize("field", MANDATORY)
def test_each_mandatory_field_is_missed(field: str) -> None:
    rules = rules_on(DAY, vector_units())
    without = {name: text for name, text in WHOLE.items() if name != field}
    assert "MANDATORY_FIELDS@1" in {finding.rule for finding in rules.check(without)}


@given(st.dates(date(1880, 1, 1), date(2024, 1, 1)), st.sampled_from("/-."))
def test_a_date_is_read_with_one_digit_for_the_months_three_to_nine_only(born: date, mark: str) -> None:
    two = f"{born.day:02d}{mark}{born.month:02d}{mark}{born.year}"
    one = f"{born.day:02d}{mark}{born.month}{mark}{born.year}"
    assert read_form_date(two) == BirthDate.of(born)
    assert read_form_date(two.replace(mark, "")) == BirthDate.of(born)
    is_readable = born.month >= 3
    assert read_form_date(one) == (BirthDate.of(born) if is_readable else None)
    assert read_form_date(one.replace(mark, "")) == (BirthDate.of(born) if is_readable else None)


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = read_form_date(text)
    assert found is None or found.year >= 1850


@given(st.dictionaries(st.sampled_from([*WHOLE, "citizen_number", "spouse", "old_id"]), st.text(max_size=20)))
def test_no_record_stops_the_rules(record: dict[str, str]) -> None:
    found = rules_on(DAY, vector_units()).check(record)
    assert len({finding.rule for finding in found}) == len(found)


def lines(count: int, **changes: str) -> list[bytes]:
    return [json.dumps({**WHOLE, "citizen_number": NUMBER, **changes}).encode()] * count


@pytest.mark.parametrize("processes", [1, 2])
def test_many_records_are_judged_by_several_processes_as_by_one(processes: int) -> None:
    records = [*lines(2_500), *lines(700, sex="M"), *lines(1_300, full_name="A1")]
    report = check_lines(records, DAY, vector_units(), processes)
    assert (report.records, report.without_findings) == (4_500, 2_500)
    assert report.broken == {"CITIZEN_NUMBER_SEX@1": 700, "FULL_NAME_LETTERS@1": 1_300}


@pytest.mark.parametrize("line", [b"[]", b"{", b'{"a":1}', b"\xff"])
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedDocument):
        check_lines([line], DAY, vector_units(), 1)


def test_the_command_tells_how_often_and_never_whose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'r.db'}")
    file = tmp_path / "records.jsonl"
    file.write_bytes(b"\n".join(lines(3, sex="M")))
    assert command.main(["check", str(file), "--on", "2021-01-15", "--processes", "1"]) == 0
    told = capsys.readouterr().out
    assert "records\t3" in told
    assert "CITIZEN_NUMBER_SEX@1\t3" in told
    assert NUMBER not in told
    assert WHOLE["full_name"] not in told
    assert command.main(["list", "--on", "2021-01-15"]) == 0
    assert "CITIZEN_NUMBER_YEAR@1" in capsys.readouterr().out
    assert command.main(["check", str(tmp_path / "none")]) == 1
