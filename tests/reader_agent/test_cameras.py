"""Cameras: good pictures, no pictures, and pictures meant to hurt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from reader_agent.cameras import opencv_camera
from reader_agent.cameras.choose import choose_camera
from reader_agent.cameras.pictures import frame_from_jpeg, frame_from_pixels
from reader_agent.cameras.still_image import FolderCamera, NoCamera, SnapshotCamera
from reader_agent.refusals import CameraUnavailable
from tests.support import pki
from tests.support.stopwatch import within

JPEG = pki.portrait()


@contextmanager
def snapshots(*answers: tuple[int, bytes], delay: float = 0.0) -> Iterator[str]:
    """A camera service that gives these answers in turn, the last one for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(delay)
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/frame.jpg"
    finally:
        server.shutdown()
        server.server_close()


def test_a_snapshot_is_decoded_and_shown_as_it_came() -> None:
    with snapshots((200, JPEG)) as url:
        frame = SnapshotCamera(url).frame(2)
    assert frame.pixels.shape == (320, 240, 3)
    assert frame.jpeg == JPEG


def test_a_camera_service_that_has_no_picture_yet_is_asked_again() -> None:
    with snapshots((404, b""), (503, b""), (200, JPEG)) as url:
        assert SnapshotCamera(url).frame(2).jpeg == JPEG


@pytest.mark.parametrize("answers", [(404, b""), (200, b"")])
def test_no_picture_in_time(answers: tuple[int, bytes]) -> None:
    with snapshots(answers) as url, pytest.raises(CameraUnavailable):
        SnapshotCamera(url).frame(0.2)


@pytest.mark.alone
def test_a_slow_camera_service_is_given_up() -> None:
    with snapshots((200, JPEG), delay=2) as url, within(1.5), pytest.raises(CameraUnavailable):
        SnapshotCamera(url).frame(0.3)


@pytest.mark.parametrize("encoded", [b"", b"not a picture", JPEG[:40], b"\x89PNG\r\n\x1a\n"], ids=range(4))
def test_what_is_no_picture_is_refused(encoded: bytes) -> None:
    with pytest.raises(CameraUnavailable):
        frame_from_jpeg(encoded)


def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    bomb = bytearray(JPEG)
    position = bomb.index(b"\xff\xc0")
    bomb[position + 5 : position + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(CameraUnavailable):
        frame_from_jpeg(bytes(bomb))


def test_large_frames_are_made_smaller() -> None:
    frame = frame_from_pixels(np.zeros((1440, 2560, 3), np.uint8))
    assert frame.pixels.shape == (720, 1280, 3)


def test_a_folder_is_shown_in_order_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(frame_from_pixels(np.full((40, 50, 3), 9, np.uint8)).jpeg)
    (tmp_path / "a.jpeg").write_bytes(JPEG)
    (tmp_path / "notes.txt").write_text("no picture")
    camera = FolderCamera(tmp_path)
    assert [camera.frame(1).pixels.shape[0] for _ in range(3)] == [320, 40, 320]


def test_an_empty_folder_and_no_camera(tmp_path: Path) -> None:
    for camera in (FolderCamera(tmp_path), NoCamera()):
        camera.start()
        with pytest.raises(CameraUnavailable):
            camera.frame(0.1)
        camera.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that fails is given up at once."""
    monkeypatch.setattr(opencv_camera, "_RETRY_SECONDS", 0.001)


@pytest.fixture
def recorded_device(tmp_path: Path) -> Path:
    """A device that OpenCV opens by its path: thirty pictures, each a little brighter than the last."""
    path = tmp_path / "video0.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), 100 + 4 * number, np.uint8))
    writer.release()
    return path


@pytest.mark.usefixtures("impatient")
def test_opencv_gives_the_pictures_of_a_device_and_opens_it_again(recorded_device: Path) -> None:
    camera = choose_camera(f"opencv:{recorded_device}")
    for _ in range(2):
        frame = camera.frame(5)
        assert frame.pixels.shape == (48, 64, 3)
        assert 90 < frame.pixels.mean() < 230
        assert frame.jpeg.startswith(b"\xff\xd8")
        camera.stop()
        wait_until(lambda: not grabbing_threads())


@pytest.mark.usefixtures("impatient")
def test_a_device_that_ends_is_said_to_be_gone_and_can_come_back(recorded_device: Path) -> None:
    camera = choose_camera(f"opencv:{recorded_device}")
    camera.start()
    wait_until(lambda: not grabbing_threads())
    assert camera.frame(5).pixels.shape == (48, 64, 3)
    recorded_device.rename(recorded_device.with_suffix(".unplugged"))
    wait_until(lambda: not grabbing_threads())
    with pytest.raises(CameraUnavailable):
        camera.frame(0.3)
    wait_until(lambda: not grabbing_threads())
    recorded_device.with_suffix(".unplugged").rename(recorded_device)
    assert camera.frame(5).pixels.shape == (48, 64, 3)
    camera.stop()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("setting", ["opencv:63", "opencv:/dev/no-such-camera"])
def test_a_camera_that_is_not_there(setting: str) -> None:
    camera = choose_camera(setting)
    with pytest.raises(CameraUnavailable):
        camera.frame(0.3)
    camera.stop()


@pytest.mark.parametrize("setting", ["opencv:", "opencv:front", "webcam:0", "folder:", ""])
def test_a_setting_that_names_no_camera(setting: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        choose_camera(setting)


def grabbing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "camera"]


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)
