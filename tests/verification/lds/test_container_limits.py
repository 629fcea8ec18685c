"""Containers made to cost time or memory: judged by our own errors within a fifth of a second."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.support.images import jpeg, wsq
from tests.support.stopwatch import within
from verification.encoding.tlv import build, build_integer, encode_length
from verification.errors import VerificationError
from verification.lds.definite_lengths import with_definite_lengths
from verification.lds.dg2 import parse_dg2
from verification.lds.dg3 import parse_dg3
from verification.lds.dg4 import parse_dg4

pytestmark = pytest.mark.timed

SECONDS = 0.2
MEGABYTES = 24
ROOM = 64_000

PARSERS: dict[int, tuple[Callable[[bytes], object], bytes]] = {
    0x75: (parse_dg2, b"\x00\x08"),
    0x63: (parse_dg3, b"\x00\x07"),
    0x76: (parse_dg4, b"\x00\x09"),
}
NEWER = {0x75: b"\x00\x2a", 0x63: b"\x00\x28", 0x76: b"\x00\x2c"}
APPLICATION = {0x75: 0x65, 0x63: 0x64, 0x76: 0x66}


def group_of(count: int, content: bytes) -> bytes:
    return build(0x7F61, build_integer(count) + content)


def instance(format_type: bytes, record: bytes) -> bytes:
    header = build(0xA1, build(0x87, b"\x01\x01") + build(0x88, format_type))
    return build(0x7F60, header + build(0x5F2E, record))


def newer_record(tag: int, representations: bytes, version: bytes = b"\x80\x01\x03\x81\x02\x07\xe3") -> bytes:
    block = build(0xA0, version) + build(0xA1, representations)
    return instance(NEWER[tag], build(0xA1, build(APPLICATION[tag], block)))


CONTAINERS: dict[str, Callable[[int], bytes]] = {
    "many instances": lambda tag: group_of(ROOM // 3, b"\x7f\x60\x00" * (ROOM // 3)),
    "instances not counted": lambda tag: group_of(1, b"\x7f\x60\x00" * (ROOM // 3)),
    "huge count": lambda tag: build(0x7F61, build(0x02, b"\x7f" * ROOM)),
    "many groups": lambda tag: b"\x7f\x61\x00" * (ROOM // 3),
    "claimed length": lambda tag: b"\x7f\x61\x84\xff\xff\xff\xff" + bytes(ROOM),
    "many header elements": lambda tag: group_of(1, build(0x7F60, build(0xA1, b"\x80\x00" * (ROOM // 2)))),
    "zeros as a record": lambda tag: group_of(1, instance(PARSERS[tag][1], bytes(ROOM))),
    "many faces": lambda tag: group_of(
        1,
        instance(
            PARSERS[tag][1], b"FAC\x00010\x00" + ROOM.to_bytes(4, "big") + b"\xff\xff" + bytes(ROOM - 14)
        ),
    ),
    "blocks of no length": lambda tag: group_of(
        1, instance(PARSERS[tag][1], b"FIR\x00010\x00" + ROOM.to_bytes(6, "big") + bytes(ROOM - 14))
    ),
    "many fields": lambda tag: group_of(1, newer_record(tag, build(0x30, b"\x80\x00" * (ROOM // 2)))),
    "many representations": lambda tag: group_of(1, newer_record(tag, b"\x30\x00" * (ROOM // 2))),
    "huge generation": lambda tag: group_of(1, newer_record(tag, b"", build(0x80, b"\x7f" * ROOM))),
    "many quality blocks": lambda tag: group_of(
        1,
        newer_record(
            tag,
            build(
                0x30,
                bytes.fromhex("a003800102 a103800100 a203800101")
                + build(0x83, wsq(10, 20))
                + build(0xA6, b"\x30\x00" * (ROOM // 2)),
            ),
        ),
    ),
    "nested": lambda tag: nested(0xA0, 900),
    "comments before the frame": lambda tag: group_of(
        1, instance(NEWER[tag], b"\xff\xa0" + b"\xff\xa8\x00\x02" * (ROOM // 4))
    ),
}


def nested(tag: int, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = build(tag, content)
    return content


def peak_memory(parse: Callable[[bytes], object], encoded: bytes) -> int:
    tracemalloc.start()
    try:
        parse(encoded)
    except VerificationError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("tag", PARSERS, ids=["DG2", "DG3", "DG4"])
def test_a_container_that_would_cost_much_costs_little(tag: int, container: str) -> None:
    parse, _ = PARSERS[tag]
    encoded = build(tag, CONTAINERS[container](tag))
    with within(SECONDS, time.thread_time):
        try:
            parse(encoded)
        except VerificationError:
            refused = True
        else:
            refused = False
    # One finger with thousands of scores is a finger all the same.
    assert refused or container == "many quality blocks" or tag == 0x76
    assert peak_memory(parse, encoded) < MEGABYTES * 1024 * 1024


@pytest.mark.parametrize("tag", PARSERS, ids=["DG2", "DG3", "DG4"])
@pytest.mark.parametrize("octets", [65_536, 1_000_000, 20_000_000])
def test_a_file_that_no_chip_holds_is_refused_unread(tag: int, octets: int) -> None:
    parse, _ = PARSERS[tag]
    with within(SECONDS, time.thread_time), pytest.raises(VerificationError):
        parse(bytes((tag,)) + encode_length(octets) + bytes(octets))


def test_the_largest_portrait_and_finger_are_read_at_once() -> None:
    with within(SECONDS, time.thread_time):
        record = b"FAC\x00010\x00%b\x00\x01" % (60_046).to_bytes(4, "big")
        block = (60_032).to_bytes(4, "big") + bytes(28) + jpeg(2_000, 2_000, rest=bytes(60_000 - 39))
        parse_dg2(build(0x75, group_of(1, instance(b"\x00\x08", record + block))))


@pytest.mark.parametrize(
    "encoded",
    [
        b"\x30\x80" * (ROOM // 2),
        b"\x30\x80" * 20 + b"\x30\x00" * (ROOM // 2),
        b"\x30\x80" + b"\x24\x80\x00\x00" * (ROOM // 4) + b"\x00\x00",
        b"\x24\x80" + b"\x04\x00" * (ROOM // 2) + b"\x00\x00",
        b"\x30\xff" + b"\xff" * ROOM,
        b"\x30\x84\xff\xff\xff\xff" + bytes(ROOM),
    ],
    ids=["deep", "deep and wide", "empty strings", "segments", "length of lengths", "claimed length"],
)
def test_indefinite_lengths_are_rewritten_or_refused_at_once(encoded: bytes) -> None:
    with within(SECONDS, time.thread_time):
        try:
            with_definite_lengths(encoded)
        except VerificationError:
            return
