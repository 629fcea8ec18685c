"""Long lists of figures in pages: a cursor is the place of the last line, whatever is counted meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from verification.errors import RequestMalformed

MOST_LINES = 500
MOST_ROWS = 50_000
"""Of a file that somebody opens in a spreadsheet."""

_MAX_CURSOR = 1_200

Line = TypeVar("Line")


def page_of(
    lines: Sequence[Line], place: Callable[[Line], tuple[str, ...]], after: str | None, limit: int
) -> tuple[tuple[Line, ...], str | None]:
    """The lines behind a cursor in the order of their places, and the cursor of what follows, if any.

    Raises RequestMalformed for a cursor that is none.
    """
    behind = _decoded(after) if after is not None else ()
    found = sorted((each for each in lines if place(each) > behind), key=place)
    page = tuple(found[:limit])
    return page, _encoded(place(page[-1])) if len(found) > limit else None


def _encoded(place: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[str, ...]:
    try:
        if len(cursor) <= _MAX_CURSOR and cursor.isascii():
            content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            return msgspec.json.decode(content, type=tuple[str, ...])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise RequestMalformed("a cursor is what an answer gave")
