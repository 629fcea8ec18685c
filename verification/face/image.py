"""Images of a chip: decoding what a card says is an image, and making a portrait that fits a chip."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from PIL import Image

from verification.errors import FingerImageUndecodable, ImageUndecodable, LimitExceeded
from verification.face import image_worker
from verification.face.picture import GreyPicture, Picture
from verification.lds.dg2 import image_dimensions
from verification.lds.finger_image import RAW, FingerImage, finger_header, sample_header

DECODE_SECONDS = 5.0
MAX_CAMERA_BYTES = 8_000_000
_HEADER = 8
_ENCODE_TRIES = 12
# By so many bytes the encoder passes the length that it is told to aim at.
_OVERSHOOT = 16


class PortraitDecoder:
    """Decodes in a child process that is started beforehand and used once.

    The size is read from the headers first; an image that a portrait cannot be never gets so far.
    """

    def __init__(self, seconds: float = DECODE_SECONDS) -> None:
        self._seconds = seconds
        self._waiting: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Start a child now, so that the next image need not wait for it."""
        with self._lock:
            if self._waiting is None or self._waiting.poll() is not None:
                self._waiting = _start()

    def decode(self, image: bytes) -> Picture:
        """Decode a JPEG or JPEG 2000 portrait; raises ImageUndecodable or LimitExceeded."""
        size = image_dimensions(image)
        return _decode(self._take(), image, size, self._seconds)

    def close(self) -> None:
        """End the waiting child."""
        with self._lock:
            if self._waiting is not None:
                _end(self._waiting)
                self._waiting = None

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            child, self._waiting = self._waiting, None
        if child is not None and child.poll() is None:
            return child
        return _start()


def decode_portrait(image: bytes) -> Picture:
    """Decode one portrait; raises ImageUndecodable or LimitExceeded."""
    return PortraitDecoder().decode(image)


def decode_finger(finger: FingerImage) -> GreyPicture:
    """Decode one finger image in a child process too; raises FingerImageUndecodable or LimitExceeded."""
    if finger.media_type == RAW:
        sample_header(finger.image, finger.width, finger.height)
        return np.frombuffer(finger.image, np.uint8).reshape(finger.height, finger.width)
    _, width, height = finger_header(finger.image)
    try:
        picture = _decode(_start(), finger.image, (width, height), DECODE_SECONDS)
    except ImageUndecodable:
        raise FingerImageUndecodable("finger image cannot be decoded") from None
    # The child answers in three colours; those of a grey picture are equal.
    return np.ascontiguousarray(picture[:, :, 0])


def decode_camera_image(image: bytes) -> Picture:
    """Decode a JPEG or PNG picture of our own camera or an officer's upload; raises as above."""
    if len(image) > MAX_CAMERA_BYTES:
        raise LimitExceeded(f"picture of {len(image)} bytes")
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > image_worker.MAX_PIXELS * 4:
                raise LimitExceeded(f"picture of {opened.width} x {opened.height} pixels")
            pixels = np.asarray(opened.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ImageUndecodable("neither a JPEG nor a PNG picture") from None
    return np.ascontiguousarray(pixels[:, :, ::-1])


def encode_jpeg(picture: Picture, quality: int = 90) -> bytes:
    """A JPEG of a picture, for a page or an upload."""
    written, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not written:
        raise ImageUndecodable("picture cannot be encoded")
    return encoded.tobytes()


def encode_jp2(picture: Picture, byte_target: int = 15_000) -> bytes:
    """A JPEG 2000 file of at most ``byte_target`` bytes, and hardly less (ICAO 9303-9: 15 to 20 KB).

    Raises LimitExceeded when the picture cannot be made so small.
    """
    image = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    aim = float(byte_target - _OVERSHOOT)
    for _ in range(_ENCODE_TRIES):
        out = io.BytesIO()
        # Without the transform between colours (mct) the same bytes show 3 to 6 dB less.
        image.save(
            out,
            "JPEG2000",
            quality_mode="rates",
            quality_layers=[picture.size / max(aim, 1.0)],
            irreversible=True,
            mct=1,
        )
        if out.tell() <= byte_target:
            return out.getvalue()
        aim *= 0.99 * byte_target / out.tell()
    raise LimitExceeded(f"portrait does not fit {byte_target} bytes")


def _decode(child: subprocess.Popen[bytes], image: bytes, size: tuple[int, int], seconds: float) -> Picture:
    """Have a child decode an image whose headers state this width and height."""
    width, height = size
    try:
        answer, _ = child.communicate(image, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ImageUndecodable("image takes too long to decode") from None
    finally:
        _end(child)
    stated = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    if child.returncode != 0 or answer[:_HEADER] != stated:
        raise ImageUndecodable("image cannot be decoded")
    pixels = np.frombuffer(answer, np.uint8, offset=_HEADER)
    if pixels.size != width * height * 3:
        raise ImageUndecodable("image is not complete")
    return np.ascontiguousarray(pixels.reshape(height, width, 3)[:, :, ::-1])


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", str(Path(image_worker.__file__))]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    # Closing the pipes and waiting for the child leaves no zombie and no open file.
    with child:
        pass
