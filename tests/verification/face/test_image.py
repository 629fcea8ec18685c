"""Portraits from a chip are hostile until decoded; what we write fits a chip."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from verification.errors import ImageUndecodable, LimitExceeded, VerificationError
from verification.face import image_worker
from verification.face.image import (
    PortraitDecoder,
    decode_camera_image,
    decode_portrait,
    encode_jp2,
    encode_jpeg,
)
from verification.face.picture import Picture
from verification.face.procedural_portrait import person, render


@pytest.fixture(scope="module")
def portrait() -> Picture:
    return np.ascontiguousarray(render(person(3), 320)[:, 40:280])


@pytest.mark.parametrize("target", [20_000, 15_000, 6_000])
def test_a_jpeg_2000_portrait_fits_and_reads_back(portrait: Picture, target: int) -> None:
    encoded = encode_jp2(portrait, target)
    assert target * 0.7 < len(encoded) <= target
    decoded = decode_portrait(encoded)
    assert decoded.shape == portrait.shape
    assert float(np.abs(decoded.astype(int) - portrait).mean()) < 8


def test_blue_stays_blue(portrait: Picture) -> None:
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[:, :, 0] = 200
    for encoded in (encode_jp2(blue, 4_000), encode_jpeg(blue)):
        assert decode_portrait(encoded)[32, 32].tolist() == pytest.approx([200, 0, 0], abs=6)


def test_a_grey_image_becomes_three_colours() -> None:
    out = io.BytesIO()
    Image.new("L", (50, 60), 90).save(out, "JPEG2000", no_jp2=True)
    assert decode_portrait(out.getvalue()).shape == (60, 50, 3)


def test_a_portrait_that_cannot_be_made_small_enough_is_refused(portrait: Picture) -> None:
    with pytest.raises(LimitExceeded):
        encode_jp2(portrait, 100)


def test_dimensions_stop_a_bomb_before_a_decoder_starts(portrait: Picture) -> None:
    codestream = bytearray(encode_jp2(portrait))
    size = codestream.find(b"\xff\x51") + 6
    codestream[size : size + 8] = (60_000).to_bytes(4, "big") * 2
    started = time.monotonic()
    with pytest.raises(VerificationError):
        decode_portrait(bytes(codestream))
    assert time.monotonic() - started < 0.05


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_or_damaged_portrait_ends_in_our_error_or_a_picture(
    portrait: Picture, part: float
) -> None:
    encoded = encode_jp2(portrait)
    cut = encoded[: int(len(encoded) * part)]
    damaged = bytearray(encoded)
    damaged[int(len(damaged) * part)] ^= 0xFF
    for hostile in (cut, bytes(damaged)):
        try:
            assert decode_portrait(hostile).shape == portrait.shape
        except (ImageUndecodable, LimitExceeded):
            continue


def test_a_decoder_that_does_not_end_is_ended(portrait: Picture) -> None:
    decoder = PortraitDecoder(seconds=0.0)
    with pytest.raises(ImageUndecodable):
        decoder.decode(encode_jp2(portrait))


def test_a_waiting_decoder_is_used_once_and_then_replaced(portrait: Picture) -> None:
    decoder = PortraitDecoder()
    decoder.prepare()
    encoded = encode_jp2(portrait)
    assert (decoder.decode(encoded) == decoder.decode(encoded)).all()
    decoder.prepare()
    decoder.close()
    decoder.close()


def test_a_waiting_decoder_that_died_is_replaced(portrait: Picture) -> None:
    decoder = PortraitDecoder()
    decoder.prepare()
    waiting = decoder._waiting
    assert waiting is not None
    waiting.kill()
    waiting.wait()
    assert decoder.decode(encode_jp2(portrait)).shape == portrait.shape


@pytest.mark.skipif(sys.platform == "win32", reason="no address space limit there")
def test_the_worker_cannot_take_more_memory_than_its_share() -> None:
    program = "import image_worker; image_worker.limit(); bytearray(700_000_000)"
    folder = Path(image_worker.__file__).parent
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=False)
    assert b"MemoryError" in ended.stderr


def test_a_camera_picture_is_a_jpeg_or_png_of_bounded_size(portrait: Picture) -> None:
    assert decode_camera_image(encode_jpeg(portrait)).shape == portrait.shape
    with pytest.raises(ImageUndecodable):
        decode_camera_image(encode_jp2(portrait))
    with pytest.raises(ImageUndecodable):
        decode_camera_image(b"GIF89a" + bytes(100))
    with pytest.raises(LimitExceeded):
        decode_camera_image(bytes(8_000_001))
