"""OCR-B: the letters of ICAO 9303-3, in the sizes of ISO 1073-2, and no two that a reader could mix up."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from issuance_backend.personalization.card_faces.layout import MrzPlace
from issuance_backend.personalization.card_faces.mrz_reading import read_mrz
from issuance_backend.personalization.card_faces.ocr_b import (
    ABOVE,
    LETTERS,
    PITCH,
    STROKE,
    letter_ink,
    strokes,
)
from issuance_backend.personalization.card_faces.raster import DOTS, SIZE, dots

PLACE = MrzPlace(x=4.7, first_baseline=37.2, line_pitch=6.35)


def outline(letter: str) -> tuple[float, float, float, float]:
    points = [point for line in strokes(letter) for point in line]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    half = STROKE / 2
    return min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half


def test_every_letter_of_the_zone_is_there() -> None:
    assert sorted(LETTERS) == sorted("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<")


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_has_the_size_of_its_kind(letter: str) -> None:
    left, bottom, right, top = outline(letter)
    assert left >= 0.25
    assert right <= PITCH - 0.25
    assert right - left <= 1.4 + STROKE + 0.01
    assert top - bottom == pytest.approx(
        2.74 if letter.isdigit() else 2.23 if letter == "<" else 2.54, abs=0.06
    )
    assert -0.06 <= bottom <= (0.23 if letter == "<" else 0.02 if letter != "Q" else 0.0)


def test_no_two_letters_look_alike() -> None:
    """The nearest, P and R and O and 0, stay as far apart as those of the standard."""
    shapes = np.stack([np.asarray(letter_ink(letter, 12), np.float64).ravel() for letter in LETTERS])
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    likeness = shapes @ shapes.T - np.eye(len(LETTERS))
    assert likeness.max() < 0.88


def zone(text: str) -> Image.Image:
    face = Image.new("L", SIZE, 255)
    for number, letter in enumerate(text):
        line, column = divmod(number, 30)
        left, top = dots(PLACE.x + column * PITCH, PLACE.first_baseline + line * PLACE.line_pitch - ABOVE)
        face.paste(0, (left, top), letter_ink(letter, DOTS))
    return face.reduce(2)


@pytest.mark.parametrize("shift", range(3))
def test_every_letter_is_read_in_every_line(shift: int) -> None:
    text = (LETTERS * 4)[shift * 17 : shift * 17 + 90]
    assert read_mrz(zone(text), PLACE) == text


def test_a_cell_without_a_letter_is_not_read() -> None:
    text = "A" * 44 + " " + "B" * 45
    face = zone(text.replace(" ", "<"))
    left, top = dots(PLACE.x + 14 * PITCH, PLACE.first_baseline + PLACE.line_pitch - ABOVE)
    face.paste(255, (left // 2, top // 2, left // 2 + 30, top // 2 + 42))
    assert read_mrz(face, PLACE) is None


def test_half_a_letter_is_not_read() -> None:
    face = zone("8" * 90)
    left, top = dots(PLACE.x, PLACE.first_baseline - ABOVE)
    face.paste(255, (left // 2, top // 2, left // 2 + 15, top // 2 + 42))
    assert read_mrz(face, PLACE) is None
