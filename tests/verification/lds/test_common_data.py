from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.tlv import build
from verification.errors import MalformedDocument
from verification.lds.common_data import CommonData, build_common_data, parse_common_data
from verification.lds.files import LdsFile

CARD = CommonData(
    "0107", "040000", (LdsFile.DG1, LdsFile.DG2, LdsFile.DG3, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)
)
# ICAO 9303-10 prints this EF.COM for DG1, DG2, DG4 and DG12.
PRINTED = "60165F0104303130375F36063034303030305C046175766C"


def com(lds: bytes = b"0107", unicode: bytes = b"040000", tags: bytes = b"\x61") -> bytes:
    return build(0x60, build(0x5F01, lds) + build(0x5F36, unicode) + build(0x5C, tags))


def test_the_example_of_the_standard() -> None:
    common_data = parse_common_data(bytes.fromhex(PRINTED))
    assert common_data == CommonData("0107", "040000", (LdsFile.DG1, LdsFile.DG2, LdsFile.DG4, LdsFile.DG12))
    assert build_common_data(common_data).hex().upper() == PRINTED


def test_what_is_written_reads_back() -> None:
    assert parse_common_data(build_common_data(CARD)) == CARD
    empty = CommonData("0107", "040000", ())
    assert parse_common_data(build_common_data(empty)) == empty


@pytest.mark.parametrize(
    "encoded",
    [
        com(lds=b"107"),
        com(lds=b"01O7"),
        com(unicode=b"4000"),
        com(tags=b"\x61\x61"),
        com(tags=b"\x61\x77"),
        com(tags=b"\x61\x00"),
        com() + b"\x00",
        build(0x60, build(0x5F36, b"040000") + build(0x5F01, b"0107") + build(0x5C, b"\x61")),
        build(0x60, build(0x5F01, b"0107") + build(0x5F36, b"040000")),
        build(0x61, b""),
        b"",
    ],
)
def test_everything_else_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_common_data(encoded)


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = build_common_data(CARD)
    assert all(is_refused(parse_common_data, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=6):
        is_refused(parse_common_data, copy)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("bsi_tr03105_5/EF_COM.bin", [1, 2, 3, 4, 14]),
        ("bsi2008/EF_COM.bin", [1, 2, 3, 14]),
        ("nl_test2006/ef011E.bin", [1, 2, 15]),
        ("synthetic_cccd/card/EF_COM.bin", [1, 2, 3, 13, 14, 15]),
    ],
)
def test_specimens(shared: Path, name: str, groups: list[int]) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    common_data = parse_common_data(encoded)
    assert [int(file) for file in common_data.data_groups] == groups
    assert build_common_data(common_data) == encoded
