"""A finger is taken until it is good, is worn, or was tried often enough; another finger never passes."""

from __future__ import annotations

from datetime import date

import pytest

from verification.errors import FingerImageUndecodable
from verification.fingerprint.engine import FingerSample, Print
from verification.fingerprint.print_attempts import (
    OTHER_FINGER,
    FingerAttempts,
    Impression,
    impression,
    judge,
    twin_of,
)
from verification.fingerprint.print_cause import PrintCause
from verification.fingerprint.quality_limits import limits_on
from verification.lds.finger_image import FingerPosition

LIMITS = limits_on(date(2026, 11, 22))
assert LIMITS is not None
LEAST = 25


class Named:
    """Templates are names; those that begin alike are of one finger."""

    id = "named"

    def extract(self, picture: Print, position: FingerPosition, ppi: int = 500) -> FingerSample:
        raise AssertionError("no picture is read here")

    def prepare(self, template: bytes) -> Named.Finger:
        return Named.Finger(template)

    class Finger:
        def __init__(self, template: bytes) -> None:
            self._finger = template[:1]

        def score(self, template: bytes) -> float:
            if b"?" in template:
                return 60.0
            return 200.0 if template[:1] == self._finger else 20.0


def taken(nfiq2: int, finger: str | None = "a", minutiae: int = 40) -> Impression:
    return Impression(nfiq2, minutiae, finger.encode() if finger else None, PrintCause.DRY)


def after(*impressions: Impression) -> tuple[FingerAttempts, list[bool], list[str | None]]:
    attempts, kept, refused = FingerAttempts(), [], []
    for each in impressions:
        judged = judge(Named(), attempts, each, LEAST, LIMITS)
        attempts = judged.attempts
        kept.append(judged.is_kept)
        refused.append(judged.refused)
    return attempts, kept, refused


def enough(*impressions: Impression) -> bool:
    return after(*impressions)[0].is_enough(LEAST, LIMITS)


def test_a_good_print_is_taken_once_and_a_poor_one_again_with_its_cause() -> None:
    assert enough(taken(LEAST))
    assert not enough(taken(LEAST - 1))
    assert after(taken(LEAST))[0].code is None
    assert after(taken(LEAST - 1))[0].code == "PRINT_DRY"


def test_the_best_of_all_attempts_stands_and_every_score_is_known() -> None:
    attempts, kept, _ = after(taken(20, "a1", 5), taken(10, "b1", 5), taken(22, "c1", 5))
    assert (attempts.scores, attempts.kept, attempts.template) == ((20, 10, 22), 22, b"c1")
    assert kept == [True, False, True]


def test_after_the_last_attempt_the_best_available_will_do() -> None:
    poor = [taken(5, name, 5) for name in ("a", "b", "c")]
    assert not enough(*poor[:2])
    assert enough(*poor)


def test_of_pictures_that_show_nothing_none_is_the_best_available() -> None:
    attempts, kept, refused = after(*[taken(0, None, 0)] * 3)
    assert not attempts.is_enough(LEAST, LIMITS)
    assert (attempts.kept, attempts.scores, kept) == (None, (0, 0, 0), [False] * 3)
    assert refused == [None] * 3


def test_two_poor_prints_that_match_are_a_worn_finger() -> None:
    attempts, _, refused = after(taken(12, "a1"), taken(11, "a2"))
    assert attempts.is_enough(LEAST, LIMITS)
    assert (attempts.kept, attempts.is_worn, refused) == (12, True, [None, None])


def test_the_same_picture_twice_is_no_worn_finger() -> None:
    assert not enough(taken(12, "a1"), taken(12, "a1"))


@pytest.mark.parametrize("scores", [(12, 14), (60, 60)])
def test_two_of_one_quality_that_do_not_match_are_two_fingers(scores: tuple[int, int]) -> None:
    attempts, kept, refused = after(taken(scores[0], "a"), taken(scores[1], "b"))
    assert (kept, refused) == ([True, False], [None, OTHER_FINGER])
    assert (attempts.template, attempts.scores, attempts.code) == (b"a", scores, OTHER_FINGER)


def test_a_poor_print_says_nothing_of_a_good_one_and_one_with_few_points_of_none() -> None:
    assert after(taken(8, "a"), taken(60, "b"))[1:] == ([True, True], [None, None])
    assert after(taken(60, "a"), taken(8, "b"))[1:] == ([True, False], [None, None])
    assert after(taken(12, "a", 11), taken(14, "b", 40))[2] == [None, None]
    assert after(taken(60, "a"), taken(60, "?"))[2] == [None, None], "neither like nor unlike enough"


def test_a_print_that_was_taken_away_leaves_its_scores() -> None:
    dropped = after(taken(60))[0].without_print()
    assert (dropped.scores, dropped.kept, dropped.template) == ((60,), None, None)
    assert not dropped.is_enough(LEAST, LIMITS)


def test_the_print_of_another_finger_is_found_among_those_that_stand() -> None:
    others = {"finger_02": after(taken(60, "a"))[0], "finger_03": after(taken(60, "b"))[0]}
    assert twin_of(Named(), taken(60, "b2"), others, LIMITS) == "finger_03"
    assert twin_of(Named(), taken(60, "c"), others, LIMITS) is None
    assert twin_of(Named(), taken(0, None), others, LIMITS) is None


def test_what_is_no_picture_is_no_attempt() -> None:
    with pytest.raises(FingerImageUndecodable):
        impression(Named(), b"no picture", 2)


def test_limits_are_of_a_day_a_finger_and_an_age() -> None:
    assert limits_on(date(2026, 10, 31)) is None, "what was captured before is not judged by it"
    assert [LIMITS.least_of(2, age) for age in (6, 13, 14, 59, 60, None)] == [20, 20, 25, 25, 20, 25]
    assert all(
        LIMITS.least_of(position, age) > 0 for position in range(1, 11) for age in (0, 14, 60, 100, None)
    )
    assert LIMITS.least_of(5, 30) < LIMITS.least_of(2, 30)
    assert LIMITS.basis
