"""Drawn fingerprints have the scale and the flow of real ones; they are nobody's."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.stopwatch import within
from verification.fingerprint.procedural_finger import HEIGHT, WIDTH, render_finger
from verification.lds.finger_image import FingerPosition

FINGERS = [position for position in FingerPosition if 1 <= position <= 10]
MILLIMETRE = 500 / 25.4


def ridge_period(picture: npt.NDArray[np.uint8]) -> float:
    """The commonest distance between ridges in the middle of a print, in millimetres."""
    middle = picture[HEIGHT // 2 - 96 : HEIGHT // 2 + 96, WIDTH // 2 - 96 : WIDTH // 2 + 96].astype(float)
    window = np.hanning(192)
    spectrum = np.abs(np.fft.fft2((middle - middle.mean()) * window * window[:, None]))
    frequency = np.hypot(np.fft.fftfreq(192)[:, None], np.fft.fftfreq(192)[None, :])
    bands = np.arange(0.04, 0.3, 0.005)
    power = [float(spectrum[(frequency >= band) & (frequency < band + 0.005)].sum()) for band in bands]
    return float(1 / (bands[int(np.argmax(power))] + 0.0025) / MILLIMETRE)


def likeness(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Correlation of the middles of two prints."""
    part = (slice(HEIGHT // 2 - 100, HEIGHT // 2 + 100), slice(WIDTH // 2 - 80, WIDTH // 2 + 80))
    return float(abs(np.corrcoef(one[part].ravel(), other[part].ravel())[0, 1]))


@pytest.mark.parametrize("position", FINGERS, ids=lambda position: position.name)
def test_a_print_has_ridges_of_an_adult_on_white(position: FingerPosition) -> None:
    picture = render_finger(11, position)
    assert (picture.shape, picture.dtype) == ((HEIGHT, WIDTH), np.uint8)
    assert 0.40 <= ridge_period(picture) <= 0.55
    # Corners are bare glass; the middle is about as much ridge as valley.
    assert min(picture[:20, :20].min(), picture[-20:, -20:].min()) > 200
    assert 0.3 < float((picture[150:270, 100:220] < 140).mean()) < 0.7


def test_the_same_seed_and_finger_is_the_same_print() -> None:
    assert (render_finger(7, FINGERS[1]) == render_finger(7, FINGERS[1])).all()


def test_fingers_and_persons_differ() -> None:
    prints = [render_finger(seed, position) for seed in (1, 2) for position in FINGERS[:4]]
    pairs = [likeness(one, other) for index, one in enumerate(prints) for other in prints[:index]]
    assert max(pairs) < 0.3
    assert likeness(prints[0], prints[0]) > 0.99


@pytest.mark.timed
def test_a_print_takes_a_moment() -> None:
    with within(1, time.thread_time):
        render_finger(3, FINGERS[0])
