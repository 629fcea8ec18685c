"""In whose territory an applicant lives, whichever of the two maps unit and address are written by (F37)."""

from __future__ import annotations

import pytest

from issuance_backend.dossiers import particulars
from verification.identity.administrative_units import provinces, units_2025

OLD = {entry.name: code for code, entry in provinces().items()}
NEW = {entry.name: code for code, entry in units_2025().items()}


def is_at_home(place: str, unit: str) -> bool:
    return particulars.is_same_province(particulars.residence_province(place), unit.partition(".")[0])


@pytest.mark.parametrize("name", OLD)
def test_an_address_of_before_2025_is_at_home_in_its_province_on_both_maps(name: str) -> None:
    code = OLD[name]
    place = f"Thôn Đông, Xã A, Huyện B, tỉnh {name}"
    assert is_at_home(place, f"{code}.02")
    assert is_at_home(place, f"{provinces()[code].merged_into_2025}.00013")


@pytest.mark.parametrize("name", NEW)
def test_an_address_since_2025_is_at_home_in_every_province_that_became_its_unit(name: str) -> None:
    code = NEW[name]
    place = f"Phường A, Thành phố {name}"
    assert is_at_home(place, f"{code}.00013")
    assert all(is_at_home(place, f"{member}.02") for member in units_2025()[code].members)


def test_an_address_is_at_home_nowhere_else() -> None:
    for name, code in OLD.items():
        place = f"Xã A, Huyện B, tỉnh {name}"
        homes = {other for other in provinces() if is_at_home(place, other)}
        assert homes == set(units_2025()[provinces()[code].merged_into_2025].members) | {code}
    assert not any(is_at_home("Xã A, Nước ngoài", code) for code in provinces())
