"""Prints as a scanner leaves them: a file a finger, at 500 pixels to the inch. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath

from verification.errors import FieldsRefused, ImageUndecodable, LimitExceeded
from verification.lds.image_header import PNG, WSQ, read_image_header
from verification.messages.asked_prints import FINGERPRINTS, finger_item
from verification.messages.enrollment_packet import MAX_ITEM_BYTES

FILE_TYPES = (".png", ".wsq")

_KINDS = frozenset({PNG, WSQ})
_NAMED = re.compile(r"(?:finger[_ -]?)?(0?[1-9]|10|1[345])", re.IGNORECASE)


def finger_of(file_name: str) -> str:
    """The finger or slap that a file is named after: ``finger_02.png``, ``13.wsq``; raises FieldsRefused."""
    named = _NAMED.fullmatch(PurePath(file_name.replace("\\", "/")).stem)
    if named is None:
        raise FieldsRefused({FINGERPRINTS: "PRINT_OF_NO_FINGER"})
    return finger_item(int(named[1]))


def print_type(item: str, content: bytes) -> str:
    """The media type of a picture without loss that scanners write; raises FieldsRefused under ``item``."""
    if len(content) > MAX_ITEM_BYTES:
        raise FieldsRefused({item: "PRINT_TOO_LARGE"})
    try:
        kind = read_image_header(content).media_type
    except (ImageUndecodable, LimitExceeded):
        kind = ""
    if kind not in _KINDS:
        raise FieldsRefused({item: "PRINT_NOT_PICTURE"})
    return kind
