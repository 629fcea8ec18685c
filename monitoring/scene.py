"""Who stands before the camera: a snapshot address that serves drawn people, for demos and probes.

``GET /frame.jpg`` is what a snapshot camera fetches; ``PUT /person {"seed", "kind"}`` lets somebody step
before it and ``PUT /pose {"pose"}`` turns the head. A drawn face proves that the plumbing works, never how
accurate a recogniser is.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_BODY_BYTES = 1024


class Kind(StrEnum):
    """A living person, or a photograph of one that is held before the camera."""

    LIVING = "living"
    PHOTOGRAPH = "photograph"


class Pose(StrEnum):
    """How the head is held, from the person's own point of view."""

    FRONTAL = "frontal"
    LEFT = "left"
    RIGHT = "right"


Frames = Mapping[Pose, Sequence[bytes]]
"""JPEG frames by pose."""

Draw = Callable[[int, Kind], Frames]
"""Draws the person of a seed; called once a person."""


class Scene:
    """The server behind the camera's address, on loopback."""

    def __init__(self, draw: Draw, port: int = 0) -> None:
        self._draw = draw
        self._drawn: dict[tuple[int, Kind], Frames] = {}
        self._lock = threading.Lock()
        self._present: Frames = {}
        self._frames: itertools.cycle[bytes] = itertools.cycle([b""])
        self._pose = Pose.FRONTAL
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        threading.Thread(target=self._server.serve_forever, name="scene", daemon=True).start()

    @property
    def url(self) -> str:
        """The base address; a snapshot camera is pointed at ``/frame.jpg`` below it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def show(self, seed: int, kind: Kind) -> None:
        """Let this person step before the camera, looking straight into it."""
        if (seed, kind) not in self._drawn:
            self._drawn[seed, kind] = self._draw(seed, kind)
        with self._lock:
            self._present = self._drawn[seed, kind]
            self._hold(Pose.FRONTAL)

    def turn(self, pose: Pose) -> None:
        """Turn the head."""
        with self._lock:
            if pose is not self._pose:
                self._hold(pose)

    def frame(self) -> bytes:
        """The next JPEG frame; empty when nobody is there."""
        with self._lock:
            return next(self._frames)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _hold(self, pose: Pose) -> None:
        self._pose = pose
        self._frames = itertools.cycle(self._present.get(pose, [b""]))


def _handler(scene: Scene) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            frame = scene.frame() if self.path == "/frame.jpg" else b""
            self._answer(200 if frame else 404, frame, "image/jpeg")

        def do_PUT(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES)
            try:
                _obey(scene, self.path, json.loads(self.rfile.read(length)))
            except (ValueError, KeyError, TypeError):
                self._answer(400, b"{}", "application/json")
            else:
                self._answer(200, b"{}", "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            """Frames are not worth a log line."""

    return Handler


def _obey(scene: Scene, path: str, order: Mapping[str, Any]) -> None:
    if path == "/person":
        scene.show(int(order["seed"]), Kind(order["kind"]))
    elif path == "/pose":
        scene.turn(Pose(order["pose"]))
    else:
        raise ValueError("no such order")
