"""From the setting to the camera."""

from __future__ import annotations

from pathlib import Path

from reader_agent.cameras.still_image import FolderCamera, NoCamera, SnapshotCamera
from reader_agent.ports import Camera, Frame


class _LaterOpenCvCamera:
    """Stands for a camera of this machine until the first picture is wanted: OpenCV costs 40 MB."""

    def __init__(self, source: int | str) -> None:
        self._source = source
        self._camera: Camera | None = None

    @property
    def name(self) -> str:
        return f"opencv:{self._source}"

    def start(self) -> None:
        self._opened().start()

    def frame(self, timeout: float) -> Frame:
        return self._opened().frame(timeout)

    def stop(self) -> None:
        if self._camera is not None:
            self._camera.stop()

    def _opened(self) -> Camera:
        if self._camera is None:
            from reader_agent.cameras.opencv_camera import OpenCvCamera  # noqa: PLC0415 - see the class

            self._camera = OpenCvCamera(self._source)
        return self._camera


def choose_camera(setting: str) -> Camera:
    """The camera that ``setting`` names; raises ValueError.

    ``opencv:N``, ``opencv:/dev/PATH``, ``folder:PATH``, ``http://127.0.0.1:PORT/frame.jpg`` or ``none``.
    """
    kind, _, rest = setting.partition(":")
    if setting == "none":
        return NoCamera()
    if kind == "opencv" and rest.isdecimal():
        return _LaterOpenCvCamera(int(rest))
    if kind == "opencv" and rest.startswith("/"):
        return _LaterOpenCvCamera(rest)
    if kind == "folder" and rest:
        return FolderCamera(Path(rest))
    if kind == "http":
        return SnapshotCamera(setting)
    raise ValueError("must be opencv:N, opencv:/PATH, folder:PATH, http://127.0.0.1:PORT/PATH or none")
