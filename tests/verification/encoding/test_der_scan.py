from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.stopwatch import within
from verification.encoding.der_scan import Limits, scan
from verification.encoding.tlv import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    build,
    build_integer,
)
from verification.errors import LimitExceeded, MalformedDocument

GOOD = build(
    SEQUENCE, build_integer(7) + build(SET, build(OCTET_STRING, b"x")) + build(0x7F49, build_integer(1))
)


def nested(depth: int) -> bytes:
    encoded = b""
    for _ in range(depth):
        encoded = build(SEQUENCE, encoded)
    return encoded


def test_well_formed_der_passes() -> None:
    scan(GOOD)


@pytest.mark.parametrize(
    "encoded",
    [
        nested(25),
        build(SEQUENCE, build_integer(1) * 4_097),
        build(OBJECT_IDENTIFIER, bytes(65)),
        build(INTEGER, bytes(1_025)),
        build(OCTET_STRING, bytes(65_532)),
        bytes.fromhex("1f8181818101") + b"\x00",
        bytes.fromhex("0489000000000000000001") + b"x",
    ],
    ids=["depth", "elements", "object identifier", "integer", "total", "tag", "length"],
)
def test_each_limit_holds(encoded: bytes) -> None:
    with pytest.raises(LimitExceeded):
        scan(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        nested(24),
        build(SEQUENCE, build_integer(1) * 4_095),
        build(OBJECT_IDENTIFIER, bytes(64)),
        build(INTEGER, bytes(1_024)),
    ],
    ids=["depth", "elements", "object identifier", "integer"],
)
def test_a_limit_itself_is_allowed(encoded: bytes) -> None:
    scan(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "30",
        "3001",
        "30020201",
        "300302020100",
        "0200ff",
        "30800000",
        "3081020500",
        "308200020500",
        "0480",
        "3003020105ff",
    ],
)
def test_lengths_that_do_not_add_up_are_refused(encoded: str) -> None:
    with pytest.raises(MalformedDocument):
        scan(bytes.fromhex(encoded))


@pytest.mark.parametrize("encoded", ["30800201050000", "3080308002010500000000", "24800401000000"])
def test_indefinite_lengths_are_refused(encoded: str) -> None:
    with pytest.raises(MalformedDocument):
        scan(bytes.fromhex(encoded))


def test_limits_are_arguments() -> None:
    with pytest.raises(LimitExceeded):
        scan(GOOD, Limits(elements=3))
    with pytest.raises(LimitExceeded):
        scan(GOOD, Limits(total=len(GOOD) - 1))
    scan(build(OCTET_STRING, bytes(70_000)), Limits(total=100_000))


@pytest.mark.alone
def test_bombs_are_refused_at_once() -> None:
    bombs = (
        b"\x30\x80" * 32_000,
        nested(2_000),
        build(OBJECT_IDENTIFIER, b"\x81" * 60_000),
        b"\x30\x84\xff\xff\xff\xff",
    )
    # The identifier alone costs a general parser seconds.
    with within(1):
        for bomb in bombs:
            assert is_refused(scan, bomb)


@given(st.binary(max_size=200))
def test_random_bytes_are_judged_without_another_error(data: bytes) -> None:
    is_refused(scan, data)


@pytest.mark.shared_data
def test_real_security_objects_pass_and_their_truncations_do_not(shared: Path) -> None:
    for name in ("bsi_tr03105_5/EF_SOD.bin", "bsi2008/EF_SOD.bin", "synthetic_cccd/card/EF_SOD.bin"):
        encoded = (shared / "data" / "emrtd" / name).read_bytes()
        scan(encoded)
        assert all(is_refused(scan, part) for part in truncations(encoded))
        for copy in damaged(encoded, count=100, seed=1):
            is_refused(scan, copy)
