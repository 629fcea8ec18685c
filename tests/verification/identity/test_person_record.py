from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from verification.identity.citizen_number import CitizenNumber
from verification.identity.person_record import PersonRecord

PERSON = PersonRecord(
    citizen_number=CitizenNumber("001090123456"),
    full_name="Nguyễn Văn Thử Nghiệm",
    date_of_birth=date(1990, 1, 1),
    sex="M",
    nationality="Việt Nam",
    ethnicity="Kinh",
    religion="Không",
    place_of_origin="Thử Nghiệm, Ba Đình, Hà Nội",
    place_of_residence="Số 1 Phố Giả Định, Ba Đình, Hà Nội",
    identification="Nốt ruồi cách 1cm dưới đuôi mắt trái",
    father="Nguyễn Văn Cha",
    mother="Trần Thị Mẹ",
)


def test_the_person_is_not_shown() -> None:
    assert repr(PERSON) == "PersonRecord(...)"
    assert "Nguyễn" not in f"{PERSON}"


def test_family_and_old_number_are_optional() -> None:
    assert PERSON.spouse is None
    assert PERSON.old_id is None


@pytest.mark.parametrize("sex", ["", "Nam", "m", "<"])
def test_sex_is_m_or_f(sex: str) -> None:
    with pytest.raises(ValueError, match="M or F"):
        replace(PERSON, sex=sex)
