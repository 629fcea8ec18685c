"""What a print lacks or has too much: measured between an aligned scan and the same card drawn anew.

Whole faces are compared at 300 dots an inch (``Grey``), the portrait at the scan's 600.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Box = tuple[int, int, int, int]
Grey = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]

_DARK, _FAINT = 112, 160
"""Ink that must have a counterpart, and what is enough of one: blur and gamma move grey, not black."""

_SPOT, _SPOT_DOTS = 7, 4
"""A square of so many dots, and how many of them may differ: the dot under a small vowel has above seven."""

_STRIP = 100
_LINE_REACH, _LINE_LEFT = 7, 0.82
_LEAST_INK = 14.0
_BLOCK, _BLOCK_TONE = 24, 26.0
_FLATTEST, _STEEPEST, _FLAT = 0.6, 1.6, 6.0


def levelled(scan: Image.Image, expected: Image.Image) -> Image.Image:
    """The grey scan with its paper white and its ink black as in what is expected."""
    values, wanted = (np.asarray(each, np.uint8)[::2, ::2] for each in (scan, expected))
    paper, ink = np.percentile(values, (90, 1))
    white, black = np.percentile(wanted, (90, 1))
    gain = (white - black) / max(float(paper - ink), 1.0)
    tones = np.clip((np.arange(256) - ink) * gain + black, 0, 255)
    return scan.point([round(float(tone)) for tone in tones])


def ink_differs(scan: Image.Image, expected: Image.Image, without: Box | None) -> bool:
    """Whether somewhere ink is missing or too much, the portrait's box left out."""
    printed, wanted = (np.asarray(each, np.uint8) for each in (scan, expected))
    missing = (wanted < _DARK) & ~_spread(printed < _FAINT)
    extra = (printed < _DARK) & ~_spread(wanted < _FAINT)
    if without:
        left, top, right, bottom = without
        for mask in (missing, extra):
            mask[top - 3 : bottom + 3, left - 3 : right + 3] = False
    return _has_spot(missing) or _has_spot(extra)


def has_line(scan: Image.Image, expected: Image.Image) -> bool:
    """Whether a row or a column of dots printed too thin, anywhere along its length."""
    printed, wanted = (255 - np.asarray(each, np.float32) for each in (scan, expected))
    return _line_across(printed, wanted) or _line_across(printed.T, wanted.T)


def tone_differs(printed: Image.Image, wanted: Image.Image) -> bool:
    """Whether a square millimetre of the picture has much more or less of a colour than it should."""
    pairs = zip(printed.convert("RGB").split(), wanted.convert("RGB").split(), strict=True)
    return any(
        _channel_differs(*(np.asarray(each.reduce(_BLOCK), np.float32) for each in pair)) for pair in pairs
    )


def _channel_differs(printed: Grey, wanted: Grey) -> bool:
    # A printer's gamma is no defect: the tones are compared after the straight line between them.
    slope, offset = np.polyfit(wanted.ravel(), printed.ravel(), 1)
    if not _FLATTEST < slope < _STEEPEST and wanted.std() > _FLAT:
        return True
    return bool(np.abs(printed - (slope * wanted + offset)).max() > _BLOCK_TONE)


def _spread(mask: _Mask) -> _Mask:
    """An edge may lie one dot, a twelfth of a millimetre, elsewhere."""
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    high = wide.copy()
    high[1:] |= wide[:-1]
    high[:-1] |= wide[1:]
    return high


def _has_spot(mask: _Mask) -> bool:
    if int(np.count_nonzero(mask)) < _SPOT_DOTS:
        return False
    total = np.pad(mask.astype(np.int32), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    sums = total[_SPOT:, _SPOT:] - total[:-_SPOT, _SPOT:] - total[_SPOT:, :-_SPOT] + total[:-_SPOT, :-_SPOT]
    return bool(sums.max() >= _SPOT_DOTS)


def _line_across(printed: Grey, wanted: Grey) -> bool:
    """Strips overlap by half, so that a line as long as one strip fills at least one of them mostly."""
    had, should = (_strips(values) for values in (printed, wanted))
    least = _around(should, 1).min(axis=2)
    part = had / np.maximum(least, 1.0)
    usual = np.median(_around(np.minimum(part, 1.5), _LINE_REACH), axis=2)
    thin = (least > _LEAST_INK) & (part < _LINE_LEFT * np.minimum(usual, 1.0))
    return bool(thin.any())


def _strips(values: Grey) -> Grey:
    """Mean ink of every row in every strip, a strip a row of the answer."""
    half = _STRIP // 2
    count = values.shape[1] // half
    halves = values[:, : count * half].reshape(len(values), count, half).mean(axis=2)
    return np.ascontiguousarray(((halves[:, 1:] + halves[:, :-1]) / 2).T)


def _around(values: Grey, reach: int) -> Grey:
    padded = np.pad(values, ((0, 0), (reach, reach)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
