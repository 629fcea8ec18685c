"""Bytes of a request to a message, and a message to bytes."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import Response, request

from verification.errors import RequestMalformed

Message = TypeVar("Message", bound=msgspec.Struct)


def read_body(kind: type[Message]) -> Message:
    """The request's JSON body as a message; raises RequestMalformed, which quotes nothing of it."""
    if request.mimetype != "application/json":
        raise RequestMalformed("the body is not application/json")
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RequestMalformed(f"the body is no {kind.__name__}") from None


def answer(message: object, status: int = 200) -> Response:
    """A message as JSON; answers about persons are never kept by a cache."""
    response = Response(msgspec.json.encode(message), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
