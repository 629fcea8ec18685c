from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from verification.identity.administrative_units import current_unit, province, provinces, units_2025


def test_sixty_three_provinces_became_thirty_four_units() -> None:
    assert len(provinces()) == 63
    assert len(units_2025()) == 34
    members = Counter(code for unit in units_2025().values() for code in unit.members)
    assert members == Counter(provinces().keys())


def test_both_directions_of_the_merge_agree() -> None:
    for entry in provinces().values():
        unit = current_unit(entry.code)
        assert unit is not None
        assert entry.code in unit.members


def test_known_provinces() -> None:
    hanoi = province("001")
    assert hanoi is not None
    assert hanoi.name == "Hà Nội"
    merged = current_unit("002")
    assert merged is not None
    assert merged.name == "Tuyên Quang"


@pytest.mark.parametrize("code", ["", "003", "999", "1", "001 "])
def test_other_codes_name_no_province(code: str) -> None:
    assert province(code) is None
    assert current_unit(code) is None


@pytest.mark.shared_data
def test_the_package_holds_the_collected_facts(shared: Path) -> None:
    facts = json.loads((shared / "data" / "cccd_provinces.json").read_bytes())
    expected = {
        (i["code"], i["name"], i["merged_into_2025"]) for i in facts["id_number_province_codes"]["items"]
    }
    assert {(p.code, p.name, p.merged_into_2025) for p in provinces().values()} == expected
