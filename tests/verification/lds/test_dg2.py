from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.images import codestream, jp2, jpeg, png, wsq
from verification.encoding.tlv import build, build_integer, only
from verification.errors import ImageUndecodable, LimitExceeded, MalformedDocument
from verification.lds.dg2 import Dg2, Portrait, build_dg2, parse_dg2

PORTRAIT = Portrait.of(jpeg(480, 640))
ENCODED = build_dg2(Dg2((PORTRAIT,)))


def fac(*images: bytes, length_error: int = 0, features: int = 0) -> bytes:
    """A facial record of our own making, independent of the builder."""
    blocks = b""
    for image in images:
        size = 20 + 8 * features + 12 + len(image)
        blocks += (
            size.to_bytes(4, "big")
            + features.to_bytes(2, "big")
            + bytes(14)
            + bytes(8 * features)
            + bytes(12)
            + image
        )
    length = 14 + len(blocks) + length_error
    return b"FAC\x00010\x00" + length.to_bytes(4, "big") + len(images).to_bytes(2, "big") + blocks


def dg2_of(
    record: bytes,
    *,
    count: int = 1,
    owner: bytes = b"\x01\x01",
    format_type: bytes = b"\x00\x08",
    data_tag: int = 0x5F2E,
) -> bytes:
    header = build(0xA1, build(0x87, owner) + build(0x88, format_type))
    instance = build(0x7F60, header + build(data_tag, record))
    return build(0x75, build(0x7F61, build_integer(count) + instance))


@pytest.mark.parametrize("image", [jpeg(480, 640), jp2(622, 800), codestream(413, 531)])
def test_what_is_written_reads_back(image: bytes) -> None:
    dg2 = Dg2((Portrait.of(image), PORTRAIT))
    assert parse_dg2(build_dg2(dg2)) == dg2


def test_the_image_tells_kind_and_size_whatever_the_record_says() -> None:
    # Image information of the record is all zero: basic type, JPEG, no size.
    portrait = parse_dg2(dg2_of(fac(jp2(622, 800)))).portraits[0]
    assert (portrait.media_type, portrait.width, portrait.height) == ("image/jp2", 622, 800)
    assert portrait.image == jp2(622, 800)


@pytest.mark.parametrize("instances", [2, 255, 256, 300])
@pytest.mark.parametrize("counted", [b"", b"\x01", b"\x00\x01", b"\x2c", b"\xff", b"\x01\x2c"])
def test_instances_that_are_not_as_counted_are_refused(instances: int, counted: bytes) -> None:
    group = build(0x02, counted) + build(0x7F60, b"") * instances
    with pytest.raises(MalformedDocument):
        parse_dg2(build(0x75, build(0x7F61, group)))


def test_feature_points_are_passed_over() -> None:
    assert parse_dg2(dg2_of(fac(PORTRAIT.image, features=3))).portraits == (PORTRAIT,)


def test_several_images_in_one_record() -> None:
    second = jpeg(240, 320)
    assert [p.width for p in parse_dg2(dg2_of(fac(PORTRAIT.image, second))).portraits] == [480, 240]


@pytest.mark.parametrize("length_error", [-8, -1, 1, 8])
def test_a_record_length_off_by_a_few_bytes_is_tolerated(length_error: int) -> None:
    assert parse_dg2(dg2_of(fac(PORTRAIT.image, length_error=length_error))).portraits == (PORTRAIT,)


