"""One finger that was taken twice is found among ten prints, and ten fingers are ten."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.support.second_touch import cracked, second_touch
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.print_cause import PrintCause, cause_of
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.procedural_finger import render_finger
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.ten_prints import repeated
from verification.lds.finger_image import FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS

LIMITS = limits_on(date(2026, 11, 22))
assert LIMITS is not None
PEOPLE = 2


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[int, int], np.ndarray]:
    return {
        (person, position): render_finger(person, FingerPosition(position))
        for person in range(PEOPLE)
        for position in SINGLE_FINGERS
    }


@cache
def engine() -> NbisEngine:
    return NbisEngine()


def template(picture: np.ndarray, position: int) -> bytes:
    return engine().extract(picture, FingerPosition(position)).template


def test_a_finger_that_was_taken_twice_is_found_and_no_other_is_accused(
    drawn: dict[tuple[int, int], np.ndarray],
) -> None:
    for person in range(PEOPLE):
        ten = {position: template(drawn[person, position], position) for position in SINGLE_FINGERS}
        assert repeated(engine(), ten, LIMITS.same_finger) == ()
        for position in SINGLE_FINGERS:
            other = position % 10 + 1
            twin = template(second_touch(drawn[person, position], 10 * person + position), other)
            pair = {position: ten[position], other: twin}
            assert len(repeated(engine(), pair, LIMITS.same_finger)) == 1


def test_two_of_one_finger_are_named_among_all_that_were_taken(
    drawn: dict[tuple[int, int], np.ndarray],
) -> None:
    ten = {position: template(drawn[0, position], position) for position in SINGLE_FINGERS}
    ten[8] = template(second_touch(drawn[0, 3], 8), 8)
    assert repeated(engine(), ten, LIMITS.same_finger) == ((3, 8),)


def test_drawn_fingers_are_good_enough_and_cracked_skin_is_not(
    drawn: dict[tuple[int, int], np.ndarray],
) -> None:
    for position in SINGLE_FINGERS:
        least = LIMITS.least_of(position, None)
        picture = drawn[1, position]
        assert engine().extract(picture, FingerPosition(position)).quality.nfiq2 >= least
        assert engine().extract(cracked(picture), FingerPosition(position)).quality.nfiq2 < least


def test_what_to_change_is_told_by_the_picture() -> None:
    picture = render_finger(3, FingerPosition.RIGHT_INDEX)
    thick = np.asarray(Image.fromarray(picture).filter(ImageFilter.MinFilter(5)))
    aside = np.full_like(picture, 238)
    aside[:, :200] = picture[:, 120:]
    little = np.full_like(picture, 238)
    little[150:260, 100:210] = picture[150:260, 100:210]
    told = {
        PrintCause.DRY: cracked(picture),
        PrintCause.WET: thick,
        PrintCause.OFF_CENTRE: aside,
        PrintCause.PARTIAL: little,
        PrintCause.UNREADABLE: np.full_like(picture, 240),
        PrintCause.SMEARED: picture,
    }
    assert {cause_of(each): cause for cause, each in told.items()} == {cause: cause for cause in PrintCause}


@pytest.mark.shared_data
def test_real_fingers_are_no_twins_of_each_other(shared: Path) -> None:
    """The public prints there are: five of a generator that is not ours, and a rolled one of a real card."""
    folder = shared / "data" / "prints"
    files = [*folder.glob("nfiq2_conformance/*.pgm"), folder / "nist_rolled" / "valid1.9_t4.png"]
    pictures = [
        np.asarray(Image.open(each).convert("L")) if each.suffix == ".pgm" else read_print(each.read_bytes())
        for each in files
    ]
    ten = {place: template(picture, place) for place, picture in enumerate(pictures, 1)}
    assert len(ten) >= 6
    assert repeated(engine(), ten, LIMITS.same_finger) == ()
    for place, picture in enumerate(pictures, 1):
        twin = {**ten, 10: template(second_touch(picture, place), 10)}
        assert repeated(engine(), twin, LIMITS.same_finger) == ((place, 10),)
