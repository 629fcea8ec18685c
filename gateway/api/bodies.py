"""From bytes to messages and back: size and content type are asked before anything is parsed."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.domain.refusals import BodyTooLarge, ContentTypeWrong
from verification.errors import RequestMalformed

MAX_BODY = 65_536
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

Message = TypeVar("Message")


def read_body(limit: int) -> bytes:
    """The request's body; raises BodyTooLarge before more than ``limit`` bytes are held."""
    request.max_content_length = limit
    try:
        if (request.content_length or 0) > limit:
            raise BodyTooLarge(f"more than {limit} bytes")
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise BodyTooLarge(f"more than {limit} bytes") from None


def read_message(kind: type[Message], limit: int = MAX_BODY) -> Message:
    """The body as a message; raises ContentTypeWrong, BodyTooLarge or RequestMalformed."""
    require_content_type(JSON)
    try:
        return msgspec.json.decode(read_body(limit), type=kind)
    except (msgspec.DecodeError, RecursionError) as fault:
        # The fault's text may quote the body: only its kind goes on.
        raise RequestMalformed(type(fault).__name__) from None


def require_content_type(expected: str) -> None:
    """The body is declared to be of this type; raises ContentTypeWrong."""
    if request.mimetype != expected:
        raise ContentTypeWrong(f"this address takes {expected}")


def answer(message: object, status: int = 200) -> Response:
    """A message as a JSON answer that no cache may keep."""
    response = Response(msgspec.json.encode(message), status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response
