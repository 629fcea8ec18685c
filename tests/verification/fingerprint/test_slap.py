"""Slaps are cut into their fingers, and prints that changed places are found by them."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.drawn_slaps import drawn_slap, turned
from tests.support.second_touch import second_touch
from verification.errors import FingerImageUndecodable, SlapMiscounted
from verification.fingerprint.engine import PreparedFinger
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.procedural_finger import render_finger, scanned_slap
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.slap import SlapFingersTouch, fingers_of, fingertips, misplaced, slap_templates
from verification.lds.finger_image import SLAPS, FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS

LIMITS = limits_on(date(2026, 11, 22))
assert LIMITS is not None
SAME = LIMITS.same_finger
PEOPLE = 2
TURNS = (-8.0, 9.0)

Templates = dict[int, bytes]


class RemembersScores:
    """A template that is compared with each other one once: the same pairs are swapped again and again."""

    def __init__(self, finger: PreparedFinger) -> None:
        self._finger = finger
        self._scores: dict[bytes, float] = {}

    def score(self, template: bytes) -> float:
        if template not in self._scores:
            self._scores[template] = self._finger.score(template)
        return self._scores[template]


class RemembersTemplates(NbisEngine):
    """The real engine, which looks at each pair once."""

    def __init__(self) -> None:
        super().__init__()
        self._prepared: dict[bytes, RemembersScores] = {}

    def prepare(self, template: bytes) -> RemembersScores:  # type: ignore[override]
        if template not in self._prepared:
            self._prepared[template] = RemembersScores(super().prepare(template))
        return self._prepared[template]


@cache
def engine() -> RemembersTemplates:
    return RemembersTemplates()


@cache
def hand(person: int) -> dict[int, np.ndarray]:
    return {each: render_finger(40 + person, FingerPosition(each)) for each in SINGLE_FINGERS}


@cache
def singles(person: int) -> Templates:
    pictures = hand(person)
    return {each: template(pictures[each], each) for each in SINGLE_FINGERS}


@cache
def slaps(person: int) -> Templates:
    pictures = {
        int(slap): drawn_slap(hand(person), slap, seed=person, turn=TURNS[person % len(TURNS)])
        for slap in SLAPS
    }
    return slap_templates(engine(), pictures)


def template(picture: np.ndarray, position: int) -> bytes:
    return engine().extract(picture, FingerPosition(position)).template


def swapped(templates: Templates, one: int, other: int) -> Templates:
    return templates | {one: templates[other], other: templates[one]}


def test_fingers_that_changed_places_are_found_and_no_others() -> None:
    found = tried = accused = 0
    for person in range(PEOPLE):
        accused += len(misplaced(engine(), slaps(person), singles(person), SAME))
        for one, other in combinations(SINGLE_FINGERS, 2):
            tried += 1
            pair = swapped(singles(person), one, other)
            two = {each: pair[each] for each in (one, other)}
            found += misplaced(engine(), slaps(person), two, SAME) == {one: other, other: one}
    assert found >= 0.99 * tried, f"{found} of {tried}"
    assert accused <= 0.01 * 10 * PEOPLE


def test_exactly_the_misplaced_are_named_among_all() -> None:
    for one, other in ((2, 3), (7, 10), (1, 6), (4, 9)):
        named = misplaced(engine(), slaps(0), swapped(singles(0), one, other), SAME)
        assert named == {one: other, other: one}


def test_slaps_of_somebody_else_accuse_nobody() -> None:
    for person in range(PEOPLE):
        assert misplaced(engine(), slaps((person + 1) % PEOPLE), singles(person), SAME) == {}


def test_of_a_slap_without_templates_nothing_is_said() -> None:
    assert misplaced(engine(), {}, swapped(singles(0), 2, 3), SAME) == {}


def test_a_missing_slap_proves_nothing_of_its_own_fingers() -> None:
    right = {each: slaps(0)[each] for each in (2, 3, 4, 5)}
    assert misplaced(engine(), right, swapped(singles(0), 7, 8), SAME) == {}
    assert misplaced(engine(), right, swapped(singles(0), 2, 8), SAME) == {8: 2}


@pytest.mark.parametrize("slap", SLAPS)
@pytest.mark.parametrize("turn", [-15.0, 0.0, 12.0])
def test_each_finger_has_its_place_also_where_the_hand_is_turned(slap: int, turn: float) -> None:
    cut = fingers_of(drawn_slap(hand(1), slap, seed=7, turn=turn), slap)
    assert tuple(cut) == SLAPS[FingerPosition(slap)]
    first = next(iter(cut))
    finger = engine().prepare(singles(1)[first])
    assert finger.score(template(cut[first], first)) >= SAME


TURNED = (-35, -30, -20, -10, 0, 10, 20, 30, 35)
"""Degrees."""


@pytest.mark.parametrize("slap", SLAPS)
def test_a_hand_that_lies_askew_is_cut_into_its_own_fingers(slap: int) -> None:
    for person in range(PEOPLE):
        for turn in TURNED:
            cut = fingers_of(turned(drawn_slap(hand(person), slap, seed=person), turn), slap)
            assert tuple(cut) == SLAPS[FingerPosition(slap)], (person, turn)
            if turn in {-35, 20}:
                shown = {position: template(tip, position) for position, tip in cut.items()}
                own = {position: engine().prepare(singles(person)[position]) for position in cut}
                assert all(own[each].score(shown[each]) >= SAME for each in cut), (person, turn)


def test_no_pixel_of_a_turned_hand_is_changed() -> None:
    picture = turned(drawn_slap(hand(0), 13), 30)
    for tip in fingers_of(picture, 13).values():
        inner = tip[tip.shape[0] // 2 - 20 : tip.shape[0] // 2 + 20, tip.shape[1] // 2 - 20 :][:, :40]
        found = cv2.matchTemplate(picture, inner, cv2.TM_SQDIFF)
        top, left = np.unravel_index(found.argmin(), found.shape)
        assert np.array_equal(picture[top : top + inner.shape[0], left : left + inner.shape[1]], inner)


def test_a_missing_finger_of_a_turned_hand_leaves_the_others_in_place() -> None:
    for turn in (-30, 30):
        three = turned(drawn_slap(hand(0), 13, absent={4}), turn)
        with pytest.raises(SlapMiscounted):
            fingers_of(three, 13)
        assert tuple(fingers_of(three, 13, absent={4})) == (2, 3, 5)


def test_a_drawn_scanners_slaps_show_the_fingers_that_it_draws_singly() -> None:
    for slap in SLAPS:
        shown = slap_templates(engine(), {int(slap): read_print(scanned_slap(40, slap))})
        alone = {each: singles(0)[each] for each in SLAPS[slap]}
        assert all(engine().prepare(shown[each]).score(alone[each]) >= SAME for each in alone)


def test_a_missing_finger_is_asked_about_and_leaves_the_others_in_place() -> None:
    three = drawn_slap(hand(0), 13, absent={3})
    with pytest.raises(SlapMiscounted):
        fingers_of(three, 13)
    assert tuple(fingers_of(three, 13, absent={3})) == (2, 4, 5)
    with pytest.raises(SlapMiscounted):
        fingers_of(three, 13, absent={3, 4})
    whole = drawn_slap(hand(0), 13)
    assert tuple(fingers_of(whole, 13, absent={3})) == (2, 3, 4, 5), "worn, and here all the same"
    with pytest.raises(SlapMiscounted):
        fingers_of(drawn_slap(hand(0), 15), 13)


def test_paper_and_dirt_are_no_fingers() -> None:
    blank = np.full((1000, 1600), 250, np.uint8)
    dirty = blank.copy()
    dirty[100:140, 200:300:2] = 40
    assert (fingertips(blank), fingertips(dirty)) == ((), ())


@pytest.mark.parametrize("shape", [(200, 1600), (1000, 2100), (1000, 1600, 3)])
def test_no_work_is_done_for_what_is_no_slap(shape: tuple[int, ...]) -> None:
    with pytest.raises(FingerImageUndecodable):
        fingers_of(np.full(shape, 250, np.uint8), 13)


@pytest.mark.shared_data
def test_real_slaps_show_their_fingers(shared: Path) -> None:
    folder = shared / "data" / "prints" / "nist_slaps"
    pictures = {slap: read_print((folder / f"valid1.8_fgp{slap}.png").read_bytes()) for slap in (13, 14, 15)}
    assert [len(fingertips(pictures[slap])) for slap in (13, 14, 15)] == [4, 4, 2]
    templates = slap_templates(engine(), pictures)
    assert set(templates) == set(SINGLE_FINGERS)
    again = {
        position: template(second_touch(tip, position), position)
        for slap in (13, 14, 15)
        for position, tip in fingers_of(pictures[slap], slap).items()
    }
    assert misplaced(engine(), templates, again, SAME) == {}
    assert misplaced(engine(), templates, swapped(again, 3, 8), SAME) == {3: 8, 8: 3}


@pytest.mark.shared_data
@pytest.mark.parametrize("slap", SLAPS)
def test_a_real_hand_that_lies_askew_is_cut_into_its_own_fingers(shared: Path, slap: int) -> None:
    folder = shared / "data" / "prints" / "nist_slaps"
    picture = read_print((folder / f"valid1.8_fgp{slap}.png").read_bytes())
    straight = slap_templates(engine(), {int(slap): picture})
    for turn in TURNED:
        cut = fingers_of(turned(picture, turn), slap)
        assert tuple(cut) == SLAPS[FingerPosition(slap)], turn
        if turn in {-35, 35}:
            shown = {position: template(tip, position) for position, tip in cut.items()}
            own = {position: engine().prepare(straight[position]) for position in cut}
            assert all(own[each].score(shown[each]) >= SAME for each in cut), turn


@cache
def touching_slaps() -> dict[tuple[int, int, float, int], np.ndarray]:
    """Two fingers that touch, of each person, every neighbour in turn, also with the hand askew."""
    return {
        (person, int(slap), turn, position): drawn_slap(
            hand(person), slap, seed=person, turn=turn, touching=(position,)
        )
        for person in range(PEOPLE)
        for slap in (13, 14)
        for turn in (-12.0, 0.0, 12.0)
        for position in SLAPS[FingerPosition(slap)][1:]
    }


def test_fingers_that_touch_are_refused_by_that_name_and_never_cut() -> None:
    found = 0
    for case, picture in touching_slaps().items():
        with pytest.raises(SlapMiscounted) as refused:
            fingers_of(picture, case[1])
        found += type(refused.value) is SlapFingersTouch
    assert found >= 0.99 * len(touching_slaps())


def test_fingers_that_lie_apart_are_not_said_to_touch() -> None:
    for person in range(PEOPLE):
        for slap in SLAPS:
            for turn in (-12.0, 0.0, 12.0):
                picture = drawn_slap(hand(person), slap, seed=person, turn=turn)
                assert set(fingers_of(picture, slap)) == set(SLAPS[slap])


def test_a_fold_beside_two_fingers_that_touch_makes_no_fourth_finger() -> None:
    picture = drawn_slap(hand(0), 13, touching=(3,)).copy()
    picture[100:400, 10:110:6] = 40
    assert len(fingertips(picture)) == 4
    with pytest.raises(SlapFingersTouch):
        fingers_of(picture, 13)


def test_a_small_hands_fingers_touch_as_well() -> None:
    small = cv2.resize(drawn_slap(hand(0), 13, touching=(3,)), None, fx=0.75, fy=0.75)
    tips = fingertips(np.asarray(small, np.uint8))
    assert max(tip.across for tip in tips) < 22 * 500 / 25.4, "no wider than a big finger"
    with pytest.raises(SlapFingersTouch):
        fingers_of(np.asarray(small, np.uint8), 13)


@pytest.mark.shared_data
def test_real_slaps_whose_fingers_are_pushed_together_are_refused(shared: Path) -> None:
    for slap in (13, 14):
        picture = read_print((shared / "data/prints/nist_slaps" / f"valid1.8_fgp{slap}.png").read_bytes())
        assert len(fingers_of(picture, slap)) == 4
        with pytest.raises(SlapFingersTouch):
            fingers_of(pushed_together(picture), slap)


def pushed_together(picture: np.ndarray) -> np.ndarray:
    """The same slap without the widest gap of paper between its two middle fingers."""
    inked = np.flatnonzero((picture < 128).sum(0) > 20)
    gaps = np.flatnonzero(np.diff(inked) > 20)
    nearest = gaps[np.argmin(np.abs(inked[gaps] - picture.shape[1] / 2))]
    return np.hstack([picture[:, : inked[nearest] + 1], picture[:, inked[nearest + 1] :]])
