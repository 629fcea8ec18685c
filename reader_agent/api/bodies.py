"""JSON in and out of the local API."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from verification.errors import RequestMalformed

Body = TypeVar("Body")


def read_body(kind: type[Body]) -> Body:
    """The request's JSON as a message; raises RequestMalformed, and 415 for another content type."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, RecursionError):
        # The decoder's sentence may quote the CAN that was sent.
        raise RequestMalformed("the body is not what this address takes") from None


def answer(message: msgspec.Struct, status: int = 200) -> Response:
    """A message as JSON that no cache keeps."""
    response = Response(msgspec.json.encode(message), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
