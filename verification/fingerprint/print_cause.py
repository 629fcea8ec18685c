"""Why a print is not better, as far as its picture tells: each cause is a code with its advice."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import PPI
from verification.fingerprint.print_measures import inked_area

_SQUARE_MILLIMETRE = (PPI / 25.4) ** 2
_SMALLEST = 90.0
"""Square millimetres: half of what a finger leaves that is pressed down flat."""

_OFF_CENTRE = 0.12
"""By so much of the picture's side the middle of the ridges may lie beside its own."""

_LIGHTEST, _DARKEST = 0.25, 0.68
"""Shares of dark pixels among the ridges: ridges and furrows are about as wide as each other."""


class PrintCause(StrEnum):
    """What is wrong with a print."""

    UNREADABLE = "PRINT_UNREADABLE"
    PARTIAL = "PRINT_PARTIAL"
    OFF_CENTRE = "PRINT_OFF_CENTRE"
    DRY = "PRINT_DRY"
    WET = "PRINT_WET"
    SMEARED = "PRINT_SMEARED"


def cause_of(picture: Print) -> PrintCause:
    """The first thing to change before a print of low quality is taken again."""
    inked = inked_area(picture)
    area = inked.sum() / _SQUARE_MILLIMETRE
    if area < _SMALLEST / 10:
        return PrintCause.UNREADABLE
    if area < _SMALLEST:
        return PrintCause.PARTIAL
    middle = [
        float(places.mean()) / side for places, side in zip(np.nonzero(inked), inked.shape, strict=True)
    ]
    if max(abs(each - 0.5) for each in middle) > _OFF_CENTRE:
        return PrintCause.OFF_CENTRE
    paper, ink = np.percentile(picture, (95, 5))
    dark = float((picture[inked] < (paper + ink) / 2).mean())
    if dark < _LIGHTEST:
        return PrintCause.DRY
    return PrintCause.WET if dark > _DARKEST else PrintCause.SMEARED
