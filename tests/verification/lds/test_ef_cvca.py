from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import damaged, is_refused
from verification.encoding.tlv import build
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.ef_cvca import build_ef_cvca, parse_ef_cvca
from verification.lds.files import EF_CVCA_LENGTH

NEW, OLD = "VNTESTCVC00002A1", "VNTESTCVC00001A1"  # as long as a reference can be


def test_one_or_two_references_fill_36_octets() -> None:
    assert build_ef_cvca([NEW, OLD]) == build(0x42, NEW.encode()) + build(0x42, OLD.encode())
    assert build_ef_cvca(["VNCVCA00001"]) == build(0x42, b"VNCVCA00001") + bytes(23)
    for references in ((NEW,), (NEW, OLD), ("VNCVCA00002", "VNCVCA00001")):
        encoded = build_ef_cvca(references)
        assert len(encoded) == EF_CVCA_LENGTH == 36
        assert parse_ef_cvca(encoded) == references


def test_a_file_without_filling_is_read() -> None:
    assert parse_ef_cvca(build(0x42, b"VNCVCA00001")) == ("VNCVCA00001",)


@pytest.mark.shared_data
def test_the_specimen_card(shared: Path) -> None:
    file = shared / "data" / "emrtd" / "synthetic_cccd" / "card" / "EF_CVCA.bin"
    assert parse_ef_cvca(file.read_bytes()) == ("VNTESTCVCA00001",)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        bytes(36),
        build(0x43, b"VNCVCA00001") + bytes(23),
        build(0x42, b"VNCVCA00001") + bytes(22) + b"\x01",
        build(0x42, b"VNA00001") * 3 + bytes(6),
        build(0x42, b"VN00001").ljust(36, b"\x00"),
        b"\x42\x30VNCVCA00001".ljust(36, b"\x00"),
        build(0x42, b"VNCVCA00001") + b"\xff" * 23,
    ],
)
def test_another_content_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_ef_cvca(encoded)


def test_a_longer_file_meets_the_limit() -> None:
    with pytest.raises(LimitExceeded):
        parse_ef_cvca(build_ef_cvca([NEW]) + b"\x00")


@pytest.mark.parametrize("references", [[], [NEW, OLD, "VNCVCA00001"], ["CVCA"]])
def test_what_the_file_cannot_hold(references: list[str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of two writers
        build_ef_cvca(references)


def test_damage_meets_our_own_errors() -> None:
    for copy in damaged(build_ef_cvca([NEW, OLD]), count=1000, seed=5):
        is_refused(parse_ef_cvca, copy)
