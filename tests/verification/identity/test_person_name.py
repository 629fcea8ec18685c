from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import load
from verification.encoding.mrz import Td1, build_td1, parse_td1
from verification.errors import MalformedDocument
from verification.identity.person_name import (
    is_name_in_mrz,
    mrz_name,
    normalized_name,
    without_marks,
)

SYLLABLES = st.sampled_from(
    [
        "Nguyễn",
        "Lê",
        "Đặng",
        "Đỗ",
        "Hoàng",
        "Phủ",
        "Ưởng",
        "Văn",
        "Khuyến",
        "Ýn",
        "Ơn",
        "H'Mên",
        "Niê",
        "Thuỷ",
    ]
)
NAMES = st.lists(SYLLABLES, min_size=1, max_size=8).map(" ".join)
ZONE: dict[str, Any] = {
    "document_code": "ID",
    "issuing_state": "VNM",
    "document_number": "090123456",
    "date_of_birth": "900101",
    "sex": "M",
    "date_of_expiry": "300101",
    "nationality": "VNM",
}


def zone_of(primary: str, secondary: str) -> Td1:
    return parse_td1(build_td1(Td1(**ZONE, primary_identifier=primary, secondary_identifier=secondary)))


@pytest.mark.parametrize(
    ("full_name", "index"),
    [
        ("Nguyễn Văn Thử Nghiệm", 0),
        ("Trần Thị Không Hận", 1),
        ("Lê Một", 2),
        ("Hoàng Phủ Ngọc Trà My Công Tằng", 3),
        ("H'Mên Niê", 4),
    ],
)
def test_names_are_spelled_as_on_cards(full_name: str, index: int) -> None:
    expected = load("cccd_mrz_synthetic")["vectors"][index]["mrz"][2]
    zone = zone_of(*mrz_name(full_name))
    assert build_td1(zone)[60:] == expected
    assert is_name_in_mrz(full_name, zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Đỗ Đình Đức", "DO DINH DUC"), ("Ưởng Quỹ Ỷ", "UONG QUY Y"), ("đặng thị ĐÀO", "DANG THI DAO")],
)
def test_marks_go_and_letters_stay(text: str, expected: str) -> None:
    assert without_marks(text) == expected
    assert without_marks(unicodedata.normalize("NFD", text)) == expected


def test_one_unicode_form_and_single_spaces() -> None:
    decomposed = unicodedata.normalize("NFD", "  Nguyễn   Văn\tThử ")
    assert normalized_name(decomposed) == "Nguyễn Văn Thử"


def test_a_single_word_is_the_primary_identifier() -> None:
    assert mrz_name("Nguyệt") == ("NGUYET", "")


@pytest.mark.parametrize("name", ["", "   ", "123", "张伟", "A" * 201])
def test_names_without_mrz_letters_are_refused(name: str) -> None:
    with pytest.raises(MalformedDocument):
        mrz_name(name)


@pytest.mark.parametrize(
    ("primary", "secondary"),
    [("HOANG", "PHU NGOC"), ("HOANGPHU", "NGOC"), ("HOANG PHU", "NGOC"), ("HOANG PHU NGOC", "")],
)
def test_where_words_are_parted_does_not_matter(primary: str, secondary: str) -> None:
    assert is_name_in_mrz("Hoàng Phủ Ngọc", zone_of(primary, secondary))


@pytest.mark.parametrize(
    ("primary", "secondary"),
    [("NGUYEN", "VAN THU"), ("NGUYEN", "VAN THU NGHIEMM"), ("TRAN", "VAN THU NGHIEM"), ("NGUYEN", "")],
)
def test_another_name_is_another_name(primary: str, secondary: str) -> None:
    assert not is_name_in_mrz("Nguyễn Văn Thử Nghiệm", zone_of(primary, secondary))


@given(NAMES)
def test_a_written_name_is_found_again_however_long(full_name: str) -> None:
    zone = zone_of(*mrz_name(full_name))
    assert is_name_in_mrz(full_name, zone)
    assert is_name_in_mrz(unicodedata.normalize("NFD", full_name), zone)
    assert not is_name_in_mrz("Z" + full_name, zone)
