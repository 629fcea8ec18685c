"""What stands where on the two faces of a card: dated data, in millimetres from the upper left corner."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from issuance_backend.refusals import CardLayoutUnknown

CARD_WIDTH = 85.6
CARD_HEIGHT = 54.0
"""ID-1."""

FieldName = Literal[
    "number",
    "full_name",
    "date_of_birth",
    "sex",
    "nationality",
    "place_of_origin",
    "place_of_residence",
    "identification",
    "date_of_issue",
    "date_of_expiry",
]


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """A place on a face."""

    x: float
    y: float
    width: float
    height: float


class TextBox(Box, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place for text; what does not fit at ``size`` is set smaller, down to ``smallest``."""

    size: float
    smallest: float
    bold: bool = False
    align: Literal["left", "center"] = "left"


class Label(TextBox, frozen=True, tag="label", kw_only=True):
    """Text that is the same on every card."""

    text: str


class Value(TextBox, frozen=True, tag="value", kw_only=True):
    """Text that the chip says."""

    field: FieldName


class PortraitBox(Box, frozen=True, tag="portrait", kw_only=True):
    """Where the portrait stands."""


class Frame(Box, frozen=True, tag="frame", kw_only=True):
    """An outline: the chip's contacts, the boxes for prints."""


class QrPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="qr"):
    """Where the QR code stands, its quiet zone outside."""

    x: float
    y: float
    width: float


class MrzPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="mrz"):
    """Where the three lines of the machine readable zone stand."""

    x: float
    first_baseline: float
    line_pitch: float


Element = Label | Value | PortraitBox | Frame | QrPlace | MrzPlace


class CardLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both faces as a circular prescribes them from a day on."""

    id: str
    valid_from: date
    legal_basis: str
    qr_fields: Literal[7, 11]
    front: tuple[Element, ...]
    back: tuple[Element, ...]


class _Layouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    layouts: tuple[CardLayout, ...]


@cache
def card_layouts() -> tuple[CardLayout, ...]:
    """Every layout, the oldest first."""
    content = (files(__package__) / "layouts.json").read_bytes()
    layouts = msgspec.json.decode(content, type=_Layouts).layouts
    return tuple(sorted(layouts, key=lambda layout: layout.valid_from))


def layout_on(issued_on: date) -> CardLayout:
    """The layout of cards that are issued on this day; raises CardLayoutUnknown before the first one."""
    in_force = [layout for layout in card_layouts() if layout.valid_from <= issued_on]
    if not in_force:
        raise CardLayoutUnknown("no layout was in force on that day")
    return in_force[-1]
