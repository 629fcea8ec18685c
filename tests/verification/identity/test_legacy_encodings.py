from __future__ import annotations

import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.identity.legacy_encodings import (
    MAX_TEXT,
    WrittenIn,
    from_tcvn3,
    from_viqr,
    from_vni,
    to_tcvn3,
    to_viqr,
    to_vni,
    unicode_text,
    unicode_texts,
)

VOWELS = [
    unicodedata.normalize("NFC", letter + tone)
    for letter in "aăâeêioôơuưy"
    for tone in ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
]


def test_tcvn3_is_what_iconv_reads() -> None:
    """An independent table: glibc's TCVN5712-1 has the codes of VN3 among its own."""
    letters = "".join([*VOWELS, *"ĂÂÊÔƠƯĐđ"])
    encoded = to_tcvn3(letters).encode("latin-1")
    iconv = subprocess.run(
        ["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"], input=encoded, capture_output=True, check=True
    )
    assert unicodedata.normalize("NFC", iconv.stdout.decode()) == letters
    assert from_tcvn3(encoded.decode("latin-1")) == letters


# Written by the fonts and keyboards of their time, not by our own functions.
KNOWN = [
    ("Nguyeãn Vaên Bình", "Nguyễn Văn Bình", WrittenIn.VNI),
    ("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", "Cộng hòa xã hội chủ nghĩa Việt Nam", WrittenIn.VNI),
    ("Céng hßa x· héi chñ nghÜa ViÖt Nam", "Cộng hòa xã hội chủ nghĩa Việt Nam", WrittenIn.TCVN3),
    ("Vie^.t Nam dda^'t nu*o*'c", "Việt Nam đất nước", WrittenIn.VIQR),
]


@pytest.mark.parametrize(("written", "meant", "kind"), KNOWN)
def test_known_texts_are_recognised_and_read(written: str, meant: str, kind: WrittenIn) -> None:
    assert unicode_text(written) == (meant, kind)


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Văn Bình",
        "NGUYEN VAN BINH",
        "H'Men Niê",
        "Y Bih Ayun",
        "Số 12, Q.1, TP. Hồ Chí Minh",
        "Đặng Thị Ước",
        "Jean-Luc O'Brien",
        "",
    ],
)
def test_what_is_unicode_already_stays(text: str) -> None:
    assert unicode_text(unicodedata.normalize("NFD", text)) == (text, WrittenIn.UNICODE)


@given(st.lists(st.sampled_from(VOWELS), max_size=30).map("".join))
def test_every_vowel_comes_back(text: str) -> None:
    spaced = " ".join(text)
    assert from_tcvn3(to_tcvn3(spaced)) == spaced
    assert from_vni(to_vni(spaced)) == spaced
    assert from_viqr(to_viqr(spaced)) == spaced


def test_the_fields_of_a_record_are_judged_together() -> None:
    """Phóc is a Vietnamese syllable; beside a name that is none, it is seen to be Phúc."""
    assert unicode_texts(["Lª Phóc", "Phóc"]) == ["Lê Phúc", "Phúc"]
    assert unicode_texts(["Lý Phóc", "Hoàng Yến"]) == ["Lý Phóc", "Hoàng Yến"]
    assert unicode_texts(["NguyÔn H¶i", "Trần Thị Thanh Hương", "Phường Đồng Tâm"])[0] == "Nguyễn Hải"


def test_a_very_long_text_is_not_examined() -> None:
    assert unicode_text("Nguyeãn " * MAX_TEXT)[1] is WrittenIn.UNICODE


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert unicodedata.is_normalized("NFC", unicode_text(text)[0])