@pytest.mark.parametrize(
    "encoded",
    [
        dg2_of(fac(PORTRAIT.image, length_error=9)),
        dg2_of(fac(PORTRAIT.image), count=2),
        dg2_of(fac(PORTRAIT.image), count=0),
        dg2_of(fac(PORTRAIT.image), format_type=b"\x00\x07"),
        dg2_of(fac(PORTRAIT.image), format_type=b"\x00\x2a"),
        dg2_of(fac(PORTRAIT.image), data_tag=0x5F2F),
        dg2_of(fac(PORTRAIT.image), owner=b"\x00\x1b"),
        dg2_of(fac(PORTRAIT.image)[:-1] + b"\x00" * 20),
        dg2_of(fac(PORTRAIT.image, features=60_000)[:200]),
        dg2_of(b"FIR\x00010\x00" + bytes(60)),
        dg2_of(b"FAC\x00"),
        build(0x75, build(0x7F61, b"")),
        build(0x75, build(0x7F61, build_integer(1))),
        build(0x75, b""),
        b"",
        build(0x63, ENCODED[4:]),
        ENCODED + b"\x00",
    ],
)
def test_other_containers_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg2(encoded)


def test_an_image_that_no_one_can_decode_has_its_own_error() -> None:
    with pytest.raises(ImageUndecodable):
        parse_dg2(dg2_of(fac(b"GIF89a" + bytes(40))))


@pytest.mark.parametrize("image", [jp2(60_000, 60_000), jpeg(9_000, 9_000)])
def test_an_image_bomb_is_refused_before_any_decoder(image: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse_dg2(dg2_of(fac(image)))


def test_too_many_images_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        parse_dg2(dg2_of(fac(*[jpeg(48, 64)] * 17)))


def test_too_many_images_in_several_records_are_refused() -> None:
    record = fac(*[jpeg(48, 64)] * 9)
    group = build_integer(2) + 2 * only(only(dg2_of(record), 0x75), 0x7F61)[3:]
    with pytest.raises(LimitExceeded):
        parse_dg2(build(0x75, build(0x7F61, group)))


@pytest.mark.parametrize("claimed", [0, 1, 19, 32, 2**16, 2**31, 2**32 - 1])
def test_a_block_that_lies_about_its_length_is_refused(claimed: int) -> None:
    record = bytearray(fac(PORTRAIT.image, jpeg(240, 320)))
    record[14:18] = claimed.to_bytes(4, "big")
    with pytest.raises(MalformedDocument):
        parse_dg2(dg2_of(bytes(record)))


def test_what_the_record_calls_jpeg_2000_may_be_a_jpeg() -> None:
    record = bytearray(fac(PORTRAIT.image))
    record[14 + 20 + 1] = 1
    assert parse_dg2(dg2_of(bytes(record))).portraits == (PORTRAIT,)


@pytest.mark.parametrize("image", [png(480, 640), wsq(480, 640)])
def test_a_portrait_is_no_png_and_no_finger(image: bytes) -> None:
    with pytest.raises(ImageUndecodable):
        parse_dg2(dg2_of(fac(image)))


def test_a_file_above_64_kb_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        parse_dg2(build(0x75, bytes(65_536)))


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    assert all(is_refused(parse_dg2, part) for part in truncations(ENCODED))
    for copy in damaged(ENCODED, count=500, seed=3):
        is_refused(parse_dg2, copy)


def test_an_image_is_not_shown() -> None:
    assert repr(PORTRAIT) == f"Portrait(image/jpeg, 480 x 640, {len(PORTRAIT.image)} bytes)"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bsi_tr03105_5/Datagroup2.bin", ("image/jp2", 413, 531)),
        ("synthetic_cccd/card/EF_DG2.bin", ("image/jp2", 480, 640)),
        ("synthetic_cccd/card/EF_DG2_jpeg.bin", ("image/jpeg", 480, 640)),
    ],
)
def test_specimens(shared: Path, name: str, expected: tuple[str, int, int]) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    dg2 = parse_dg2(encoded)
    (portrait,) = dg2.portraits
    assert (portrait.media_type, portrait.width, portrait.height) == expected
    assert encoded.endswith(portrait.image)
    assert parse_dg2(build_dg2(dg2)) == dg2
    # Every header byte stands in the first 300; a step of 97 visits the image's body too.
    cuts = [*range(300), *range(300, len(encoded), 97)]
    assert all(is_refused(parse_dg2, encoded[:cut]) for cut in cuts)
