"""The names that readers and test sets give to a card's files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.lds.file_names import file_of_name
from verification.lds.files import LdsFile


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("EF_COM.bin", LdsFile.COM),
        ("EF.COM", LdsFile.COM),
        ("ef_sod.BIN", LdsFile.SOD),
        ("EF_DG1.bin", LdsFile.DG1),
        ("EF.DG16", LdsFile.DG16),
        ("DG02.bin", LdsFile.DG2),
        ("Datagroup14.bin", LdsFile.DG14),
        ("ef0101.bin", LdsFile.DG1),
        ("ef010F.bin", LdsFile.DG15),
        ("ef011E.bin", LdsFile.COM),
        ("EF_CardAccess.bin", LdsFile.CARD_ACCESS),
        ("EF.CardSecurity", LdsFile.CARD_SECURITY),
        ("EF_CVCA.bin", LdsFile.CVCA),
    ],
)
def test_a_file_of_the_card(name: str, file: LdsFile) -> None:
    assert file_of_name(name, b"") is file


@pytest.mark.parametrize("file", LdsFile, ids=lambda file: file.name)
def test_the_products_own_names(file: LdsFile) -> None:
    assert file_of_name(f"EF_{file.name}.bin", b"") is file


@pytest.mark.parametrize(
    "name",
    [
        "",
        "README.md",
        "EF_DG2_jpeg.bin",
        "EF_DG0.bin",
        "EF_DG17.bin",
        "ef0111.bin",
        "EF_DIR.bin",
        "csca1.cer",
    ],
)
def test_what_is_none(name: str) -> None:
    assert file_of_name(name, b"\x61\x00") is None


@pytest.mark.parametrize(
    ("name", "first", "file"),
    [
        ("ef011D.bin", 0x77, LdsFile.SOD),
        ("ef011D.bin", 0x30, LdsFile.CARD_SECURITY),
        ("ef011C.bin", 0x31, LdsFile.CARD_ACCESS),
        ("ef011C.bin", 0x42, LdsFile.CVCA),
        ("ef011D.bin", 0x00, LdsFile.SOD),
    ],
)
def test_an_identifier_that_means_two_files(name: str, first: int, file: LdsFile) -> None:
    assert file_of_name(name, bytes((first,))) is file


@given(st.text(max_size=20), st.binary(max_size=2))
def test_any_name_has_an_answer(name: str, content: bytes) -> None:
    assert file_of_name(name, content) is None or isinstance(file_of_name(name, content), LdsFile)
