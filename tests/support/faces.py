"""Drawn persons on chips and before cameras, and an engine whose answers a test decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verification.face.engine import DetectedFace, Template, Thresholds
from verification.face.image import encode_jp2
from verification.face.picture import Picture
from verification.face.procedural_portrait import Capture, person, render
from verification.lds.dg2 import Dg2, Portrait, build_dg2

DEMO_SEEDS = (117, 68, 25, 166)
"""Four drawn persons that the real threshold tells apart."""


def face_at(left: float, top: float, width: float, *, turn: float = 0.0) -> DetectedFace:
    """A face with its eyes and nose where a box of this place has them."""
    eye_line, middle = top + 0.35 * width, left + width / 2
    eyes = (middle - 0.2 * width, eye_line), (middle + 0.2 * width, eye_line)
    nose = middle + turn * 0.4 * width, top + 0.6 * width
    return DetectedFace(left, top, left + width, top + width, 1.0, eyes, nose, np.zeros((5, 2)))


@dataclass
class ScriptedEngine:
    """Sees in picture ``n`` (the value of its first pixel) what the script says."""

    script: dict[int, tuple[DetectedFace, ...]]
    templates: dict[int, float] = field(default_factory=dict)
    id: str = "scripted"
    smaller_is_closer: bool = True
    thresholds: Thresholds = field(default_factory=lambda: Thresholds(0.45, 0.52, 0.42))
    turn_offset: float = 0.14
    model_digests: tuple[str, ...] = ("00",)

    def detect(self, picture: Picture) -> list[DetectedFace]:
        return list(self.script[int(picture[0, 0, 0])])

    def embed(self, picture: Picture, face: DetectedFace) -> Template:
        return np.array([self.templates.get(int(picture[0, 0, 0]), 0.0)], np.float32)

    def compare(self, one: Template, other: Template) -> float:
        return float(np.linalg.norm(one - other))


def picture_number(number: int, side: int = 200) -> Picture:
    """A picture that passes the gates and bears a number in its first pixel."""
    noise = np.random.default_rng(7).integers(50, 210, (side, side, 3))
    picture = noise.astype(np.uint8)
    picture[0, 0] = number
    return picture


def chip_dg2(seed: int, desk: Any, byte_target: int = 15_000) -> bytes:
    """DG2 of a drawn person as issuance makes it."""
    picture = render(person(seed), 480, Capture(seed=seed))
    return dg2_of(desk.card_portrait(picture), byte_target)


def dg2_of(portrait: Picture, byte_target: int = 15_000) -> bytes:
    """DG2 with this portrait as JPEG 2000."""
    return build_dg2(Dg2((Portrait.of(encode_jp2(portrait, byte_target)),)))


def always(octet: int) -> Callable[[int], bytes]:
    """A source of "randomness" that a test decides."""
    return lambda count: bytes([octet]) * count


__all__ = [
    "DEMO_SEEDS",
    "ScriptedEngine",
    "always",
    "chip_dg2",
    "dg2_of",
    "face_at",
    "picture_number",
]
