from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.tlv import build, build_integer
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.biometric_template import (
    BiometricRecord,
    BiometricTemplate,
    RecordFormat,
    build_template,
    parse_template,
)
from verification.lds.files import LdsFile

ALL = frozenset(RecordFormat)
FINGERS = frozenset({RecordFormat.ISO_19794_4, RecordFormat.ISO_39794_4})
RECORDS = st.builds(
    BiometricRecord, st.sampled_from(RecordFormat), st.binary(max_size=80), st.integers(0, 255)
)

HEADER = build(0x87, b"\x01\x01") + build(0x88, b"\x00\x07")


def dg3_of(*instances: bytes, count: int | None = None, tail: bytes = b"") -> bytes:
    number = len(instances) if count is None else count
    return build(0x63, build(0x7F61, build_integer(number) + b"".join(instances)) + tail)


def instance(header: bytes = HEADER, record: bytes = b"record", *, tag: int = 0x5F2E) -> bytes:
    return build(0x7F60, build(0xA1, header) + build(tag, record))


def parse(encoded: bytes) -> BiometricTemplate:
    return parse_template(encoded, LdsFile.DG3, FINGERS, may_be_empty=True)


@given(st.sampled_from([LdsFile.DG2, LdsFile.DG3, LdsFile.DG4]), st.lists(RECORDS, min_size=1, max_size=16))
def test_what_is_written_reads_back(file: LdsFile, records: list[BiometricRecord]) -> None:
    template = BiometricTemplate(tuple(records))
    assert parse_template(build_template(template, file), file, ALL) == template


def test_the_template_byte_for_byte() -> None:
    record = BiometricRecord(RecordFormat.ISO_19794_4, b"\xaa", subtype=0x09)
    encoded = build_template(BiometricTemplate((record,)), LdsFile.DG3)
    assert encoded.hex() == "631d7f611a0201017f6014a10e81010882010987020101880200075f2e01aa"


def test_a_der_record_goes_under_a_constructed_tag() -> None:
    record = BiometricRecord(RecordFormat.ISO_39794_4, b"\xa1\x00")
    encoded = build_template(BiometricTemplate((record,)), LdsFile.DG3)
    assert encoded.endswith(bytes.fromhex("7f2e02a100"))


def test_a_holder_without_fingers_has_a_template_without_records() -> None:
    empty = BiometricTemplate((), bytes.fromhex("0102030405060708"))
    encoded = build_template(empty, LdsFile.DG3)
    assert encoded.hex() == "63107f610302010053080102030405060708"
    assert parse(encoded) == empty
    assert parse(dg3_of()) == BiometricTemplate(())
    with pytest.raises(MalformedDocument):
        parse_template(encoded, LdsFile.DG3, FINGERS)


def test_header_elements_in_any_order_and_of_any_other_kind_are_passed_over() -> None:
    header = build(0x88, b"\x00\x07") + build(0x80, b"\x01\x01") + build(0x87, b"\x01\x01")
    header += build(0x83, bytes(7)) + build(0x85, bytes(8)) + build(0x86, b"\x00\x01") + build(0x82, b"\x0a")
    (record,) = parse(dg3_of(instance(header))).records
    assert (record.format, record.subtype, record.data) == (RecordFormat.ISO_19794_4, 0x0A, b"record")


@pytest.mark.parametrize(
    "encoded",
    [
        dg3_of(instance(), count=2),
        dg3_of(instance(), count=0),
        dg3_of(instance(build(0x88, b"\x00\x07"))),
        dg3_of(instance(build(0x87, b"\x01\x01"))),
        dg3_of(instance(build(0x87, b"\x00\x1b") + build(0x88, b"\x00\x07"))),
        dg3_of(instance(build(0x87, b"\x01\x01") + build(0x88, b"\x00\x08"))),
        dg3_of(instance(build(0x87, b"\x01\x01") + build(0x88, b"\x00\x00\x07"))),
        dg3_of(instance(HEADER + build(0x88, b"\x00\x07"))),
        dg3_of(instance(tag=0x5F2F)),
        dg3_of(build(0x7F60, build(0xA1, HEADER))),
        dg3_of(build(0x7F60, build(0x5F2E, b"record") + build(0xA1, HEADER))),
        dg3_of(build(0x7F62, build(0xA1, HEADER) + build(0x5F2E, b"record"))),
        dg3_of(instance(), tail=build(0x53, bytes(8))),
        dg3_of(tail=build(0x54, bytes(8))),
        dg3_of(tail=build(0x53, bytes(8)) * 2),
        build(0x63, b""),
        build(0x63, build(0x7F61, b"")),
        build(0x63, build(0x53, bytes(8))),
        build(0x75, build(0x7F61, build_integer(0))),
    ],
)
def test_other_templates_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse(encoded)


def test_a_count_that_is_not_in_its_shortest_form_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        parse(build(0x63, build(0x7F61, build(0x02, b"\x00\x01") + instance())))


def test_more_records_than_any_card_has_are_refused() -> None:
    assert len(parse(dg3_of(*[instance()] * 16)).records) == 16
    with pytest.raises(LimitExceeded):
        parse(dg3_of(*[instance()] * 17))


def test_truncated_and_damaged_templates_meet_our_own_errors() -> None:
    good = dg3_of(instance(), instance(record=bytes(50)))
    assert all(is_refused(parse, part) for part in truncations(good))
    for copy in damaged(good, count=500, seed=7):
        is_refused(parse, copy)


def test_a_record_is_not_shown() -> None:
    assert (
        repr(BiometricRecord(RecordFormat.ISO_19794_4, b"ridges", 9))
        == "BiometricRecord(ISO_19794_4, 6 bytes)"
    )
