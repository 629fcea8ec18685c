from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import load
from verification.encoding.mrz import (
    MachineReadableZone,
    Td1,
    build_td1,
    check_digit,
    mrz_information,
    mrz_information_from,
    parse_mrz,
    parse_td1,
)
from verification.errors import AccessSecretMalformed, MalformedDocument

CHECK_DIGITS = load("mrz_check_digits")
CCCD = load("cccd_mrz_synthetic")["vectors"]
LINES = CCCD[0]["mrz"]
WHOLE = "".join(LINES)

ALPHANUMERIC = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=9)
LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=6)
DATES = st.text("0123456789", min_size=6, max_size=6)


@pytest.mark.parametrize("case", CHECK_DIGITS["simple"], ids=lambda case: case["data"])
def test_check_digits_of_the_standard(case: dict[str, str]) -> None:
    assert check_digit(case["data"]) == case["cd"]


@pytest.mark.parametrize("case", CHECK_DIGITS["full_mrz"], ids=lambda case: case["origin"][:40])
def test_specimens_of_every_size_give_their_information(case: dict[str, str]) -> None:
    zone = parse_mrz(case["mrz"])
    assert type(zone).__name__.upper() == case["type"]
    assert zone.information == case["mrz_information"]
    assert mrz_information_from(case["mrz"]) == case["mrz_information"]
    assert mrz_information_from(case["mrz_information"]) == case["mrz_information"]


@pytest.mark.parametrize("case", CCCD, ids=lambda case: case["number"])
def test_cards_read_and_write_back(case: dict[str, Any]) -> None:
    zone = parse_td1("\n".join(case["mrz"]))
    assert zone.document_number == case["document_number"]
    assert zone.information == case["mrz_information"]
    assert (zone.document_code, zone.issuing_state, zone.nationality) == ("ID", "VNM", "VNM")
    assert build_td1(zone) == "".join(case["mrz"])


def test_fields_are_what_the_lines_say() -> None:
    assert parse_td1(WHOLE) == Td1(
        document_code="ID",
        issuing_state="VNM",
        document_number="090123456",
        optional_data_1="001090123456<<3",
        date_of_birth="900101",
        sex="M",
        date_of_expiry="300101",
        nationality="VNM",
        primary_identifier="NGUYEN",
        secondary_identifier="VAN THU NGHIEM",
    )


def test_a_long_document_number_goes_on_in_the_optional_data() -> None:
    case = CHECK_DIGITS["full_mrz"][1]
    zone = parse_td1(case["mrz"])
    assert (zone.document_number, zone.optional_data_1) == ("D23145890734", "")
    assert build_td1(zone) == case["mrz"]


@pytest.mark.parametrize("position", [14, 29, 36, 44, 59])
def test_a_wrong_check_digit_is_refused(position: int) -> None:
    wrong = str((int(WHOLE[position]) + 1) % 10)
    with (
        pytest.raises(MalformedDocument)
        if position != 29
        else pytest.raises(MalformedDocument, match="composite")
    ):
        parse_td1(WHOLE[:position] + wrong + WHOLE[position + 1 :])


def test_every_changed_character_before_the_name_is_refused() -> None:
    """The issuing state, the sex and the nationality stand under no check digit."""
    unprotected = {0, 1, 2, 3, 4, 37, 45, 46, 47}
    for position in set(range(60)) - unprotected:
        replacement = "1" if WHOLE[position] != "1" else "2"
        with pytest.raises(MalformedDocument):
            parse_td1(WHOLE[:position] + replacement + WHOLE[position + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        WHOLE[:-1],
        WHOLE + "<",
        WHOLE.lower(),
        WHOLE.replace("NGUYEN", "NGUYỄN"),
        WHOLE.replace("M3", "X3"),
        " " + WHOLE[1:],
    ],
)
def test_another_size_and_other_characters_are_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        parse_td1(text)


@pytest.mark.parametrize("case", CHECK_DIGITS["full_mrz"][2:], ids=["TD2", "TD3", "TD3 BSI"])
def test_wrong_check_digits_of_other_sizes_are_refused(case: dict[str, str]) -> None:
    width = len(case["mrz"]) // 2
    for offset in (9, 19, 27, width - 1):
        position = width + offset
        wrong = str((int(case["mrz"][position]) + 1) % 10)
        with pytest.raises(MalformedDocument):
            parse_mrz(case["mrz"][:position] + wrong + case["mrz"][position + 1 :])


