"""The outer template of every elementary file (ICAO 9303-10, 4.7)."""

from __future__ import annotations

from verification.encoding.tlv import only
from verification.errors import LimitExceeded
from verification.lds.files import LdsFile

MAX_FILE = 65_535
"""Bytes; the chip states a file's length and is believed only up to here."""


def template_value(encoded: bytes, file: LdsFile) -> bytes:
    """Return what the file's template holds; the file must be that template and nothing more.

    Raises LimitExceeded above 65,535 bytes and MalformedDocument otherwise.
    """
    if len(encoded) > MAX_FILE:
        raise LimitExceeded(f"{file.name} has {len(encoded)} bytes")
    return only(encoded, file.tag)
