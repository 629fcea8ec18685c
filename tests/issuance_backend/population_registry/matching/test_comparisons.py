from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.population_registry.birth import (
    BirthDate,
    BirthLevel,
    compare_births,
    read_birth_date,
)
from issuance_backend.population_registry.matching.name import NameLevel, compare_names, prepare_name
from issuance_backend.population_registry.matching.place import PlaceLevel, compare_places, read_place
from issuance_backend.population_registry.matching.word_distance import edit_distance, is_near, sound
from verification.errors import MalformedDocument

KNOWN_NAMES = {"SANG", "BANG", "HOA", "ANH", "AN", "TO", "THO"}


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA", NameLevel.SAME),
        ("Lý Mỹ Kỳ", "Lí Mĩ Kì", NameLevel.SAME),
        ("Nguyễn Thị Hoà", "Nguyen Thi Hoa", NameLevel.MARKS_MISSING),
        ("Đỗ Trọng Nghĩa", "Đỗ Trọng Nghỉa", NameLevel.TONE_CONFUSED),
        ("Lê Thị Ánh", "Lê Thị Anh", NameLevel.MARKS_DIFFER),
        ("Hoa Nguyễn Thị", "Nguyễn Thị Hoa", NameLevel.OTHER_ORDER),
        ("Hoa Nguyxn Thị", "Nguyễn Thị Hoa", NameLevel.OTHER_ORDER_MISSPELT),
        ("NguyễnThị Hoa", "Nguyễn Thị Hoa", NameLevel.SPACES_DIFFER),
        ("MáMỷ Máy", "Má Mỷ Máy", NameLevel.SPACES_DIFFER),
        ("Trần Văn Chinh", "Trần Văn Trinh", NameLevel.WORD_MISSPELT),
        ("Trần Văn Hoảng", "Trần Văn Hoàng", NameLevel.MARKS_DIFFER),
        ("Lê Thị Ngọc Hoa", "Lê Ngọc Hoa", NameLevel.WORD_MISSING),
        ("Hoa Lê", "Lê Thị Ngọc Hoa", NameLevel.TWO_MISTAKES),
        ("Hoa Trần", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("Chần Hoa", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("HoaTrần Thị", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("TrầnHoa", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("TrnầThị Hoa", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("TrầnThị Hooa", "Trần Thị Hoa", NameLevel.TWO_MISTAKES),
        ("TrầnThị Sáng", "Trần Thị Bằng", NameLevel.OTHER),
        ("Trần Sáng", "Trần Thị Bằng", NameLevel.OTHER),
        ("TrầnSáng", "Trần Thị Bằng", NameLevel.OTHER),
        ("Chần Hooa", "Trần Thị Hoa", NameLevel.OTHER),
        ("TrnầHoa", "Trần Thị Hoa", NameLevel.OTHER),
        ("Chần Ngọcc Hoa", "Trần Thị Ngọc Hoa", NameLevel.OTHER),
        ("Hoa Văn", "Trần Thị Hoa", NameLevel.OTHER),
        ("Phạm Văn Tọ", "Phạm Văn Thọ", NameLevel.GIVEN_NEARLY),
        ("Trần Thị Thỷ", "Trần Thị Thủy", NameLevel.WORD_MISSPELT),
        ("Lê Thu Hoa", "Lê Ngọc Hoa", NameLevel.MIDDLE_OTHER),
        ("Lê Ngọc Hoa", "Phạm Ngọc Hoa", NameLevel.SURNAME_OTHER),
        ("Phạm Văn Sáng", "Phạm Văn Bằng", NameLevel.GIVEN_NEARLY),
        ("Lê Văn Hoa", "Lê Văn Anh", NameLevel.GIVEN_OTHER),
        ("Lê Văn Hoa", "Trần Hữu Anh", NameLevel.OTHER),
        ("", "Trần Hữu Anh", NameLevel.OTHER),
    ],
)
def test_names(one: str, other: str, level: NameLevel) -> None:
    known = KNOWN_NAMES.__contains__
    assert compare_names(prepare_name(one), prepare_name(other), known).level is level
    assert compare_names(prepare_name(other), prepare_name(one), known).level is level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("1970-05-12", "12/5/1970", BirthLevel.SAME),
        ("1970-05-12", "1970", BirthLevel.SAME_YEAR),
        ("1970-05-12", "05/1970", BirthLevel.SAME_MONTH),
        ("1970-05-12", "1970-06-00", BirthLevel.SAME_YEAR_OTHER_DAY),
        ("1970-05-12", "05121970", BirthLevel.DAY_AND_MONTH_SWAPPED),
        ("1970-05-12", "1971-05-12", BirthLevel.ONE_DIGIT_OTHER),
        ("1999-05-12", "2000-05-12", BirthLevel.ONE_DIGIT_OTHER),
        ("1970-05-12", "1970-05-18", BirthLevel.ONE_DIGIT_OTHER),
        ("1970-05-12", "1970-01-01", BirthLevel.YEAR_FOR_DATE),
        ("1970-05-12", "1970-11-28", BirthLevel.SAME_YEAR_OTHER_DAY),
        ("1970-05-12", "1983-11-28", BirthLevel.OTHER),
        ("1970", "1971", BirthLevel.OTHER),
    ],
)
def test_dates_of_birth(one: str, other: str, level: BirthLevel) -> None:
    assert compare_births(read_birth_date(one), read_birth_date(other)) is level
    assert compare_births(read_birth_date(other), read_birth_date(one)) is level


@pytest.mark.parametrize("text", ["", "31/02/1970", "1970-13-01", "1970-00-05", "12.5", "0970", "199", "x"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        read_birth_date(text)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_as_it_was_written(day: date) -> None:
    born = BirthDate.of(day)
    assert read_birth_date(born.text) == born == BirthDate.from_number(born.number)
    assert read_birth_date(f"{day.day}/{day.month}/{day.year}") == born


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (
            "Thôn Đông, Xã Tân Lập, Huyện Lục Ngạn, Bắc Giang",
            "xã Tân Lập, tỉnh Bắc Ninh",
            PlaceLevel.SAME_COMMUNE,
        ),
        ("P. 3, Q. 1, TP.HCM", "Phường 3, Quận 1, Thành phố Hồ Chí Minh", PlaceLevel.SAME_COMMUNE),
        ("Xã A, Huyện Đông Anh, Hà Nội", "Xã B, Huyện Đông Anh, Hà Nội", PlaceLevel.SAME_DISTRICT),
        ("Xã A, Huyện X, Hà Nội", "Xã A, Huyện Y, Hà Nội", PlaceLevel.SAME_PROVINCE),
        ("Hà Tây, Bình Dương", "Hồ Chí Minh", PlaceLevel.SAME_UNIT_SINCE_2025),
        ("Đắc Lắc", "Đắk Lắk", PlaceLevel.SAME_PROVINCE),
        ("Xã A, Hà Nội", "Xã A, Hải Phòng", PlaceLevel.OTHER),
        ("", "Hải Phòng", PlaceLevel.UNKNOWN),
        (" , ,", "Hải Phòng", PlaceLevel.UNKNOWN),
    ],
)
def test_places_across_the_reform_of_2025(one: str, other: str, level: PlaceLevel) -> None:
    assert compare_places(read_place(one), read_place(other)) is level
    assert compare_places(read_place(other), read_place(one)) is level


def test_what_the_ear_confuses_sounds_alike() -> None:
    assert sound("TRINH") == sound("CHINH")
    assert sound("SUONG") == sound("XUONG")
    assert sound("NGA") != sound("LA")
    assert is_near("NGUYEN", "NGYUEN")
    assert not is_near("AN", "AI")


@given(st.text("ABCD", max_size=6), st.text("ABCD", max_size=6))
def test_a_distance_is_the_same_both_ways_and_never_more_than_the_longer_word(one: str, other: str) -> None:
    distance = edit_distance(one, other, 9)
    assert distance == edit_distance(other, one, 9)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert (distance == 0) == (one == other)
    assert edit_distance(one, other, 1) == min(distance, 2)
