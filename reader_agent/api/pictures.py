"""Portrait and live picture of the running session, for the teller's page only."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from reader_agent.session.counter_session import Portrait
from reader_agent.session.desk import CounterDesk

ToJpeg = Callable[[Portrait], bytes]
"""A browser cannot show JPEG 2000; raises ImageUndecodable."""


def pictures_blueprint(desk: CounterDesk, to_jpeg: ToJpeg) -> Blueprint:
    """The picture addresses of one desk; 204 while there is no picture."""
    blueprint = Blueprint("pictures", __name__, url_prefix="/v1/sessions/<session_id>")

    @blueprint.get("/portrait.jpg")
    def portrait(session_id: str) -> ResponseReturnValue:
        found = desk.session(session_id).portrait
        return _picture(to_jpeg(found) if found else None)

    @blueprint.get("/live.jpg")
    def live(session_id: str) -> ResponseReturnValue:
        return _picture(desk.session(session_id).live)

    return blueprint


def _picture(jpeg: bytes | None) -> Response:
    return Response(jpeg, 200 if jpeg else 204, mimetype="image/jpeg")
