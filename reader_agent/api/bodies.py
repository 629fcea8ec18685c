"""JSON in and out of the local API."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from reader_agent.api.web import HttpRefusal, Request, Response
from verification.errors import RequestMalformed

Body = TypeVar("Body")


def read_body(request: Request, kind: type[Body]) -> Body:
    """The request's JSON as a message; raises RequestMalformed, and 415 for another content type."""
    if request.headers["content-type"].partition(";")[0].strip().lower() != "application/json":
        raise HttpRefusal(415, "CONTENT_TYPE_WRONG")
    try:
        return msgspec.json.decode(request.body, type=kind)
    except (msgspec.DecodeError, RecursionError):
        # The decoder's sentence may quote the CAN that was sent.
        raise RequestMalformed("the body is not what this address takes") from None


def answer(message: msgspec.Struct, status: int = 200) -> Response:
    """A message as JSON."""
    return Response(msgspec.json.encode(message), status)
