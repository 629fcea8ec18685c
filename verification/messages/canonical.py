"""One spelling of a JSON value, so that its hash means something (RFC 8785, restricted).

Restricted to what our messages hold: text, integers, booleans, null, lists and objects. Floating
point numbers are refused, because their shortest form is where implementations differ; object names
are ASCII, so that sorting by code unit and by byte is the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

JsonValue = None | bool | int | str | list["JsonValue"] | tuple["JsonValue", ...] | dict[str, "JsonValue"]

_MAX_INTEGER = 2**53 - 1
"""Beyond it a reader in another language may round (RFC 8785, 3.2.2.3)."""


def canonical_json(value: JsonValue) -> bytes:
    """The canonical UTF-8 bytes; raises ValueError for a value outside the restricted set."""
    _require_plain(value)
    return msgspec.json.encode(value, order="sorted")


def _require_plain(value: object) -> None:
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("object names are ASCII")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for member in value:
            _require_plain(member)
    else:
        _require_plain_scalar(value)


def _require_plain_scalar(value: object) -> None:
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise ValueError("an integer is beyond 2^53")
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} has no canonical form here")
