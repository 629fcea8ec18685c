from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.images import box, codestream, image_header, jp2, jpeg
from tests.support.stopwatch import within
from verification.errors import ImageUndecodable, LimitExceeded, MalformedDocument
from verification.lds.portrait_image import JPEG, JPEG_2000, image_dimensions, media_type

SIDES = st.integers(min_value=1, max_value=2_000)


@given(SIDES, SIDES)
def test_the_size_stands_in_the_headers(width: int, height: int) -> None:
    assert image_dimensions(jpeg(width, height)) == (width, height)
    assert image_dimensions(jp2(width, height)) == (width, height)
    assert image_dimensions(codestream(width, height)) == (width, height)


@pytest.mark.parametrize(
    ("image", "expected"), [(jpeg(1, 1), JPEG), (jp2(1, 1), JPEG_2000), (codestream(1, 1), JPEG_2000)]
)
def test_the_kind_is_told_by_the_first_bytes(image: bytes, expected: str) -> None:
    assert media_type(image) == expected


def test_every_kind_of_jpeg_frame_counts_and_tables_do_not() -> None:
    assert image_dimensions(jpeg(480, 640, marker=0xC2)) == (480, 640)
    table_first = jpeg(1, 1)[:20] + b"\xff\xc4\x00\x04\x00\x00" + b"\xff\xff" + jpeg(480, 640)[20:]
    assert image_dimensions(table_first) == (480, 640)


def test_the_visible_part_of_the_grid_is_the_image() -> None:
    assert image_dimensions(codestream(100, 200, left=50)) == (100, 200)


@pytest.mark.parametrize(
    "image",
    [
        jpeg(2_001, 2_000),
        jpeg(65_535, 65_535),
        jpeg(10, 10, components=5),
        jpeg(10, 10, rest=bytes(200_000)),
        jp2(65_535, 65_535),
        codestream(2**31, 2**31),
        codestream(10, 10, left=2**31),
        codestream(1_000, 1_000, tile=(1, 1)),
        codestream(10, 10, components=16_384),
        codestream(10, 10, depth=16),
    ],
    ids=["area", "most", "components", "bytes", "jp2 area", "grid", "offset", "tiles", "planes", "depth"],
)
def test_larger_than_a_portrait_is_refused(image: bytes) -> None:
    with pytest.raises(LimitExceeded):
        image_dimensions(image)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        jpeg(0, 10),
        jpeg(10, 0),
        jpeg(10, 10, components=0),
        jpeg(10, 10)[:30],
        b"\xff\xd8\xff\xd9" + bytes(30),
        b"\xff\xd8\xff\xe0\x00\x01" + bytes(30),
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 600 + jpeg(10, 10)[2:],
        codestream(10, 10, tile=(0, 10)),
        codestream(0, 10),
        codestream(10, 10, components=0),
        jp2(10, 10, stream=codestream(10, 11)),
        jp2(10, 10, stream=b"\xff\x4f\xff\x52" + bytes(60)),
        jp2(10, 10)[:60],
        jp2(10, 10, header=box(b"jp2h", b"")),
        jp2(10, 10, header=box(b"jp2h", image_header(2_000, 2_000)) + box(b"jp2h", image_header(10, 10))),
        jp2(10, 10, header=box(b"jp2h", image_header(10, 10) + image_header(2_000, 2_000))),
        b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a" + box(b"jp2c", codestream(10, 10)),
        b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a" + box(b"free", b"") * 100,
        b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a" + b"\x00\x00\x00\x02free",
        b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a" + b"\xff\xff\xff\xfffree",
    ],
)
def test_headers_that_are_not_there_or_contradict_are_refused(image: bytes) -> None:
    with pytest.raises(ImageUndecodable):
        image_dimensions(image)


def test_a_component_without_samples_is_refused() -> None:
    image = bytearray(codestream(10, 10))
    image[image.index(b"\x07\x01\x01") + 1] = 0
    with pytest.raises(ImageUndecodable):
        image_dimensions(bytes(image))


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a", b"\xff\x4f\xff\x51"]),
    st.binary(max_size=200),
)
def test_random_headers_are_judged_without_another_error(start: bytes, rest: bytes) -> None:
    try:
        width, height = image_dimensions(start + rest)
    except MalformedDocument:
        return
    assert 0 < width * height <= 4_000_000


@pytest.mark.alone
def test_damaged_headers_are_judged_quickly() -> None:
    with within(2):
        for good in (jpeg(480, 640), jp2(480, 640)):
            for copy in (*truncations(good), *damaged(good, count=300, seed=2)):
                is_refused(image_dimensions, copy)


@pytest.mark.shared_data
def test_a_portrait_from_a_decoder_has_the_size_we_read(shared: Path) -> None:
    for path in sorted((shared / "data" / "faces" / "composite").glob("*.jpg"))[:3]:
        height, width = cv2.imread(str(path)).shape[:2]
        assert image_dimensions(path.read_bytes()) == (width, height)
