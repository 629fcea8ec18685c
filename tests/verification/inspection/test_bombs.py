"""Files made to cost time or memory: refused by our own errors, at once and within a few megabytes."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.support import pki
from tests.support.images import codestream, jp2, jpeg
from tests.support.stopwatch import require_in_time
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.remote_chip_authentication import begin
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    build,
    build_integer,
    encode_length,
)
from verification.errors import VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.passive_authentication import authenticate
from verification.inspection.report import Verdict
from verification.lds.dg2 import Dg2, Portrait, build_dg2, parse_dg2
from verification.lds.files import LdsFile
from verification.lds.security_infos import PUBLIC_KEY_ECDH, parse_dg14

pytestmark = pytest.mark.timed

SECONDS = 0.5
MEGABYTES = 16
ROOM = 65_000
FILES = (
    LdsFile.COM,
    LdsFile.SOD,
    LdsFile.DG1,
    LdsFile.DG2,
    LdsFile.DG11,
    LdsFile.DG13,
    LdsFile.DG14,
    LdsFile.DG15,
)


def nested(tag: int, depth: int, innermost: bytes = b"") -> bytes:
    for _ in range(depth):
        innermost = build(tag, innermost)
    return innermost


def headers_only(tag: int, depth: int) -> bytes:
    return (tag.to_bytes((tag.bit_length() + 7) // 8, "big") + b"\x80") * depth


BOMBS: dict[str, Callable[[], bytes]] = {
    "nested": lambda: nested(SEQUENCE, 900),
    "nested indefinite": lambda: headers_only(SEQUENCE, ROOM // 2),
    "nested sets": lambda: nested(SET, 900),
    "empty members": lambda: build(SEQUENCE, b"\x30\x00" * (ROOM // 2)),
    "small integers": lambda: build(SET, build(SEQUENCE, b"\x02\x01\x01" * (ROOM // 3))),
    "long identifier": lambda: build(SEQUENCE, build(OBJECT_IDENTIFIER, b"\x81" * ROOM)),
    "many identifiers": lambda: build(SEQUENCE, build(OBJECT_IDENTIFIER, b"\x81" * 62 + b"\x01") * 1000),
    "long integer": lambda: build(SEQUENCE, build(INTEGER, b"\x7f" * ROOM)),
    "claimed length": lambda: b"\x30\x84\xff\xff\xff\xff" + bytes(ROOM),
    "length of lengths": lambda: b"\x30\xff" + b"\xff" * ROOM,
    "long tag": lambda: b"\x7f" + b"\xff" * ROOM,
    "zeros": lambda: bytes(ROOM),
    "oversized": lambda: bytes(10_000_000),
}


class Bounded:
    """Fails when what is done inside took too long or too much memory."""

    def __enter__(self) -> None:
        tracemalloc.start()
        self._start = time.process_time()

    def __exit__(self, fault: object, *_: object) -> None:
        seconds = time.process_time() - self._start
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        if fault is None:
            assert peak < MEGABYTES * 1024 * 1024, f"{peak} bytes"
            require_in_time(seconds, SECONDS)


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_bomb_in_any_file_is_refused_at_once(file: LdsFile, bomb: str) -> None:
    content = BOMBS[bomb]()
    card, store = pki.quick_card(), pki.trust_store(pki.quick_issuer())
    for altered in (content, build(file.tag, content), file.tag.to_bytes(1, "big") + encode_length(2**31)):
        files = card.with_files({file: altered})
        with Bounded():
            report = inspect(files, store, pki.NOW)
        assert report.verdict is Verdict.INVALID
        if file is not LdsFile.COM:  # which nobody signs
            with Bounded(), pytest.raises(VerificationError):
                authenticate(files, store, pki.NOW)


def dg14_of(infos: bytes) -> bytes:
    return build(LdsFile.DG14.tag, build(SET, infos))


def test_many_keys_times_many_protocols() -> None:
    """A DG14 with as many keys and protocols as fit: each pair is an offer."""
    genuine = parse_dg14(pki.quick_card().files[LdsFile.DG14]).chip_authentication_keys[0]
    key = build(SEQUENCE, build_oid(PUBLIC_KEY_ECDH) + genuine.public_key_info)
    protocol = build(SEQUENCE, build_oid("0.4.0.127.0.7.2.2.3.2.2") + build_integer(1))
    for keys, protocols in ((32, 32), (290, 650), (1, 1300), (500, 10), (40, 1100)):
        dg14 = dg14_of(key * keys + protocol * protocols)
        with Bounded():
            try:
                begin(dg14, 2000, random=os.urandom)
            except VerificationError:
                continue


@pytest.mark.parametrize("exponent", [3, 65537, 2**64 - 1, 2**65 + 1, 2**4095 + 1])
@pytest.mark.parametrize("bits", [1024, 4096, 4097, 60_000])
def test_rsa_keys_that_cost_time(bits: int, exponent: int) -> None:
    numbers = build(SEQUENCE, build_integer(2 ** (bits - 1) + 1) + build_integer(exponent))
    algorithm = build(SEQUENCE, build_oid("1.2.840.113549.1.1.1") + b"\x05\x00")
    info = build(SEQUENCE, algorithm + build(BIT_STRING, b"\x00" + numbers))
    dg15 = build(LdsFile.DG15.tag, info)
    with Bounded(), pytest.raises(VerificationError):
        verify_active_authentication(dg15, bytes(8), b"\x00" * (bits // 8), dg14=None)


@pytest.mark.parametrize(
    "image",
    [
        jpeg(65_535, 65_535),
        jp2(30_000, 30_000),
        codestream(2**31, 2**31),
        codestream(1_000, 1_000, tile=(1, 1)),
        codestream(10, 10, components=16_384),
    ],
    ids=["jpeg", "jp2", "grid", "tiles", "planes"],
)
def test_an_image_bomb_is_refused_before_any_decoder(image: bytes) -> None:
    dg2 = build_dg2(Dg2((Portrait(image, "image/jp2", 10, 10),)))
    files = pki.quick_card().with_files({LdsFile.DG2: dg2})
    with Bounded(), pytest.raises(VerificationError):
        parse_dg2(dg2)
    with Bounded():
        report = inspect(files, pki.trust_store(pki.quick_issuer()), pki.NOW)
    assert report.verdict is Verdict.INVALID
