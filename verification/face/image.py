"""Chip portraits: decoding what a card says is an image, and making one that fits a chip."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from PIL import Image

from verification.errors import ImageUndecodable, LimitExceeded
from verification.face import image_worker
from verification.face.picture import Picture
from verification.lds.dg2 import image_dimensions

DECODE_SECONDS = 5.0
MAX_CAMERA_BYTES = 8_000_000
_HEADER = 8
_ENCODE_TRIES = 12


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
        width, height = image_dimensions(image)
        child = self._take()
        try:
            answer, _ = child.communicate(image, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            raise ImageUndecodable("portrait takes too long to decode") from None
        finally:
            _end(child)
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        if child.returncode != 0 or answer[:_HEADER] != size:
            raise ImageUndecodable("portrait cannot be decoded")
        pixels = np.frombuffer(answer, np.uint8, offset=_HEADER)
        if pixels.size != width * height * 3:
            raise ImageUndecodable("portrait is not complete")
        return np.ascontiguousarray(pixels.reshape(height, width, 3)[:, :, ::-1])

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
    """A JPEG 2000 file of at most ``byte_target`` bytes (ICAO 9303-9 suggests 15 to 20 KB).

    Raises LimitExceeded when the picture cannot be made so small.
    """
    image = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    ratio = picture.size / byte_target
    for _ in range(_ENCODE_TRIES):
        out = io.BytesIO()
        image.save(out, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=True)
        if out.tell() <= byte_target:
            return out.getvalue()
        ratio *= 1.05 * max(out.tell() / byte_target, 1)
    raise LimitExceeded(f"portrait does not fit {byte_target} bytes")


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", str(Path(image_worker.__file__))]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    # Closing the pipes and waiting for the child leaves no zombie and no open file.
    with child:
        pass
