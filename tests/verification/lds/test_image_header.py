"""PNG and WSQ; JPEG and JPEG 2000 have their tests beside the portrait."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.images import codestream, jp2, jpeg, png, wsq
from verification.errors import ImageUndecodable, LimitExceeded, MalformedDocument
from verification.lds.image_header import (
    JPEG,
    JPEG_2000,
    PNG,
    WSQ,
    ImageHeader,
    image_kind,
    read_image_header,
)

SIDES = st.integers(min_value=1, max_value=2_000)
STARTS = (b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", b"\xff\xa0", b"\xff\xa0\xff\xa2")


@given(SIDES, SIDES)
def test_the_size_stands_in_the_headers(width: int, height: int) -> None:
    assert read_image_header(png(width, height)) == ImageHeader(PNG, width, height)
    assert read_image_header(wsq(width, height)) == ImageHeader(WSQ, width, height)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (jpeg(1, 1), JPEG),
        (jp2(1, 1), JPEG_2000),
        (codestream(1, 1), JPEG_2000),
        (png(1, 1), PNG),
        (wsq(1, 1), WSQ),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_the_kind_is_told_by_the_first_bytes(image: bytes, kind: str | None) -> None:
    assert image_kind(image) == kind


@pytest.mark.parametrize(
    "image",
    [
        png(2_001, 2_000),
        png(2**32 - 1, 2**32 - 1),
        png(65_536, 1),
        png(10, 10, depth=16),
        wsq(2_001, 2_000),
        wsq(65_535, 65_535),
        jp2(65_536, 10),
    ],
)
def test_larger_than_a_chip_holds_is_refused(image: bytes) -> None:
    with pytest.raises(LimitExceeded):
        read_image_header(image)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"GIF89a" + bytes(40),
        png(0, 10),
        png(10, 0),
        png(10, 10, colour=5),
        png(10, 10).replace(b"IHDR", b"IDAT"),
        png(10, 10)[:20],
        wsq(0, 10),
        wsq(10, 0),
        wsq(10, 10)[:20],
        wsq(10, 10, before=b"\xff\xa3\x00\x03\x00"),  # a block of samples ahead of any size
        wsq(10, 10, before=b"\xff\xa1"),
        wsq(10, 10, before=b"\x00"),
        wsq(10, 10, before=b"\xff\xa8\x00\x01"),
        wsq(10, 10, before=b"\xff\xa8\xff\xff"),
        wsq(10, 10, before=b"\xff\xa8\x00\x02" * 600),
    ],
)
def test_headers_that_are_not_there_are_refused(image: bytes) -> None:
    with pytest.raises(ImageUndecodable):
        read_image_header(image)


@given(st.sampled_from(STARTS), st.binary(max_size=120))
def test_random_headers_are_judged_without_another_error(start: bytes, rest: bytes) -> None:
    try:
        header = read_image_header(start + rest)
    except MalformedDocument:
        return
    assert 0 < header.width * header.height <= 4_000_000


def test_damaged_headers_are_judged_without_another_error() -> None:
    for good in (png(320, 420), wsq(320, 420)):
        for copy in (*truncations(good), *damaged(good, count=300, seed=5)):
            is_refused(read_image_header, copy)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "LA", "RGBA", "1"])
def test_a_png_of_a_real_encoder_has_the_size_we_read(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (37, 53)).save(out, "PNG")
    assert read_image_header(out.getvalue()) == ImageHeader(PNG, 37, 53)


@pytest.mark.shared_data
def test_a_wsq_of_the_reference_set_has_the_size_we_read(shared: Path) -> None:
    encoded = (shared / "data" / "emrtd" / "bsi_tr03105_5" / "Datagroup3.bin").read_bytes()
    image = encoded[encoded.index(b"\xff\xa0\xff\xa4") :]
    assert read_image_header(image) == ImageHeader(WSQ, 620, 620)
