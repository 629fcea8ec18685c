"""The counter's sessions over local HTTP: start, watch, answer by eye, cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec

from reader_agent.api.bodies import answer, read_body
from reader_agent.api.web import Request, Response, Route
from reader_agent.refusals import ConsentMissing, CounterBusy
from reader_agent.session.access import access_secret
from reader_agent.session.counter_session import CounterSession, ManualFace, SessionOrder
from reader_agent.session.desk import CounterDesk
from verification.errors import RequestMalformed

HEARTBEAT_SECONDS = 2.0
STREAM_SECONDS = 300.0
"""A stream ends after this; the browser comes back by itself."""

MAX_STREAMS = 3
"""Each open stream holds a server thread: the others stay free for work."""

_BASE = "/v1/sessions"
_LANGUAGES = frozenset({"vi", "en"})
_MAX_NAME = 64
_MIN_REASON, _MAX_REASON = 3, 200


class SessionStarted(msgspec.Struct):
    """Where to look for the session."""

    id: str


class SessionRoutes:
    """The session addresses of one desk."""

    def __init__(self, desk: CounterDesk) -> None:
        self._desk = desk
        self._streams = threading.BoundedSemaphore(MAX_STREAMS)

    def routes(self) -> tuple[Route, ...]:
        """What to mount."""
        return (
            Route("POST", _BASE, self.start),
            Route("GET", f"{_BASE}/<session_id>", self.show),
            Route("DELETE", f"{_BASE}/<session_id>", self.cancel),
            Route("POST", f"{_BASE}/<session_id>/manual-face", self.compare_by_eye),
            Route("GET", f"{_BASE}/<session_id>/events", self.events),
        )

    def start(self, request: Request) -> Response:
        """Begin a visit."""
        order = read_body(request, SessionOrder)
        _require_complete(order)
        session = self._desk.start(order)
        started = answer(SessionStarted(session.id), 202)
        started.headers["Location"] = f"{_BASE}/{session.id}"
        return started

    def show(self, _request: Request, session_id: str) -> Response:
        """Where it stands."""
        return answer(self._desk.session(session_id).view())

    def cancel(self, _request: Request, session_id: str) -> Response:
        """End it."""
        return answer(self._desk.cancel(session_id).view())

    def compare_by_eye(self, request: Request, session_id: str) -> Response:
        """The teller's own comparison."""
        seen = read_body(request, ManualFace)
        reason = " ".join(seen.reason.split())
        if not _MIN_REASON <= len(reason) <= _MAX_REASON:
            raise RequestMalformed("a reason of 3 to 200 characters is needed")
        session = self._desk.session(session_id)
        session.answer_manual_face(ManualFace(seen.matched, reason))
        return answer(session.view())

    def events(self, _request: Request, session_id: str) -> Response:
        """Server-Sent Events."""
        session = self._desk.session(session_id)
        if not self._streams.acquire(blocking=False):
            raise CounterBusy("too many pages watch this counter")
        return Response(_events(session), content_type="text/event-stream", on_close=self._streams.release)


def _require_complete(order: SessionOrder) -> None:
    """Refuse at once what could only fail after the customer has waited."""
    if not order.consent:
        raise ConsentMissing("no consent")
    if order.language not in _LANGUAGES:
        raise RequestMalformed("language is vi or en")
    if not 0 < len(order.purpose) <= _MAX_NAME or len(order.partner_ref or "") > _MAX_NAME:
        raise RequestMalformed("purpose and partner_ref have at most 64 characters")
    access_secret(order.access)


def _events(session: CounterSession) -> Iterator[bytes]:
    """Server-Sent Events: the view at every change, a comment as a heartbeat, the end after the verdict."""
    seen = -1
    until = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < until:
        version, view = session.wait_for_change(seen, HEARTBEAT_SECONDS)
        if version == seen:
            yield b": still here\n\n"
            continue
        seen = version
        yield b"event: session\ndata: " + msgspec.json.encode(view) + b"\n\n"
        if session.is_over:
            return
