"""The counter with a real face engine: a drawn person turns the head, a stranger and a photo do not pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cv2
import pytest

from issuance_backend.virtual_card.card_image import CardImage
from reader_agent.app import portrait_jpeg
from reader_agent.cameras.pictures import frame_from_pixels
from reader_agent.engine_matcher import load_engine_matcher
from reader_agent.face_supply import FaceSupply
from reader_agent.ports import FaceMatcher, Frame
from reader_agent.session.counter_session import Portrait
from reader_agent.session.face_step import FaceLimits
from tests.support.counter_bench import Bench, HttpGateway, card_with_portrait, make_bench, serving
from verification.errors import ImageUndecodable
from verification.face.image import encode_jp2
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import HeldPhoto, Sitter

pytestmark = pytest.mark.needs_models
HOLDER, STRANGER = 117, 68
UNHURRIED, SHORT = FaceLimits(capture=20.0, turn=20.0), FaceLimits(capture=20.0, turn=5.0)
"""A machine that does much beside this needs its time; a photograph uses all of it up."""
DEGREES = {"left": 36.0, "right": -36.0, None: 0.0}
"""Plainly turned: at 28 degrees this drawn head shows it to the right in one picture of five only."""


@cache
def card() -> CardImage:
    return card_with_portrait(jp2(HOLDER))


@cache
def jp2(seed: int) -> bytes:
    return encode_jp2(cv2.resize(render(person(seed)), (240, 240), interpolation=cv2.INTER_AREA))


@cache
def matcher(folder: Path) -> FaceMatcher:
    found = load_engine_matcher(folder)
    assert found is not None
    return found


class Person:
    """Turns the head where the page asks for it."""

    name = "drawn"

    def __init__(self, draw: Callable[[int, float], object]) -> None:
        self.draw = draw
        self.direction: Callable[[], str | None] = lambda: None
        self._number = itertools.count()

    def start(self) -> None:
        """Always there."""

    def stop(self) -> None:
        """Always there."""

    def frame(self, timeout: float) -> Frame:
        return frame_from_pixels(self.draw(next(self._number), DEGREES[self.direction()]))  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path, model_directory: Path) -> Iterator[Callable[[Person, FaceLimits], Bench]]:
    with serving(HttpGateway()) as gateway:

        def make(who: Person, limits: FaceLimits) -> Bench:
            faces = FaceSupply(lambda: matcher(model_directory))
            made = make_bench(gateway, tmp_path, image=card(), camera=who, faces=faces, face_limits=limits)

            def direction() -> str | None:
                latest = made.agent.desk.latest
                return latest.view().challenge.direction if latest else None

            who.direction = direction
            return made

        yield make


@pytest.mark.parametrize(
    ("who", "limits", "outcome", "codes"),
    [
        (lambda: Person(Sitter(person(HOLDER), 3).frame), UNHURRIED, "verified", {None}),
        (
            lambda: Person(Sitter(person(STRANGER), 3).frame),
            UNHURRIED,
            "refused",
            {"FACE_NOT_MATCHED", "FACE_REVIEW_NEEDED"},
        ),
        (
            lambda: Person(HeldPhoto(render(person(HOLDER)), 3).frame),
            SHORT,
            "refused",
            {"FACE_TURN_NOT_SHOWN", "FACE_TURN_WRONG_SIDE"},
        ),
    ],
    ids=["holder", "stranger", "photo"],
)
def test_who_stands_there_decides(
    bench: Callable[[Person, FaceLimits], Bench],
    who: Callable[[], Person],
    limits: FaceLimits,
    outcome: str,
    codes: set[str | None],
) -> None:
    running = bench(who(), limits)
    verdict = running.finish(running.start(), seconds=50)["verdict"]
    assert verdict["outcome"] == outcome, verdict["code"]
    assert verdict["code"] in codes
    claim = running.gateway.evidence[-1].attested.face
    assert claim is not None
    assert claim.engine
    assert claim.model_digests
    assert claim.frames >= 3


def test_a_jpeg_2000_portrait_is_shown_as_jpeg() -> None:
    shown = portrait_jpeg(Portrait(jp2(HOLDER), "image/jp2"))
    assert shown.startswith(b"\xff\xd8\xff")
    with pytest.raises(ImageUndecodable):
        portrait_jpeg(Portrait(jp2(HOLDER)[:200], "image/jp2"))
