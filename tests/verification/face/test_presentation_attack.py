"""The head-turn challenge: by script for the rules, by drawing for the physics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.faces import DEMO_SEEDS, ScriptedEngine, always, face_at, picture_number
from verification.face.counter import FaceDesk
from verification.face.picture import Picture
from verification.face.presentation_attack import MAX_PICTURES, HeadTurnChallenge, TurnState
from verification.face.procedural_portrait import Capture, person, render
from verification.face.simulated_camera import HeldPhoto, Sitter
from verification.messages.fault_catalogue import fault_catalogue

FRONT, LEFT, RIGHT, HALF, NOBODY, STRANGER, TWO = range(1, 8)
SCRIPT = {
    FRONT: (face_at(40, 40, 120),),
    LEFT: (face_at(40, 40, 120, turn=0.2),),
    RIGHT: (face_at(40, 40, 120, turn=-0.2),),
    HALF: (face_at(40, 40, 120, turn=0.13),),
    NOBODY: (),
    STRANGER: (face_at(40, 40, 120, turn=0.2),),
    TWO: (face_at(0, 0, 90), face_at(100, 0, 90)),
}
LEFT_FIRST, RIGHT_FIRST = always(1), always(0)


def play(pictures: list[int], random: Callable[[int], bytes] = LEFT_FIRST) -> HeadTurnChallenge:
    challenge = HeadTurnChallenge(ScriptedEngine(SCRIPT, {STRANGER: 0.9}), random)
    for number in pictures:
        challenge.observe(picture_number(number))
    return challenge


def test_straight_then_both_sides_passes() -> None:
    challenge = play([FRONT] * 3)
    assert (challenge.state, challenge.direction) == (TurnState.TURN, "left")
    for number, direction in ((LEFT, "left"), (LEFT, "right"), (RIGHT, "right")):
        assert challenge.observe(picture_number(number)) is TurnState.TURN
        assert challenge.direction == direction
    assert challenge.observe(picture_number(RIGHT)) is TurnState.PASSED
    assert (challenge.direction, challenge.code, len(challenge.frontal_pictures)) == (None, None, 3)


def test_the_order_is_drawn() -> None:
    assert play([FRONT] * 3, RIGHT_FIRST).direction == "right"
    assert play([*[FRONT] * 3, RIGHT, RIGHT, FRONT, LEFT, LEFT], RIGHT_FIRST).state is TurnState.PASSED


@pytest.mark.parametrize(
    ("pictures", "code"),
    [
        ([FRONT] * (MAX_PICTURES + 1), "FACE_TURN_NOT_SHOWN"),
        ([*[FRONT] * 3, *[HALF] * MAX_PICTURES], "FACE_TURN_NOT_SHOWN"),
        ([*[FRONT] * 3, *[LEFT, FRONT] * MAX_PICTURES], "FACE_TURN_NOT_SHOWN"),
        ([*[FRONT] * 3, RIGHT, RIGHT], "FACE_TURN_WRONG_SIDE"),
        ([*[FRONT] * 3, *[NOBODY] * 13], "FACE_LOST_DURING_TURN"),
        ([*[FRONT] * 3, *[TWO] * 13], "FACE_LOST_DURING_TURN"),
        ([*[FRONT] * 3, *[STRANGER] * 3], "FACE_CHANGED"),
        ([FRONT, FRONT, STRANGER, FRONT], None),
    ],
)
def test_what_does_not_pass(pictures: list[int], code: str | None) -> None:
    challenge = play(pictures)
    assert challenge.code == code
    assert challenge.state is not TurnState.PASSED
    assert code is None or (challenge.state is TurnState.FAILED and code in fault_catalogue())


def test_one_picture_of_a_turn_is_not_enough_and_a_stranger_shows_none() -> None:
    assert play([*[FRONT] * 3, LEFT, FRONT]).direction == "left"
    assert play([*[FRONT] * 3, LEFT, STRANGER, LEFT]).direction == "left"


def test_it_can_be_ended_and_stays_ended() -> None:
    assert play([]).expire() is TurnState.FAILED
    late = play([FRONT] * 3)
    late.expire()
    assert late.code == "FACE_TURN_NOT_SHOWN"
    assert late.observe(picture_number(LEFT)) is TurnState.FAILED
    passed = play([*[FRONT] * 3, LEFT, LEFT, RIGHT, RIGHT])
    assert passed.expire() is TurnState.PASSED


def follow(
    challenge: HeadTurnChallenge, frame: Callable[[int, float], Picture], reach: float, step: float = 10.0
) -> HeadTurnChallenge:
    """Somebody does what the challenge asks for, some degrees a picture."""
    angle = 0.0
    for number in range(24):
        wanted = {"left": reach, "right": -reach, None: 0.0}[challenge.direction]
        angle += max(-step, min(step, wanted - angle))
        if challenge.observe(frame(number, angle)) in {TurnState.PASSED, TurnState.FAILED}:
            break
    else:
        challenge.expire()
    return challenge


@pytest.mark.needs_models
@pytest.mark.parametrize("random", [LEFT_FIRST, RIGHT_FIRST], ids=["left first", "right first"])
@pytest.mark.parametrize("seed", [*DEMO_SEEDS, 5, 9])
def test_a_living_person_passes_and_matches(
    desk: FaceDesk, seed: int, random: Callable[[int], bytes]
) -> None:
    challenge = follow(desk.head_turn(random), Sitter(person(seed), seed).frame, 40)
    assert (challenge.state, challenge.code) == (TurnState.PASSED, None)
    portrait = desk.picture_template(render(person(seed), 480, Capture(seed=seed + 1)))
    assert desk.compare(portrait, challenge.frontal_pictures).is_match


@pytest.mark.needs_models
@pytest.mark.parametrize("random", [LEFT_FIRST, RIGHT_FIRST], ids=["left first", "right first"])
@pytest.mark.parametrize("reach", [15, 30, 45])
@pytest.mark.parametrize("seed", DEMO_SEEDS[:2])
def test_a_turned_photo_fails(
    desk: FaceDesk, seed: int, reach: float, random: Callable[[int], bytes]
) -> None:
    photo = HeldPhoto(render(person(seed), 480, Capture(seed=seed)), seed)
    challenge = follow(desk.head_turn(random), photo.frame, reach)
    assert challenge.state is TurnState.FAILED
    assert challenge.code in {"FACE_TURN_NOT_SHOWN", "FACE_LOST_DURING_TURN"}
