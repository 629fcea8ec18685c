"""Minutiae of one finger as a record that programs exchange: ISO/IEC 19794-2:2005, record format.

One view a record, six bytes a minutia, no extended data. Only this exact form is read: what arrives
from elsewhere goes into a matcher that is not written in Python, so nothing reaches it unchecked.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from verification.errors import FingerTemplateMalformed
from verification.lds.finger_image import FingerPosition

MAX_MINUTIAE = 255
"""The count is one byte (ISO/IEC 19794-2:2005, 7.5.1)."""

_IDENTIFIER = b"FMR\0 20\0"
# Record header: total length, capture device, width, height, resolution x and y, views, reserved.
_RECORD = struct.Struct(">8sIHHHHHBB")
# View header: finger position, view number and impression, quality, number of minutiae.
_VIEW = struct.Struct(">BBBB")
# Minutia: kind and x, reserved and y, angle, quality.
_MINUTIA = struct.Struct(">HHBB")
_EXTENDED_LENGTH = b"\0\0"
_COORDINATE = 0x3FFF
_ANGLES = 256
_MAX_QUALITY = 100
_MAX_SIDE = 2_000


class MinutiaKind(IntEnum):
    """What the ridge does (ISO/IEC 19794-2:2005, 7.5.2.1)."""

    OTHER = 0
    ENDING = 1
    BIFURCATION = 2


@dataclass(frozen=True, slots=True)
class Minutia:
    """One point, in pixels from the top left; ``angle`` in 256ths of a turn, ``quality`` 0 to 100."""

    x: int
    y: int
    angle: int
    kind: MinutiaKind
    quality: int


@dataclass(frozen=True, slots=True, repr=False)
class FingerTemplate:
    """The minutiae of one impression. Biometric data: never logged."""

    position: FingerPosition
    width: int
    height: int
    pixels_per_centimetre: int
    quality: int
    minutiae: tuple[Minutia, ...]

    def __repr__(self) -> str:
        return f"FingerTemplate({self.position.name}, {len(self.minutiae)} minutiae)"

    def encoded(self) -> bytes:
        """The record; raises FingerTemplateMalformed for what it cannot express."""
        _require_expressible(self)
        length = _RECORD.size + _VIEW.size + _MINUTIA.size * len(self.minutiae) + len(_EXTENDED_LENGTH)
        resolution = self.pixels_per_centimetre
        header = _RECORD.pack(_IDENTIFIER, length, 0, self.width, self.height, resolution, resolution, 1, 0)
        view = _VIEW.pack(int(self.position), 0, self.quality, len(self.minutiae))
        points = (
            _MINUTIA.pack(int(each.kind) << 14 | each.x, each.y, each.angle, each.quality)
            for each in self.minutiae
        )
        return b"".join((header, view, *points, _EXTENDED_LENGTH))


def read_template(encoded: bytes) -> FingerTemplate:
    """The minutiae in a record; raises FingerTemplateMalformed."""
    if len(encoded) < _RECORD.size + _VIEW.size + len(_EXTENDED_LENGTH):
        raise FingerTemplateMalformed("shorter than a record without minutiae")
    identifier, length, _, width, height, across, down, views, _ = _RECORD.unpack_from(encoded)
    if identifier != _IDENTIFIER or length != len(encoded) or views != 1:
        raise FingerTemplateMalformed("no record of one view")
    if across != down:
        raise FingerTemplateMalformed("two resolutions")
    position, _, quality, count = _VIEW.unpack_from(encoded, _RECORD.size)
    begins = _RECORD.size + _VIEW.size
    if len(encoded) != begins + count * _MINUTIA.size + len(_EXTENDED_LENGTH):
        raise FingerTemplateMalformed("the count is not the length")
    if not encoded.endswith(_EXTENDED_LENGTH):
        raise FingerTemplateMalformed("extended data")
    rows = _MINUTIA.iter_unpack(encoded[begins : -len(_EXTENDED_LENGTH)])
    template = FingerTemplate(
        position=_position(position),
        width=width,
        height=height,
        pixels_per_centimetre=across,
        quality=quality,
        minutiae=tuple(_minutia(*row) for row in rows),
    )
    _require_expressible(template)
    return template


def _position(code: int) -> FingerPosition:
    try:
        return FingerPosition(code)
    except ValueError:
        raise FingerTemplateMalformed("no finger of this code") from None


def _minutia(kind_and_x: int, y: int, angle: int, quality: int) -> Minutia:
    code = kind_and_x >> 14
    if code not in set(MinutiaKind) or y > _COORDINATE:
        raise FingerTemplateMalformed("a minutia with reserved bits")
    return Minutia(kind_and_x & _COORDINATE, y, angle, MinutiaKind(code), quality)


def _require_expressible(template: FingerTemplate) -> None:
    if not (0 < template.width <= _MAX_SIDE and 0 < template.height <= _MAX_SIDE):
        raise FingerTemplateMalformed("no picture of a finger is of this size")
    if not 0 < template.pixels_per_centimetre <= 0xFFFF or not 0 <= template.quality <= _MAX_QUALITY:
        raise FingerTemplateMalformed("resolution or quality out of range")
    if len(template.minutiae) > MAX_MINUTIAE:
        raise FingerTemplateMalformed("too many minutiae")
    if not all(_lies_inside(each, template) for each in template.minutiae):
        raise FingerTemplateMalformed("a minutia outside its picture")


def _lies_inside(minutia: Minutia, template: FingerTemplate) -> bool:
    return (
        0 <= minutia.x < template.width
        and 0 <= minutia.y < template.height
        and 0 <= minutia.angle < _ANGLES
        and 0 <= minutia.quality <= _MAX_QUALITY
    )


def strongest(minutiae: Sequence[Minutia], count: int) -> tuple[Minutia, ...]:
    """At most ``count`` minutiae, the best first; of equals the one further up and left."""
    ranked = sorted(minutiae, key=lambda each: (-each.quality, each.y, each.x, each.angle))
    return tuple(ranked[:count])
