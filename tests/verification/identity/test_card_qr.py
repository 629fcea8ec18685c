from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import load
from verification.errors import CardQrMalformed
from verification.identity.card_qr import CardQr, build_card_qr, parse_card_qr
from verification.identity.citizen_number import CitizenNumber, NumberDoubt

VECTORS = {case["name"]: case for case in load("qr_synthetic")["vectors"]}
TEXT = VECTORS["cccd2021_with_cmnd"]["text"]


@pytest.mark.parametrize("case", VECTORS.values(), ids=VECTORS.keys())
def test_every_published_form_is_read_and_look_alikes_are_refused(case: dict[str, str]) -> None:
    if case["fields"] == "other":
        with pytest.raises(CardQrMalformed):
            parse_card_qr(case["text"])
        return
    content = parse_card_qr(case["text"])
    assert str(content.citizen_number) == case["text"][:12]
    assert len(content.supplement) == (4 if case["fields"] == 11 else 0)


def test_seven_fields() -> None:
    assert parse_card_qr(TEXT) == CardQr(
        citizen_number=CitizenNumber("001090123456"),
        old_id="012345678",
        full_name="Nguyễn Văn Thử Nghiệm",
        date_of_birth=date(1990, 1, 1),
        birth_year=1990,
        sex="M",
        address="Số 1 Phố Giả Định, Phường Thử Nghiệm, Ba Đình, Hà Nội",
        date_of_issue=date(2025, 1, 1),
    )


def test_the_column_of_the_old_number_may_be_missing() -> None:
    content = parse_card_qr(VECTORS["six_fields_no_cmnd_column"]["text"])
    assert content == parse_card_qr(VECTORS["cccd2021_no_cmnd"]["text"])
    assert content.old_id is None


def test_the_four_new_fields_are_kept_unread() -> None:
    content = parse_card_qr(VECTORS["cancuoc2024_child"]["text"])
    assert content.supplement == ("", "Nguyễn Văn Cha", "Trần Thị Mẹ", "")
    assert content.sex == "F"


@pytest.mark.parametrize("code_page", ["latin-1", "cp1252"])
def test_a_scanner_that_typed_bytes_is_undone(code_page: str) -> None:
    text = "001090123456||Lê Thị Tâm|01011990|Nữ|Hà Nội|01012025"
    typed = text.encode().decode(code_page, errors="replace")
    assert "\ufffd" not in typed, "the code page has no character for one of the bytes"
    assert parse_card_qr(typed).full_name == "Lê Thị Tâm"


def test_the_vector_with_typed_bytes_is_repaired() -> None:
    content = parse_card_qr(VECTORS["mojibake_latin1"]["text"])
    assert (content.full_name, content.address) == ("Nguyễn Văn Thử Nghiệm", "Hà Nội")


def test_decomposed_text_becomes_one_form() -> None:
    assert parse_card_qr(unicodedata.normalize("NFD", TEXT)) == parse_card_qr(TEXT)


def test_contradictions_are_shown_and_do_not_refuse() -> None:
    assert parse_card_qr(TEXT).doubts == ()
    assert parse_card_qr(VECTORS["id_name_mismatch"]["text"]).doubts == (NumberDoubt.SEX_DIFFERS,)


@pytest.mark.parametrize("birth", ["1990", "00001990"])
def test_a_year_alone_is_a_date_of_birth(birth: str) -> None:
    content = parse_card_qr(TEXT.replace("01011990", birth))
    assert (content.date_of_birth, content.birth_year) == (None, 1990)
    assert parse_card_qr(build_card_qr(content)) == content


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|" * 6,
        "|" * 10,
        "001090123456",
        TEXT + "|",
        TEXT.replace("001090123456", "00109012345"),
        TEXT.replace("012345678", "12"),
        TEXT.replace("01011990", "30021990"),
        TEXT.replace("01012025", ""),
        TEXT.replace("|Nam|", "|Male|"),
        TEXT.replace("Nguyễn Văn Thử Nghiệm", " "),
        TEXT.replace("Hà Nội", "Hà\x00Nội"),
        TEXT.replace("Hà Nội", "Hà Nội" * 300),
        "https://example.org/|a|b|c|d|e|f",
    ],
)
def test_everything_else_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(CardQrMalformed) as refusal:
        parse_card_qr(text)
    assert "0010901" not in str(refusal.value)


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(CardQrMalformed):
        parse_card_qr("x" + text)


WORDS = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyốệữ ,.'0123456789", min_size=1, max_size=40).map(
    lambda text: unicodedata.normalize("NFC", " ".join(text.split()) or "An")
)


@given(
    st.builds(
        CardQr,
        citizen_number=st.text("0123456789", min_size=12, max_size=12).map(CitizenNumber),
        old_id=st.one_of(st.none(), st.text("0123456789", min_size=9, max_size=9)),
        full_name=WORDS,
        date_of_birth=st.just(date(1990, 5, 17)),
        birth_year=st.just(1990),
        sex=st.sampled_from("MF"),
        address=WORDS,
        date_of_issue=st.dates(min_value=date(1900, 1, 1)),
        supplement=st.one_of(st.just(()), st.tuples(WORDS, WORDS, WORDS, WORDS)),
    )
)
def test_what_is_written_reads_back(content: CardQr) -> None:
    assert parse_card_qr(build_card_qr(content)) == content


def test_a_separator_in_a_text_is_not_written() -> None:
    content = parse_card_qr(TEXT)
    broken = CardQr(
        citizen_number=content.citizen_number,
        old_id=None,
        full_name="A|B",
        date_of_birth=content.date_of_birth,
        birth_year=1990,
        sex="M",
        address="",
        date_of_issue=content.date_of_issue,
    )
    with pytest.raises(CardQrMalformed):
        build_card_qr(broken)


def test_the_content_is_not_shown() -> None:
    assert repr(parse_card_qr(TEXT)) == "CardQr(...)"
