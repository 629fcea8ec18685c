from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.vectors import load
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import IA5_STRING, SEQUENCE, SET, UTF8_STRING, build, build_integer
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.dg13 import PROFILE, Dg13, Dg13Field, build_dg13, parse_dg13

DATA = load("dg13_synthetic")
VECTORS = {case["name"]: case for case in DATA["vectors"]}
READABLE = {name: case for name, case in VECTORS.items() if not case["expect"].get("error")}
REFUSED = {name: case for name, case in VECTORS.items() if case["expect"].get("error")}
# What a vector changes in the invented person besides what it says under "expect".
CHANGES: dict[str, dict[int, tuple[str, ...] | None]] = {
    "embedded_pattern": {10: ("Sẹo 0\x02\x01\x0c chấm",)},
    "no_old_id": {15: None},
    "field15_empty_seq": {15: ()},
    "no_family": {13: None, 14: None},
    "with_spouse": {14: ("Lê Thị Vợ",)},
    "date_only_year": {3: ("1990",)},
    "no_expiry_text": {12: ("Không thời hạn",)},
    "unknown_field_17": {17: ("Trường mới",)},
}

MATRIX = load("dg13_parser_matrix")
RELATIVES = {"parent1": "father", "parent2": "mother", "spouse": "spouse"}


def encoded_of(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name]["hex"])


def base_fields() -> dict[int, tuple[str, ...]]:
    """The invented person of the vectors in the form that Dg13 keeps."""
    return {
        int(number): () if value is None else tuple(value) if isinstance(value, list) else (value,)
        for number, value in DATA["base_fields"].items()
    }


def file_of(*entries: bytes, version: int = 1, profile: str = PROFILE) -> bytes:
    holder = build_integer(version) + build_oid(profile) + build(SET, b"".join(entries))
    return build(0x6D, build(SEQUENCE, holder))


def entry(number: int, *values: bytes) -> bytes:
    return build(SEQUENCE, build_integer(number) + b"".join(values))


NAME = entry(2, build(UTF8_STRING, "Lê Một".encode()))


@pytest.mark.parametrize("name", READABLE)
def test_every_vector_gives_what_it_expects(name: str) -> None:
    dg13 = parse_dg13(encoded_of(name))
    expect: dict[str, Any] = VECTORS[name]["expect"]
    for attribute in expect.keys() & {"father", "mother", "spouse"}:
        assert getattr(dg13, attribute) == expect[attribute]
    for number in expect.get("absent", ()):
        assert number not in dg13.fields
    for number in expect.get("empty", ()):
        assert dg13.fields[number] == ()
    for number in (key for key in expect if key.isdigit()):
        assert dg13.text(int(number)) == expect[number]
    if "2_nfc" in expect:
        assert dg13.full_name == expect["2_nfc"]


@pytest.mark.parametrize("name", sorted(READABLE.keys() - {"nfd_unicode", "long_address_81_length"}))
def test_every_vector_gives_the_whole_person(name: str) -> None:
    expected: dict[int, tuple[str, ...] | None] = {**base_fields(), **CHANGES.get(name, {})}
    assert dict(parse_dg13(encoded_of(name)).fields) == {k: v for k, v in expected.items() if v is not None}


@pytest.mark.parametrize("name", REFUSED)
def test_what_must_be_refused_is_refused(name: str) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg13(encoded_of(name))


@pytest.mark.parametrize("name", READABLE)
def test_the_file_is_kept_as_read(name: str) -> None:
    encoded = encoded_of(name)
    dg13 = parse_dg13(encoded)
    assert dg13.raw == encoded
    assert parse_dg13(build_dg13(dg13)) == dg13


@pytest.mark.parametrize("name", sorted(READABLE.keys() - {"full_one_seq", "out_of_order"}))
def test_what_we_write_is_byte_for_byte_the_vector(name: str) -> None:
    assert build_dg13(parse_dg13(encoded_of(name))) == encoded_of(name)


def test_both_layouts_of_the_parents_hold_the_same_person() -> None:
    assert parse_dg13(encoded_of("full_one_seq")) == parse_dg13(encoded_of("full_two_seq"))


def test_typed_fields() -> None:
    dg13 = parse_dg13(encoded_of("with_spouse"))
    fields = DATA["base_fields"]
    assert dg13.citizen_number == fields["1"]
    assert dg13.full_name == fields["2"]
    assert (dg13.date_of_birth, dg13.birth_year, dg13.sex) == (date(1990, 1, 1), 1990, "M")
    assert (dg13.date_of_issue, dg13.date_of_expiry) == (date(2025, 1, 1), date(2030, 1, 1))
    assert (dg13.nationality, dg13.ethnicity, dg13.religion) == ("Việt Nam", "Kinh", "Không")
    assert (dg13.place_of_origin, dg13.place_of_residence) == (fields["8"], fields["9"])
    assert (dg13.identification, dg13.old_id, dg13.card_id) == (fields["10"], fields["15"], fields["16"])
    assert dg13.spouse == "Lê Thị Vợ"


def test_a_year_alone_and_no_expiry_are_told_apart_from_dates() -> None:
    year_only = parse_dg13(encoded_of("date_only_year"))
    assert (year_only.date_of_birth, year_only.birth_year) == (None, 1990)
    no_expiry = parse_dg13(encoded_of("no_expiry_text"))
    assert no_expiry.date_of_expiry is None
    assert no_expiry.text(Dg13Field.DATE_OF_EXPIRY) == "Không thời hạn"


