"""A camera of this machine, through OpenCV. Importing this module loads OpenCV."""

from __future__ import annotations

import logging
import threading
import time

import cv2
import numpy as np

from reader_agent.cameras.pictures import frame_from_pixels
from reader_agent.ports import Frame, Pixels
from reader_agent.refusals import CameraUnavailable

_RETRY_SECONDS = 0.2
_MAX_FAILED_READS = 25

logger = logging.getLogger(__name__)


class OpenCvCamera:
    """Grabs on a thread of its own: a driver that hangs is left behind, the visit goes on by eye.

    ``source`` is the camera's number, or the path of its device: numbers change with the order in
    which cameras are plugged in, a path under ``/dev/v4l/by-id`` does not.
    """

    def __init__(self, source: int | str) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._pixels: Pixels | None = None
        self._generation = 0

    @property
    def name(self) -> str:
        """``opencv:N`` or ``opencv:PATH``."""
        return f"opencv:{self._source}"

    def start(self) -> None:
        """Begin to grab, unless it does already."""
        with self._changed:
            if self._generation % 2:
                return
            self._generation += 1
            self._pixels = None
            worker = threading.Thread(target=self._grab, args=(self._generation,), name="camera", daemon=True)
            worker.start()

    def frame(self, timeout: float) -> Frame:
        """The newest picture, once. Raises CameraUnavailable."""
        self.start()
        with self._changed:
            if not self._changed.wait_for(lambda: self._pixels is not None, timeout):
                raise CameraUnavailable("no picture in time")
            pixels, self._pixels = self._pixels, None
        if pixels is None:
            raise CameraUnavailable("no picture")
        return frame_from_pixels(pixels)

    def stop(self) -> None:
        """Let the grabbing thread close the device when its current read returns."""
        with self._changed:
            if self._generation % 2:
                self._generation += 1

    def _grab(self, generation: int) -> None:
        device = cv2.VideoCapture(self._source)
        failed = 0
        try:
            # Odd generations are running ones: stop() and the next start() each add one.
            while self._generation == generation and failed < _MAX_FAILED_READS:
                grabbed, pixels = device.read()
                if not grabbed:
                    failed += 1
                    time.sleep(_RETRY_SECONDS)
                    continue
                failed = 0
                with self._changed:
                    self._pixels = np.asarray(pixels, np.uint8)
                    self._changed.notify_all()
        finally:
            device.release()
            with self._changed:
                if self._generation == generation:
                    self._generation += 1
        if failed:
            logger.warning("camera gives no picture", extra={"camera": self.name})
