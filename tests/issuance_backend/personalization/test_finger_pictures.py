"""Fingerprints go on a chip as WSQ, compressed once and never scaled."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from issuance_backend.personalization.finger_pictures import MAX_BYTES, PPI, encode_wsq, read_finger
from verification.errors import FingerImageUndecodable, LimitExceeded
from verification.face.image import decode_finger
from verification.face.picture import GreyPicture
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.dg3 import WSQ, Dg3, FingerImage, FingerPosition, Impression, build_dg3, parse_dg3
from verification.lds.image_header import read_image_header

INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture(scope="module")
def print_of_index() -> GreyPicture:
    return render_finger(1, INDEX)


def on_glass(picture: GreyPicture, height: int, width: int) -> GreyPicture:
    """The same print in the middle of a larger scan."""
    glass = np.full((height, width), 240, np.uint8)
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    glass[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return glass


def chip_finger(picture: GreyPicture, position: FingerPosition, quality: int | None = None) -> FingerImage:
    """A captured print as DG3 holds it."""
    image = encode_wsq(picture)
    return FingerImage.of(position, image, ppi=PPI, quality=quality, impression=Impression.PLAIN)


def noisy(height: int, width: int) -> GreyPicture:
    return np.random.default_rng(2).integers(0, 256, (height, width), dtype=np.uint8)


def test_a_print_is_written_within_three_quarters_of_a_bit_a_pixel(print_of_index: GreyPicture) -> None:
    encoded = encode_wsq(print_of_index)
    assert read_image_header(encoded)[1:] == (320, 420)
    assert len(encoded) <= 0.75 / 8 * print_of_index.size
    assert b"WSQ_BITRATE 0.75" in encoded


def test_the_ridges_survive(print_of_index: GreyPicture) -> None:
    finger = chip_finger(print_of_index, INDEX, quality=66)
    decoded = decode_finger(finger).astype(float)
    assert np.corrcoef(decoded.ravel(), print_of_index.ravel())[0, 1] > 0.97
    assert (finger.media_type, finger.ppi, finger.quality) == (WSQ, 500, 66)


def test_two_fingers_make_a_dg3_that_a_chip_holds() -> None:
    prints = [
        chip_finger(render_finger(1, position), position) for position in (INDEX, FingerPosition.LEFT_INDEX)
    ]
    encoded = build_dg3(Dg3(tuple(prints)))
    assert parse_dg3(encoded).fingers == tuple(prints)
    assert len(encoded) <= 2 * MAX_BYTES


def test_a_scan_too_large_is_cut_to_its_ridges_and_not_scaled(print_of_index: GreyPicture) -> None:
    grain = np.random.default_rng(3).integers(205, 256, (900, 900), dtype=np.uint8)
    scan = on_glass(print_of_index, 900, 900)
    scan = np.where(scan > 230, grain, scan)
    finger = chip_finger(scan, INDEX)
    assert len(finger.image) <= MAX_BYTES
    assert finger.height < 450
    assert finger.width < 350
    decoded = decode_finger(finger)
    rows, columns = np.nonzero(print_of_index < 200)
    inked = (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
    assert abs(decoded.shape[0] - inked[0]) <= 17
    assert abs(decoded.shape[1] - inked[1]) <= 17


def test_a_large_scan_that_fits_is_kept_whole(print_of_index: GreyPicture) -> None:
    assert read_image_header(encode_wsq(on_glass(print_of_index, 600, 600)))[1:] == (600, 600)


def test_what_does_not_fit_at_all_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        encode_wsq(noisy(700, 700))


@pytest.mark.parametrize(
    "picture",
    [
        noisy(63, 200),
        noisy(200, 63),
        np.zeros((200, 200, 3), np.uint8),
        np.zeros((200, 200), np.float64),
        np.zeros((0, 0), np.uint8),
    ],
)
def test_what_is_no_print_is_refused(picture: GreyPicture) -> None:
    with pytest.raises(FingerImageUndecodable):
        encode_wsq(picture)


def test_another_resolution_is_refused_because_the_codec_would_call_it_500(
    print_of_index: GreyPicture,
) -> None:
    with pytest.raises(FingerImageUndecodable):
        encode_wsq(print_of_index, ppi=1000)


def test_bare_glass_is_no_reason_to_fail() -> None:
    assert len(encode_wsq(np.full((500, 500), 250, np.uint8))) < 2_000


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_captured_print_is_read_as_scanners_write_it(print_of_index: GreyPicture, kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(print_of_index).save(out, kind)
    assert np.array_equal(read_finger(out.getvalue()), print_of_index)
    assert read_finger(encode_wsq(print_of_index)).shape == print_of_index.shape


@pytest.mark.parametrize("kind", ["EPS", "PPM", "GIF", "WEBP"])
def test_what_no_scanner_writes_is_not_even_opened(print_of_index: GreyPicture, kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(print_of_index).save(out, kind)
    with pytest.raises(FingerImageUndecodable):
        read_finger(out.getvalue())


def test_a_captured_print_that_is_cut_off_or_too_large_is_refused(print_of_index: GreyPicture) -> None:
    out = io.BytesIO()
    Image.fromarray(print_of_index).save(out, "PNG")
    whole = out.getvalue()
    huge = io.BytesIO()
    Image.new("L", (2_001, 2_000)).save(huge, "PNG")
    wsq = encode_wsq(print_of_index)
    for content in (b"", whole[:40], whole[: len(whole) // 2], huge.getvalue(), wsq[: len(wsq) // 2]):
        with pytest.raises(FingerImageUndecodable):
            read_finger(content)
