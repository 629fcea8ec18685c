"""Portrait and live picture of the running session, for the teller's page only."""

from __future__ import annotations

from collections.abc import Callable

from reader_agent.api.web import Request, Response, Route
from reader_agent.session.counter_session import Portrait
from reader_agent.session.desk import CounterDesk

ToJpeg = Callable[[Portrait], bytes]
"""A browser cannot show JPEG 2000; raises ImageUndecodable."""


def picture_routes(desk: CounterDesk, to_jpeg: ToJpeg) -> tuple[Route, ...]:
    """The picture addresses of one desk; 204 while there is no picture."""

    def portrait(_request: Request, session_id: str) -> Response:
        found = desk.session(session_id).portrait
        return _picture(to_jpeg(found) if found else None)

    def live(_request: Request, session_id: str) -> Response:
        return _picture(desk.session(session_id).live)

    base = "/v1/sessions/<session_id>"
    return (Route("GET", f"{base}/portrait.jpg", portrait), Route("GET", f"{base}/live.jpg", live))


def _picture(jpeg: bytes | None) -> Response:
    return Response(jpeg, 200, "image/jpeg") if jpeg else Response(b"", 204, "image/jpeg")
