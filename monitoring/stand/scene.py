"""Who stands before the camera: a snapshot address that serves drawn people, for demos and probes.

``GET /frame.jpg`` is what a snapshot camera fetches; ``PUT /person {"seed", "kind"}`` lets somebody step
before it, ``PUT /pose {"pose"}`` turns the head, ``PUT /card {"card", "tamper"}`` lays a card on the reader,
and ``GET /`` is a page with buttons for all of it. A drawn face proves that the plumbing works, never how
accurate a recogniser is.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from monitoring.stand.page import Stand

MAX_BODY_BYTES = 1024
_PORTRAIT = re.compile(r"/portrait/(\d{1,6})\.jpg")
_HTML = "text/html; charset=utf-8"


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


class Artist:
    """Draws people; the scene calls it once a person."""

    def __init__(self, frames: Callable[[int, Kind], Frames], portrait: Callable[[int], bytes]) -> None:
        self.frames = frames
        self.portrait = portrait


class Scene:
    """The server behind the camera's address, on loopback."""

    def __init__(self, artist: Artist, stand: Stand, port: int = 0) -> None:
        self.artist = artist
        self.stand = stand
        # Lays a card (or its forgery) on the reader, or takes it off; set once a card drawer runs.
        self.lay_card: Callable[[str | None, str | None], None] | None = None
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
            self._drawn[seed, kind] = self.artist.frames(seed, kind)
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
            english = self.headers.get("Accept-Language", "vi").lower().startswith("en")
            self._answer(*_content(scene, self.path.partition("?")[0], "en" if english else "vi"))

        def do_PUT(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES)
            try:
                _obey(scene, self.path, json.loads(self.rfile.read(length)))
            except (ValueError, KeyError, TypeError):
                self._answer(b"", "application/json")
            else:
                self._answer(b"{}", "application/json")

        def _answer(self, body: bytes, content_type: str) -> None:
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            """Frames are not worth a log line."""

    return Handler


def _content(scene: Scene, path: str, language: str) -> tuple[bytes, str]:
    """Body and content type at a path; an empty body where there is nothing."""
    if path == "/":
        return scene.stand.page(language), _HTML
    portrait = _PORTRAIT.fullmatch(path)
    if portrait:
        return scene.artist.portrait(int(portrait[1])), "image/jpeg"
    return scene.frame() if path == "/frame.jpg" else b"", "image/jpeg"


def _obey(scene: Scene, path: str, order: Mapping[str, Any]) -> None:
    if path == "/person":
        scene.show(int(order["seed"]), Kind(order["kind"]))
    elif path == "/pose":
        scene.turn(Pose(order["pose"]))
    elif path == "/card" and scene.lay_card:
        scene.lay_card(order["card"], order["tamper"])
    else:
        raise ValueError("no such order")
