"""Slaps are cut into their fingers, and prints that changed places are found by them."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests.support.drawn_slaps import drawn_slap
from tests.support.second_touch import second_touch
from verification.errors import FingerImageUndecodable, SlapMiscounted
from verification.fingerprint.engine import PreparedFinger
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.procedural_finger import render_finger, scanned_slap
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.slap import fingers_of, fingertips, misplaced, slap_templates
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
