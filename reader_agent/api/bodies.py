"""JSON in and out of the local API."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from verification.errors import RequestMalformed

JSON = "application/json"

Body = TypeVar("Body")


def read_body(kind: type[Body]) -> Body:
    """The request's JSON as a message; raises RequestMalformed, and 413 or 415 as HTTP names them."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except (msgspec.DecodeError, RecursionError):
        # The decoder's sentence may quote the CAN that was sent.
        raise RequestMalformed("the body is not what this address takes") from None


def answer(message: msgspec.Struct, status: int = 200) -> Response:
    """A message as JSON."""
    return Response(msgspec.json.encode(message), status, mimetype=JSON)
