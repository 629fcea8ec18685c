from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.identity.vietnamese_syllable import (
    canonical_word,
    has_vietnamese_letters,
    is_vietnamese_syllable,
    skeleton_word,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà", "hòa"),
        ("Thuỷ", "THỦY"),
        ("Lý", "Lí"),
        ("Kỹ", "kĩ"),
        ("Quý", "Quí"),
        ("Ước", unicodedata.normalize("NFD", "ước")),
        ("Ðức", "Đức"),
    ],
)
def test_habits_of_spelling_are_one_word(one: str, other: str) -> None:
    assert canonical_word(one) == canonical_word(other)


@pytest.mark.parametrize(("one", "other"), [("Thúy", "Thúi"), ("Tay", "Tai"), ("Hòa", "Hóa"), ("Ân", "Ăn")])
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert canonical_word(one) != canonical_word(other)


@pytest.mark.parametrize(
    ("word", "bare"), [("Nguyễn", "NGUYEN"), ("Đặng", "DANG"), ("Mỹ", "MI"), ("Thuỳ", "THUY"), ("Niê", "NIE")]
)
def test_a_skeleton_has_no_mark(word: str, bare: str) -> None:
    assert skeleton_word(word) == bare


@pytest.mark.parametrize(
    "word",
    ["Nguyễn", "quỳnh", "Hoà", "hòa", "Giêng", "gì", "khuya", "Khuỷu", "nghiêng", "oanh", "Ý", "rượu"],
)
def test_what_a_speller_writes_is_a_syllable(word: str) -> None:
    assert is_vietnamese_syllable(word)


@pytest.mark.parametrize(
    "word",
    ["NguyÔn", "leõ", "thiị", "hoc", "tàp", "Nguye", "Williams", "bw", "ngh", "quúnh"],
)
def test_what_no_speller_writes_is_none(word: str) -> None:
    assert not is_vietnamese_syllable(word)


def test_letters_of_other_alphabets_are_told_apart() -> None:
    assert has_vietnamese_letters("Kđăm")
    assert not has_vietnamese_letters("Niª")


@given(st.text(max_size=12))
def test_any_text_has_a_key_that_does_not_change_again(text: str) -> None:
    bare = skeleton_word(text)
    assert skeleton_word(bare) == bare or not bare.isalpha()
    assert canonical_word(text) == canonical_word(unicodedata.normalize("NFD", text))
