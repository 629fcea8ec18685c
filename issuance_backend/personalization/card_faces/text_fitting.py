"""Text into a box: wrapped at spaces, then set smaller; never cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from issuance_backend.personalization.card_faces.fonts import CardFonts, Typeface
from issuance_backend.personalization.card_faces.layout import TextBox
from issuance_backend.refusals import CardTextUnprintable

LEADING = 1.22
"""Line pitch in ems: capitals with two marks above stay clear of tails and dots of the line before."""

_STEP = 0.05


@dataclass(frozen=True, slots=True)
class FittedText:
    """Lines at a size in millimetres."""

    lines: tuple[str, ...]
    size: float


def fit(text: str, box: TextBox, fonts: CardFonts) -> FittedText:
    """The largest setting that fits; raises CardTextUnprintable for what fits at no size."""
    face = Typeface.BOLD if box.bold else Typeface.PLAIN
    for size in _sizes(box):
        lines = _wrapped(text, box.width / size, face, fonts)
        if lines and len(lines) * LEADING * size <= max(box.height, LEADING * size if _single(box) else 0):
            return FittedText(lines, size)
    return _broken(text, box, face, fonts)


def _single(box: TextBox) -> bool:
    return box.height < 2 * LEADING * box.smallest


def _sizes(box: TextBox) -> Iterator[float]:
    steps = round((box.size - box.smallest) / _STEP)
    return (box.size - step * _STEP for step in range(steps + 1))


def _wrapped(text: str, width: float, face: Typeface, fonts: CardFonts) -> tuple[str, ...]:
    """Lines no wider than ``width`` ems, or none when a word is wider."""
    lines: list[str] = []
    for word in text.split():
        if fonts.width(face, word) > width:
            return ()
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and fonts.width(face, longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines) or ("",)


def _broken(text: str, box: TextBox, face: Typeface, fonts: CardFonts) -> FittedText:
    """At the smallest size, between any two letters: ugly, and every letter is there."""
    size, lines = box.smallest, [""]
    for letter in text:
        if fonts.width(face, lines[-1] + letter) * size > box.width:
            lines.append("")
        lines[-1] += letter
    if len(lines) * LEADING * size > box.height:
        raise CardTextUnprintable("a text that fits its place at no size")
    return FittedText(tuple(lines), size)
