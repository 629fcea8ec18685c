from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.tlv import build
from verification.errors import MalformedDocument
from verification.lds.biometric_template import BiometricRecord, RecordFormat
from verification.lds.dg4 import Dg4, build_dg4, parse_dg4


def iris(length_error: int = 0) -> bytes:
    return b"IIR\x00010\x00" + (60 + length_error).to_bytes(4, "big") + bytes(48)


RIGHT = BiometricRecord(RecordFormat.ISO_19794_6, iris(), subtype=1)
LEFT = BiometricRecord(RecordFormat.ISO_39794_6, build(0xA1, build(0x66, bytes(30))), subtype=2)


@pytest.mark.parametrize("dg4", [Dg4((RIGHT, LEFT)), Dg4((RIGHT,)), Dg4((), b"12345678")])
def test_what_is_written_reads_back(dg4: Dg4) -> None:
    assert parse_dg4(build_dg4(dg4)) == dg4


@pytest.mark.parametrize("error", [-8, 8])
def test_a_length_off_by_a_few_bytes_is_tolerated(error: int) -> None:
    record = BiometricRecord(RecordFormat.ISO_19794_6, iris(error))
    assert parse_dg4(build_dg4(Dg4((record,)))).records == (record,)


@pytest.mark.parametrize(
    "record",
    [
        BiometricRecord(RecordFormat.ISO_19794_6, iris(9)),
        BiometricRecord(RecordFormat.ISO_19794_6, b"FIR\x00010\x00" + bytes(60)),
        BiometricRecord(RecordFormat.ISO_19794_6, b"IIR\x00010\x00"),
        BiometricRecord(RecordFormat.ISO_39794_6, iris()),
        BiometricRecord(RecordFormat.ISO_39794_6, build(0xA1, build(0x65, bytes(30)))),
        BiometricRecord(RecordFormat.ISO_19794_5, iris()),
    ],
)
def test_other_records_are_refused(record: BiometricRecord) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg4(build_dg4(Dg4((record,))))


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = build_dg4(Dg4((RIGHT, LEFT)))
    assert all(is_refused(parse_dg4, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=6):
        is_refused(parse_dg4, copy)


@pytest.mark.shared_data
def test_the_reference_set(shared: Path) -> None:
    encoded = (shared / "data" / "emrtd" / "bsi_tr03105_5" / "Datagroup4.bin").read_bytes()
    dg4 = parse_dg4(encoded)
    assert [record.format for record in dg4.records] == [RecordFormat.ISO_19794_6] * 2
    assert [record.subtype for record in dg4.records] == [1, 2]
    assert parse_dg4(build_dg4(dg4)) == dg4