def test_the_personal_number_of_a_passport_is_checked() -> None:
    text = CHECK_DIGITS["full_mrz"][3]["mrz"]
    assert parse_mrz(text).optional_data_1 == "ZE184226B"
    with pytest.raises(MalformedDocument, match="personal number"):
        parse_mrz(text[:86] + "2" + text[87:])


def test_unknown_parts_of_a_date_of_birth_are_fillers() -> None:
    zone = Td1(
        document_code="ID",
        issuing_state="VNM",
        document_number="090123456",
        date_of_birth="60<<<<",
        sex="<",
        date_of_expiry="991231",
        nationality="VNM",
        primary_identifier="LE",
    )
    assert parse_td1(build_td1(zone)) == zone


ZONES = st.builds(
    Td1,
    document_code=st.just("I"),
    issuing_state=st.just("D"),
    document_number=st.one_of(ALPHANUMERIC, st.text("ABC0123456789", min_size=10, max_size=20)),
    optional_data_1=st.text("ABC0123456789", max_size=2),
    date_of_birth=DATES,
    sex=st.sampled_from("MF<"),
    date_of_expiry=DATES,
    nationality=st.just("UTO"),
    optional_data_2=st.text("ABC0123456789", max_size=11),
    primary_identifier=LETTERS,
    secondary_identifier=st.lists(LETTERS, max_size=3).map(" ".join),
)


@given(ZONES)
def test_what_is_written_reads_back(zone: Td1) -> None:
    text = build_td1(zone)
    assert len(text) == 90
    assert parse_td1(text) == zone
    assert mrz_information_from(text) == zone.information


def test_a_long_name_is_cut_and_says_so() -> None:
    zone = parse_td1("".join(CCCD[3]["mrz"]))
    assert zone.is_name_cut
    assert not parse_td1(WHOLE).is_name_cut


@pytest.mark.parametrize(
    "change",
    [
        {"document_number": ""},
        {"document_number": "A" * 23},
        {"document_number": "a12345678"},
        {"optional_data_1": "X" * 16},
        {"date_of_birth": "9001"},
        {"date_of_expiry": "30/101"},
        {"sex": "X"},
        {"primary_identifier": "NGUYỄN"},
        {"nationality": "VNMX"},
    ],
)
def test_fields_that_do_not_fit_are_not_written(change: dict[str, str]) -> None:
    fields: dict[str, Any] = {
        "document_code": "ID",
        "issuing_state": "VNM",
        "document_number": "090123456",
        "date_of_birth": "900101",
        "sex": "M",
        "date_of_expiry": "300101",
        "nationality": "VNM",
        "primary_identifier": "NGUYEN",
    }
    with pytest.raises(MalformedDocument):
        build_td1(Td1(**(fields | change)))


def refusal(text: str) -> str:
    """The sentence of the refusal; empty where the character stands under no check digit."""
    try:
        mrz_information_from(text)
    except AccessSecretMalformed as fault:
        return str(fault)
    return ""


class TestInformationFromAScanner:
    def test_line_breaks_spaces_and_small_letters_do_not_matter(self) -> None:
        typed = "\r\n".join(line.lower() for line in LINES) + "\r\n "
        assert mrz_information_from(typed) == CCCD[0]["mrz_information"]
        assert mrz_information_from(" 0901234562 9001011 3001019 ") == CCCD[0]["mrz_information"]

    @pytest.mark.parametrize(
        "text", ["", "123456", WHOLE[:60], "090123456290010113001018", "Ơ" * 90, "0" * 500]
    )
    def test_what_cannot_be_right_is_refused_as_a_secret(self, text: str) -> None:
        with pytest.raises(AccessSecretMalformed):
            mrz_information_from(text)

    def test_no_refusal_quotes_what_was_entered(self) -> None:
        for position in range(60):
            text = WHOLE[:position] + ("7" if WHOLE[position] != "7" else "8") + WHOLE[position + 1 :]
            sentence = refusal(text)
            assert not any(part in sentence for part in ("090123456", "900101", "NGUYEN"))

    @given(st.text(max_size=100))
    def test_any_text_gives_information_or_our_refusal(self, text: str) -> None:
        try:
            assert len(mrz_information_from(text)) >= 24
        except AccessSecretMalformed:
            return


def test_information_of_a_short_number_is_filled_up() -> None:
    assert mrz_information("AB2134", "520727", "300101") == "AB2134<<<552072733001019"


def test_a_zone_does_not_show_its_content() -> None:
    zone: MachineReadableZone = parse_td1(WHOLE)
    assert repr(zone) == "Td1(...)"
    assert "NGUYEN" not in f"{zone}"
