"""Portraits from a chip are hostile until decoded; what we write fits a chip."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wsq as _  # noqa: F401 - teaches Pillow to write WSQ
from PIL import Image

from tests.support.hostile import damaged
from tests.support.images import png, wsq
from tests.support.stopwatch import within
from verification.errors import FingerImageUndecodable, ImageUndecodable, LimitExceeded, VerificationError
from verification.face import image_worker
from verification.face.image import (
    PortraitDecoder,
    decode_camera_image,
    decode_finger,
    decode_portrait,
    encode_jp2,
    encode_jpeg,
)
from verification.face.picture import GreyPicture, Picture
from verification.face.procedural_portrait import person, render
from verification.lds.dg3 import FingerImage, FingerPosition, parse_dg3
from verification.lds.finger_image import sample_header

INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture(scope="module")
def portrait() -> Picture:
    return np.ascontiguousarray(render(person(3), 320)[:, 40:280])


@pytest.mark.parametrize("target", [20_000, 15_000, 6_000])
def test_a_jpeg_2000_portrait_fits_and_reads_back(portrait: Picture, target: int) -> None:
    encoded = encode_jp2(portrait, target)
    assert target * 0.95 < len(encoded) <= target
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


@pytest.mark.alone
def test_dimensions_stop_a_bomb_before_a_decoder_starts(portrait: Picture) -> None:
    codestream = bytearray(encode_jp2(portrait))
    size = codestream.find(b"\xff\x51") + 6
    codestream[size : size + 8] = (60_000).to_bytes(4, "big") * 2
    with within(0.05), pytest.raises(VerificationError):
        decode_portrait(bytes(codestream))


def test_an_image_refused_by_its_headers_leaves_the_waiting_decoder_to_the_next(portrait: Picture) -> None:
    decoder = PortraitDecoder()
    decoder.prepare()
    waiting = decoder._waiting
    with pytest.raises(ImageUndecodable):
        decoder.decode(b"GIF89a" + bytes(60))
    assert decoder._waiting is waiting
    decoder.close()


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


@pytest.fixture(scope="module")
def ridges() -> GreyPicture:
    """A grey picture with the frequency of ridges, at 500 ppi one every nine pixels."""
    rows, columns = np.mgrid[0:240, 0:200]
    waves = np.sin(2 * np.pi * np.hypot(rows - 110, columns - 100) / 9.2)
    return np.asarray(np.rint(120 + 100 * waves), np.uint8)


def encoded_as(picture: GreyPicture, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "largest_error"), [("PNG", 0), ("JPEG2000", 0), ("JPEG", 8), ("WSQ", 12)])
def test_a_finger_is_decoded_whatever_its_compression(
    ridges: GreyPicture, kind: str, largest_error: int
) -> None:
    decoded = decode_finger(FingerImage.of(INDEX, encoded_as(ridges, kind)))
    assert (decoded.shape, decoded.dtype) == (ridges.shape, ridges.dtype)
    assert float(np.abs(decoded.astype(int) - ridges).mean()) <= largest_error


def test_samples_need_no_decoder(ridges: GreyPicture) -> None:
    part = np.ascontiguousarray(ridges[:100, :200])
    finger = FingerImage(INDEX, part.tobytes(), *sample_header(part.tobytes(), 200, 100))
    assert (decode_finger(finger) == part).all()
    with pytest.raises(FingerImageUndecodable):
        decode_finger(replace(finger, height=101))


@pytest.mark.alone
def test_a_finger_bomb_is_refused_before_a_decoder_starts(ridges: GreyPicture) -> None:
    good = FingerImage.of(INDEX, encoded_as(ridges, "PNG"))
    with within(0.05):
        for image in (wsq(60_000, 60_000), png(60_000, 60_000)):
            with pytest.raises(LimitExceeded):
                decode_finger(replace(good, image=image))


def test_damaged_fingers_end_in_our_error_or_a_picture(ridges: GreyPicture) -> None:
    for kind, seed in (("WSQ", 1), ("PNG", 2)):
        encoded = encoded_as(ridges, kind)
        hostile = [encoded[: len(encoded) // 2], *damaged(encoded, count=6, seed=seed)]
        # Tables lie ahead of the samples: their damage leads a decoder furthest astray.
        hostile += [
            encoded[:40] + part + encoded[240:] for part in damaged(encoded[40:240], count=6, seed=seed)
        ]
        for image in hostile:
            try:
                assert decode_finger(FingerImage.of(INDEX, image)).ndim == 2
            except (FingerImageUndecodable, LimitExceeded):
                continue


@pytest.mark.shared_data
def test_the_fingers_of_the_reference_set_decode(shared: Path) -> None:
    encoded = (shared / "data" / "emrtd" / "bsi_tr03105_5" / "Datagroup3.bin").read_bytes()
    for finger in parse_dg3(encoded).fingers:
        picture = decode_finger(finger)
        assert picture.shape == (620, 620)
        assert picture.std() > 30


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of a process there")
@pytest.mark.parametrize("attempt", ["open('/etc/hostname')", "import socket; socket.socket()"])
def test_the_worker_opens_no_file_and_no_connection(attempt: str) -> None:
    program = f"import socket, image_worker; image_worker.limit(); {attempt}"
    folder = Path(image_worker.__file__).parent
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=False)
    assert ended.returncode == 1
    assert b"Too many open files" in ended.stderr


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
