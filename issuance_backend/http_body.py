"""Bytes of a request to a message, and a message to bytes."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Response, request

from issuance_backend.paging import Page, PageAsked, page_asked
from monitoring.problem import problem
from verification.errors import FieldsRefused, RequestMalformed

BYTES = "application/octet-stream"
"""The type of a body that is no text of ours, and is never read as one."""

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


def picture_answer(content: bytes, media_type: str) -> Response:
    """A person's picture: kept by no cache, and shown as nothing but what it is."""
    response = Response(content, content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def read_page(key_length: int) -> PageAsked:
    """The page that ``limit`` and ``cursor`` of this request ask for; raises FieldsRefused."""
    return page_asked(request.args.get("limit"), request.args.get("cursor"), key_length)


def page_answer(page: Page[Any]) -> Response:
    """The entries as a JSON array; where more follow, ``Link: <...>; rel="next"`` says how (RFC 8288)."""
    response = answer(page.entries)
    if page.cursor is not None:
        query = urlencode({**request.args.to_dict(), "cursor": page.cursor})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response


def refuse_nul() -> None:
    """Before any request: PostgreSQL keeps no NUL in a text, and no text of ours has one."""
    texts = (request.path, *request.args.values())
    # In a piece of a sealed packet these six letters are no text.
    is_text = request.mimetype != BYTES
    if any("\0" in text for text in texts) or (is_text and rb"\u0000" in request.get_data()):
        raise RequestMalformed("a NUL character")


def fields_problem(fault: FieldsRefused) -> Response:
    """Which fields of a request were refused, each with its code."""
    return problem(422, fault.code, fields=msgspec.to_builtins(fault.fields))