def test_missing_fields_read_as_none() -> None:
    dg13 = parse_dg13(file_of(NAME))
    absent = (
        dg13.citizen_number,
        dg13.date_of_birth,
        dg13.birth_year,
        dg13.sex,
        dg13.father,
        dg13.mother,
        dg13.card_id,
    )
    assert absent == (None,) * 7


def test_an_unknown_field_that_is_no_text_is_kept_whole() -> None:
    value = build(SEQUENCE, build(SEQUENCE, b"") + build_integer(4))
    dg13 = parse_dg13(file_of(NAME, entry(40, value)))
    assert dict(dg13.unknown) == {40: value}
    assert parse_dg13(build_dg13(dg13)) == dg13


@pytest.mark.parametrize("kind", [UTF8_STRING, 0x13, IA5_STRING])
def test_dates_may_stand_in_any_string_type(kind: int) -> None:
    assert parse_dg13(file_of(entry(12, build(kind, b"01/02/2030")))).date_of_expiry == date(2030, 2, 1)


@pytest.mark.parametrize(
    "encoded",
    [
        file_of(NAME, NAME),
        file_of(entry(0, build(UTF8_STRING, b"x"))),
        file_of(entry(256, build(UTF8_STRING, b"x"))),
        file_of(entry(2, build(UTF8_STRING, b"\xff\xfe"))),
        file_of(entry(2, build(0x13, "Lê".encode()))),
        file_of(entry(2, build(UTF8_STRING, b"a") * 2)),
        file_of(entry(2, build(SEQUENCE, build(UTF8_STRING, b"a")))),
        file_of(entry(2, build(0x1E, b"\x00a"))),
        file_of(entry(13, build(SEQUENCE, build(SEQUENCE, build(UTF8_STRING, b"a"))))),
        file_of(entry(13, build(SEQUENCE, build(UTF8_STRING, b"a") * 17))),
        file_of(build(SET, build_integer(2))),
        file_of(build(SEQUENCE, build(UTF8_STRING, b"a"))),
        file_of(NAME, profile="1.0.10646.1.0.9"),
        file_of(NAME, version=256),
        file_of(NAME) + b"\x00",
        build(0x6D, build(SEQUENCE, build_integer(1) + build_oid(PROFILE))),
        build(0x6D, b""),
        b"",
    ],
)
def test_other_structures_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg13(encoded)


def test_no_refusal_quotes_the_holder() -> None:
    with pytest.raises(MalformedDocument) as refusal:
        parse_dg13(file_of(entry(2, build(UTF8_STRING, "Thử".encode() + b"\xff"))))
    assert "Th" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "bomb",
    [
        build(0x6D, bytes(65_536)),
        file_of(*[entry(13, build(SEQUENCE, b"") * 5_000)]),
        file_of(entry(2, build(0x06, bytes(100)))),
    ],
    ids=["size", "elements", "object identifier"],
)
def test_bombs_meet_a_limit(bomb: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse_dg13(bomb)


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = encoded_of("full_two_seq")
    assert all(is_refused(parse_dg13, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=1_000, seed=4):
        is_refused(parse_dg13, copy)


def test_a_text_that_its_string_type_cannot_hold_is_not_written() -> None:
    with pytest.raises(MalformedDocument):
        build_dg13(Dg13({Dg13Field.OLD_ID: ("số",)}))


def test_the_holder_is_not_shown() -> None:
    assert repr(parse_dg13(encoded_of("no_family"))) == f"Dg13(fields={[*range(1, 13), 15, 16]})"


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
ASCII = st.text(st.characters(max_codepoint=126), max_size=20)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **{number: st.tuples(ASCII) for number in (1, 3, 11, 15, 16)},
        **{number: st.tuples(TEXTS) for number in (2, 4, 5, 9, 12, 17, 255)},
        13: st.lists(TEXTS, max_size=2).map(tuple),
        14: st.lists(TEXTS, max_size=1).map(tuple),
    },
)


@given(FIELDS)
def test_what_is_written_reads_back(fields: dict[int, tuple[str, ...]]) -> None:
    dg13 = Dg13(fields)
    assert parse_dg13(build_dg13(dg13)) == dg13


class TestMatrix:
    """Five public parsers lose, mistake or swallow something in nearly every vector; this one nowhere."""

    def test_it_is_about_these_vectors(self) -> None:
        assert MATRIX.keys() == VECTORS.keys()

    @pytest.mark.parametrize("name", READABLE)
    def test_no_field_that_another_parser_lost_is_lost(self, name: str) -> None:
        dg13 = parse_dg13(encoded_of(name))
        for answer in MATRIX[name].values():
            lost = answer.removeprefix("WRONG/MISSING ") if answer.startswith("WRONG") else ""
            for field in filter(None, lost.split(",")):
                found = getattr(dg13, RELATIVES[field]) if field in RELATIVES else dg13.text(int(field))
                assert found, field

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_others_accept_silently_or_crash_on_is_refused_by_our_own_error(self, name: str) -> None:
        answers = MATRIX[name].values()
        assert all(answer.startswith(("accepts silently", "raises")) for answer in answers)
        with pytest.raises(MalformedDocument):
            parse_dg13(encoded_of(name))
