"""Ten prints of nobody, pictures at 500 ppi that cost nothing: ridges of one period, turned by finger."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from verification.fingerprint.print_picture import read_print
from verification.lds.finger_image import SLAPS, FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS, finger_item

WIDTH, HEIGHT, PPI = 160, 192, 500
_PERIOD = 9.0


@cache
def cheap_print(position: int, seed: int = 0) -> bytes:
    """A PNG of one finger, dark ridges on white within an oval."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = columns - WIDTH / 2, rows - HEIGHT / 2
    turned = np.deg2rad(18 * position + 7 * seed)
    wave = np.sin(2 * np.pi * (x * np.cos(turned) + y * np.sin(turned) + x**2 / 300) / _PERIOD)
    inside = (x / (WIDTH * 0.45)) ** 2 + (y / (HEIGHT * 0.45)) ** 2 < 1
    grey = np.where(inside & (wave > 0), 60, 240).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG", dpi=(PPI, PPI))
    return out.getvalue()


@cache
def cheap_prints(seed: int = 0) -> dict[str, bytes]:
    """One print for each finger, by the name of its item."""
    return {finger_item(position): cheap_print(position, seed) for position in SINGLE_FINGERS}


@cache
def cheap_slap(slap: int, *absent: int) -> bytes:
    """A PNG of a slap without some of its fingers: each finger's print twice as large, apart on white."""
    glass = np.full((2 * HEIGHT + 80, 1600), 240, np.uint8)
    for place, position in enumerate(SLAPS[FingerPosition(slap)]):
        if position not in absent:
            tip = read_print(cheap_print(position)).repeat(2, 0).repeat(2, 1)
            left = 60 + 380 * place
            glass[40 : 40 + tip.shape[0], left : left + tip.shape[1]] = tip
    out = io.BytesIO()
    Image.fromarray(glass).save(out, "PNG", dpi=(PPI, PPI))
    return out.getvalue()


PRINT_TYPE = "image/png"
