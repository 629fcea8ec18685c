"""DG2's JPEG 2000 against OpenCV's, which makes no transform between colours: error and time.

Both write the same portraits, drawn and then cut to the chip's size as issuance does, ours in no more
bytes than OpenCV took. Twice the error, in squared
grey levels, is 3 dB; time is that of the thread, and the two take turns.
"""

from __future__ import annotations

import time
from statistics import median

import cv2
import numpy as np

from issuance_backend.personalization.portrait_pictures import CHIP_PORTRAIT, bgr, card_picture
from tests.benchmarks.figure import Figure, against_floor
from verification.face.image import decode_portrait, encode_jp2, encode_jpeg
from verification.face.picture import Picture
from verification.face.procedural_portrait import Capture, person, render

ROUNDS = 9
PEOPLE = (3, 7, 11)
THREE_DECIBELS = 10**-0.3
TIME_GOAL = 0.8


def run() -> list[Figure]:
    """The median portrait's error and time, each against OpenCV's."""
    pictures = [_portrait(seed) for seed in PEOPLE]
    settings = [_opencv_setting(picture) for picture in pictures]
    errors, times = [], []
    for picture, setting in zip(pictures, settings, strict=True):
        theirs = _opencv(picture, setting)
        ours = encode_jp2(picture, len(theirs))
        errors.append((_error(picture, ours), _error(picture, theirs)))
        for _ in range(ROUNDS):
            times.append(_times(picture, setting, len(theirs)))
    error, error_floor = (median(column) for column in zip(*errors, strict=True))
    spent, time_floor = (median(column) for column in zip(*times, strict=True))
    return [
        against_floor("portrait_jp2_error", error, "grey^2", floor=error_floor, goal=THREE_DECIBELS),
        against_floor("portrait_jp2_encode", spent, "ms", floor=time_floor, goal=TIME_GOAL),
    ]


def _portrait(seed: int) -> Picture:
    return bgr(card_picture(encode_jpeg(render(person(seed), 960, Capture(seed=seed)), 95)))


def _opencv(picture: Picture, setting: int) -> bytes:
    return cv2.imencode(".jp2", picture, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, setting])[1].tobytes()


def _opencv_setting(picture: Picture) -> int:
    """The largest setting, in thousandths of the raw size, that stays within the bytes of a portrait."""
    setting = 1
    while len(_opencv(picture, setting + 1)) <= CHIP_PORTRAIT.max_bytes:
        setting += 1
    return setting


def _error(picture: Picture, encoded: bytes) -> float:
    return float(np.mean((decode_portrait(encoded).astype(float) - picture) ** 2))


def _times(picture: Picture, setting: int, target: int) -> tuple[float, float]:
    """Milliseconds of ours and of OpenCV's."""
    started = time.thread_time()
    encode_jp2(picture, target)
    between = time.thread_time()
    _opencv(picture, setting)
    return (between - started) * 1000, (time.thread_time() - between) * 1000
