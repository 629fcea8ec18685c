from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.vectors import load
from verification.encoding.mrz import Td1, Td3, parse_td1
from verification.encoding.tlv import build
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.dg1 import Dg1, build_dg1, parse_dg1

TEXTS = ["".join(case["mrz"]) for case in load("cccd_mrz_synthetic")["vectors"]]


def dg1_of(value: bytes) -> bytes:
    return build(0x61, build(0x5F1F, value))


@pytest.mark.parametrize("text", TEXTS)
def test_cards_read_and_write_back(text: str) -> None:
    encoded = dg1_of(text.encode())
    dg1 = parse_dg1(encoded)
    assert dg1.mrz == text
    assert isinstance(dg1.zone, Td1)
    assert build_dg1(dg1) == encoded
    assert build_dg1(Dg1.of(parse_td1(text))) == encoded


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        build(0x61, b""),
        build(0x75, build(0x5F1F, TEXTS[0].encode())),
        build(0x61, build(0x5F01, TEXTS[0].encode())),
        dg1_of(TEXTS[0].encode()) + b"\x00",
        build(0x61, build(0x5F1F, TEXTS[0].encode()) * 2),
        dg1_of(TEXTS[0].encode() + b"\n"),
        dg1_of("\n".join([TEXTS[0][:30], TEXTS[0][30:60], TEXTS[0][60:]]).encode()),
        dg1_of(TEXTS[0].encode()[:-1] + b"\xff"),
        dg1_of(TEXTS[0].encode()[:-1]),
        dg1_of(TEXTS[0].replace("901", "902", 1).encode()),
    ],
)
def test_everything_else_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg1(encoded)


def test_a_file_above_64_kb_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        parse_dg1(dg1_of(bytes(65_536)))


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = dg1_of(TEXTS[0].encode())
    assert all(is_refused(parse_dg1, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=5):
        is_refused(parse_dg1, copy)


def test_the_holder_is_not_shown() -> None:
    assert repr(parse_dg1(dg1_of(TEXTS[0].encode()))) == "Dg1(Td1)"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "kind", "state"),
    [
        ("bsi_tr03105_5/Datagroup1.bin", Td3, "D"),
        ("bsi2008/Datagroup1.bin", Td3, "D"),
        ("nl_test2006/ef0101.bin", Td3, "NLD"),
        ("synthetic_cccd/card/EF_DG1.bin", Td1, "VNM"),
    ],
)
def test_specimens(shared: Path, name: str, kind: type, state: str) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    dg1 = parse_dg1(encoded)
    assert isinstance(dg1.zone, kind)
    assert dg1.zone.issuing_state == state
    assert build_dg1(dg1) == encoded
