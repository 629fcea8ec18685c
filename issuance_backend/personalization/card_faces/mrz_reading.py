"""The machine readable zone read from a picture of the card's back: every cell against every OCR-B letter."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from issuance_backend.personalization.card_faces.layout import MrzPlace
from issuance_backend.personalization.card_faces.ocr_b import ABOVE, LETTERS, PITCH, letter_ink
from issuance_backend.personalization.card_faces.print_alignment import READ_AT
from issuance_backend.personalization.card_faces.raster import DOTS

_DOTS = DOTS / READ_AT
_REACH = 2
_SOFTNESS = 0.6
_LIKENESS = 0.7
_LEAD = 0.02
"""By how much the best letter must be more like the cell than the second."""

_LINES, _LETTERS = 3, 30
_Floats = npt.NDArray[np.float32]


def read_mrz(grey: Image.Image, place: MrzPlace) -> str | None:
    """The 90 letters, or none if one of them cannot be told; check digits are for the caller.

    The picture is the whole face at 300 dots an inch.
    """
    values = np.asarray(grey.filter(ImageFilter.GaussianBlur(_SOFTNESS / 2)), np.float32)
    cells = np.stack(
        [_views(values, place, line, number) for line in range(_LINES) for number in range(_LETTERS)]
    )
    views, dots = cells.shape[1:]
    likeness = (_normalised(cells.reshape(-1, dots)) @ _patterns().T).reshape(len(cells), views, -1)
    ranked = np.sort(best := likeness.max(axis=1), axis=1)
    is_clear = (ranked[:, -1] >= _LIKENESS) & (ranked[:, -1] - ranked[:, -2] >= _LEAD)
    return "".join(LETTERS[letter] for letter in best.argmax(axis=1)) if is_clear.all() else None


def _views(values: _Floats, place: MrzPlace, line: int, number: int) -> _Floats:
    """The cell as it looks at each small shift, one row a shift."""
    width, height = _patterns_size()
    left = round((place.x + number * PITCH) * _DOTS)
    top = round((place.first_baseline + line * place.line_pitch - ABOVE) * _DOTS)
    around = values[top - _REACH : top + height + _REACH, left - _REACH : left + width + _REACH]
    return np.lib.stride_tricks.sliding_window_view(around, (height, width)).reshape(-1, height * width)


def _patterns_size() -> tuple[int, int]:
    return letter_ink(LETTERS[0], _DOTS).size


@cache
def _patterns() -> _Floats:
    cells = (ImageOps.invert(letter_ink(letter, _DOTS)) for letter in LETTERS)
    soft = [np.asarray(cell.filter(ImageFilter.GaussianBlur(_SOFTNESS)), np.float32) for cell in cells]
    return _normalised(np.stack(soft).reshape(len(LETTERS), -1))


def _normalised(rows: _Floats) -> _Floats:
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    # White paper is like no letter.
    return np.asarray(centred / np.maximum(lengths, 1.0), np.float32)
