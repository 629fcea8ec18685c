"""The counter's sessions over local HTTP: start, watch, answer by eye, cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from reader_agent.api.bodies import answer, read_body
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

_EVENTS = "text/event-stream"
_LANGUAGES = frozenset({"vi", "en"})
_MAX_NAME = 64
_MIN_REASON, _MAX_REASON = 3, 200


class SessionStarted(msgspec.Struct):
    """Where to look for the session."""

    id: str


def sessions_blueprint(desk: CounterDesk) -> Blueprint:
    """The session addresses of one desk."""
    blueprint = Blueprint("sessions", __name__, url_prefix="/v1/sessions")
    streams = threading.BoundedSemaphore(MAX_STREAMS)

    @blueprint.post("")
    def start() -> ResponseReturnValue:
        order = read_body(SessionOrder)
        _require_complete(order)
        session = desk.start(order)
        started = answer(SessionStarted(session.id), 202)
        started.headers["Location"] = f"/v1/sessions/{session.id}"
        return started

    @blueprint.get("/<session_id>")
    def show(session_id: str) -> ResponseReturnValue:
        return answer(desk.session(session_id).view())

    @blueprint.delete("/<session_id>")
    def cancel(session_id: str) -> ResponseReturnValue:
        return answer(desk.cancel(session_id).view())

    @blueprint.post("/<session_id>/manual-face")
    def compare_by_eye(session_id: str) -> ResponseReturnValue:
        seen = read_body(ManualFace)
        reason = " ".join(seen.reason.split())
        if not _MIN_REASON <= len(reason) <= _MAX_REASON:
            raise RequestMalformed("a reason of 3 to 200 characters is needed")
        session = desk.session(session_id)
        session.answer_manual_face(ManualFace(seen.matched, reason))
        return answer(session.view())

    @blueprint.get("/<session_id>/events")
    def events(session_id: str) -> ResponseReturnValue:
        return _stream(desk.session(session_id), streams)

    return blueprint


def _require_complete(order: SessionOrder) -> None:
    """Refuse at once what could only fail after the customer has waited."""
    if not order.consent:
        raise ConsentMissing("no consent")
    if order.language not in _LANGUAGES:
        raise RequestMalformed("language is vi or en")
    if not 0 < len(order.purpose) <= _MAX_NAME or len(order.partner_ref or "") > _MAX_NAME:
        raise RequestMalformed("purpose and partner_ref have at most 64 characters")
    access_secret(order.access)


def _stream(session: CounterSession, places: threading.BoundedSemaphore) -> Response:
    if request.method == "HEAD":
        # An answer without a body is never closed: the place it took would be lost.
        return Response(content_type=_EVENTS)
    if not places.acquire(blocking=False):
        raise CounterBusy("too many pages watch this counter")
    stream = Response(_events(session), content_type=_EVENTS)
    # Not at the generator's end: a page may leave before the first part, and then it never runs.
    stream.call_on_close(places.release)
    return stream


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
