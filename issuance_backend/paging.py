"""Long lists in pages: a cursor says after which entry to go on, and stays right while the list changes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from verification.errors import FieldsRefused

MAX_PAGE = 500
_MAX_CURSOR = 400

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class PageAsked:
    """How many entries, and after which one; ``after`` holds the sort key of the entry before."""

    limit: int = MAX_PAGE
    after: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """Some entries, and the cursor of what follows; ``None`` when nothing does."""

    entries: tuple[Entry, ...]
    cursor: str | None


def page_asked(limit: str | None, cursor: str | None, key_length: int) -> PageAsked:
    """The page that two parameters ask for; raises FieldsRefused on either.

    ``key_length`` is how many parts the sort key of this list has.
    """
    faults: dict[str, str] = {}
    size, after = MAX_PAGE, None
    if limit is not None:
        if limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= MAX_PAGE:
            size = int(limit)
        else:
            faults["limit"] = "FIELD_CHARACTERS"
    if cursor is not None:
        after = _decoded(cursor)
        if after is None or len(after) != key_length:
            faults["cursor"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)
    return PageAsked(size, after)


def cursor_of(asked: PageAsked) -> str | None:
    """The cursor with which another program is asked for the same page of its list."""
    return None if asked.after is None else _encoded(asked.after)


def page_of(
    entries: Sequence[Entry], asked: PageAsked, key: Callable[[Entry], tuple[str, ...]]
) -> Page[Entry]:
    """The page out of entries that were read; read ``asked.limit + 1`` of them to know what follows."""
    page = tuple(entries[: asked.limit])
    return Page(page, _encoded(key(page[-1])) if len(entries) > asked.limit else None)


def _encoded(key: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[str, ...] | None:
    if not cursor.isascii() or len(cursor) > _MAX_CURSOR:
        return None
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(content, type=tuple[str, ...])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return None
