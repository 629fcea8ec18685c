"""63 provinces until 30 June 2025, 34 units from 1 July on (Resolution 202/2025/QH15)."""

from __future__ import annotations

from datetime import date

from issuance_backend.statistics.units import line_of, members_of
from verification.identity.administrative_units import provinces

LAST, FIRST = date(2025, 6, 30), date(2025, 7, 1)


def test_a_report_of_the_last_day_and_of_the_first() -> None:
    for code, province in provinces().items():
        assert line_of(f"{code}.02", LAST) == f"{code}.02"
        assert line_of(f"{code}.02", FIRST) == f"{province.merged_into_2025}.02"
        assert members_of(code, LAST) == (code,)
        assert f"{code}.02" in members_of(f"{province.merged_into_2025}.02", FIRST)
