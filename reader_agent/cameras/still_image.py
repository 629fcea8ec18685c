"""Cameras that deliver whole pictures: a folder of files, or a snapshot address on this machine."""

from __future__ import annotations

import http.client
import itertools
import time
from pathlib import Path
from urllib.parse import urlsplit

from reader_agent.ports import Frame
from reader_agent.refusals import CameraUnavailable

MAX_PICTURE_BYTES = 8_388_608
_PAUSE_SECONDS = 0.05
_SUFFIXES = frozenset({".jpg", ".jpeg"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class FolderCamera:
    """Shows the JPEG files of a folder in the order of their names, again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = itertools.count()

    @property
    def name(self) -> str:
        """``folder``; the path stays out of answers and logs."""
        return "folder"

    def start(self) -> None:
        """Nothing to warm up."""

    def frame(self, timeout: float) -> Frame:  # noqa: ARG002 - files are there or not
        """The next file. Raises CameraUnavailable when the folder has none."""
        files = sorted(path for path in self._folder.glob("*") if path.suffix.lower() in _SUFFIXES)
        if not files:
            raise CameraUnavailable("the folder holds no JPEG file")
        try:
            encoded = files[next(self._next) % len(files)].read_bytes()
        except OSError as fault:
            raise CameraUnavailable(f"picture file: {type(fault).__name__}") from None
        return _decoded(encoded)

    def stop(self) -> None:
        """Nothing to close."""


class SnapshotCamera:
    """Fetches a JPEG from an address on this machine, as a camera service offers it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # Pictures that crossed a network unprotected would prove nothing about this counter.
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.username is not None:
            raise ValueError("a snapshot camera must be an http address on this machine")
        self._host, self._port = parts.hostname, parts.port or 80
        self._path = parts.path or "/"

    @property
    def name(self) -> str:
        """``snapshot``."""
        return "snapshot"

    def start(self) -> None:
        """Nothing to warm up."""

    def frame(self, timeout: float) -> Frame:
        """A fresh picture. Raises CameraUnavailable when none comes in ``timeout`` seconds."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            encoded = self._fetch(left)
            if encoded:
                return _decoded(encoded)
            time.sleep(_PAUSE_SECONDS)
        raise CameraUnavailable("no picture in time")

    def stop(self) -> None:
        """Nothing to close."""

    def _fetch(self, seconds: float) -> bytes | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        try:
            connection.request("GET", self._path)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                return None
            encoded = answer.read(MAX_PICTURE_BYTES + 1)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return encoded if len(encoded) <= MAX_PICTURE_BYTES else None


class NoCamera:
    """A counter without a camera: the teller compares by eye."""

    @property
    def name(self) -> str:
        """``none``."""
        return "none"

    def start(self) -> None:
        """Nothing to warm up."""

    def frame(self, timeout: float) -> Frame:  # noqa: ARG002 - there is nothing to wait for
        """Raises CameraUnavailable."""
        raise CameraUnavailable("this counter has no camera")

    def stop(self) -> None:
        """Nothing to close."""


def _decoded(encoded: bytes) -> Frame:
    # OpenCV costs 40 MB and stays out of memory until the first picture.
    from reader_agent.cameras.pictures import frame_from_jpeg  # noqa: PLC0415

    return frame_from_jpeg(encoded)
