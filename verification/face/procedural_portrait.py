"""Drawn faces of nobody: a person is a row of numbers, a capture adds light, pose and noise.

Real detectors and recognisers accept them, so the whole path can be shown and tested without any
person's picture. A drawn face proves the plumbing and never the accuracy of an engine.

Coordinates are those of the face: x to the right and y down, the eye line near 0 and the chin near 1,
in half face widths and heights. Colours are blue, green, red.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from verification.face.picture import Picture

Floats = npt.NDArray[np.float32]
Point = tuple[float, float]
Colour = npt.NDArray[np.float64]

OVERSAMPLING = 3
"""Everything is drawn this much larger and shrunk afterwards, which smooths the edges."""

_BACKGROUND = (205.0, 200.0, 195.0)
_JACKET = np.array([90.0, 70.0, 60.0])
_COLLAR = np.array([235.0, 235.0, 235.0])
_SIDES = (-1, 1)


class Shape(NamedTuple):
    """Sizes and places in the face, in the order in which they are drawn by lot."""

    face_width: float
    face_height: float
    jaw: float
    eye_distance: float
    eye_line: float
    eye_width: float
    eye_height: float
    brow_thickness: float
    brow_height: float
    brow_tilt: float
    nose_length: float
    nose_width: float
    mouth_line: float
    mouth_width: float
    lip: float
    hairline: float
    hair_side: float


# The lowest and highest value of each, in the order of Shape.
_RANGES = (
    *((0.80, 1.02), (1.02, 1.25), (0.72, 1.0)),
    *((0.36, 0.46), (-0.16, -0.04), (0.145, 0.20), (0.05, 0.085)),
    *((0.025, 0.06), (0.13, 0.2), (-0.05, 0.06)),
    *((0.30, 0.42), (0.14, 0.24)),
    *((0.50, 0.62), (0.26, 0.42), (0.035, 0.075)),
    *((0.50, 0.72), (0.02, 0.16)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """The looks of one synthetic person; the same seed is always the same person."""

    seed: int
    skin: Colour
    hair: Colour
    shape: Shape
    iris: Colour
    long_hair: bool
    glasses: bool
    beard: bool
    mole: Point | None
    fringe: bool


def person(seed: int) -> Person:
    """The person of a seed. The order of the draws is part of the identity: never change it."""
    generator = np.random.default_rng(seed)
    draw = generator.uniform
    skin = np.array([draw(95, 165), draw(135, 195), draw(180, 235)])
    hair = np.array([draw(5, 60)] * 3) + np.array([0, draw(0, 15), draw(0, 30)])
    shape = Shape(*(draw(low, high) for low, high in _RANGES))
    iris = np.array([draw(10, 70), draw(20, 70), draw(25, 85)])
    long_hair, glasses, beard = generator.random() < 0.5, generator.random() < 0.2, generator.random() < 0.15
    mole = draw(-0.4, 0.4), draw(0.1, 0.6)
    has_mole, fringe = generator.random() < 0.4, generator.random() < 0.35
    return Person(
        seed, skin, hair, shape, iris, long_hair, glasses, beard, mole if has_mole else None, fringe
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """How a picture is taken: light from the side (-1..1), smile (0..1), sensor noise in grey levels.

    ``seed`` makes the noise; the same capture of the same person is the same picture.
    """

    light: float = 0.0
    smile: float = 0.0
    noise: float = 0.0
    seed: int = 0


PLAIN = Capture()
"""Even light, no smile."""


def render(subject: Person, size: int = 480, capture: Capture = PLAIN) -> Picture:
    """Draw a square frontal portrait of ``size`` pixels a side."""
    canvas = _Canvas(size * OVERSAMPLING, subject)
    _draw_behind(canvas, subject)
    _shade_face(canvas, subject, capture.light)
    _draw_nostrils(canvas, subject)
    for side in _SIDES:
        _draw_eye(canvas, subject, side, capture.smile)
        _draw_brow(canvas, subject, side)
    _draw_mouth(canvas, subject, capture.smile)
    _draw_marks(canvas, subject)
    return _develop(canvas.image, size, capture)


class _Canvas:
    """An oversized picture with the face's own coordinates."""

    def __init__(self, side: int, subject: Person) -> None:
        self.side = side
        self.image: Floats = np.full((side, side, 3), _BACKGROUND, np.float32)
        self.centre = side / 2
        self.radius_x = side * 0.27 * subject.shape.face_width
        self.radius_y = side * 0.27 * subject.shape.face_height

    def at(self, x: float, y: float) -> tuple[int, int]:
        return int(self.centre + x * self.radius_x), int(self.centre + y * self.radius_y)

    def path(self, points: Iterable[Point]) -> npt.NDArray[np.int32]:
        return np.array([self.at(x, y) for x, y in points], np.int32)

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        cv2.fillPoly(self.image, [self.path(points)], _scalar(colour), cv2.LINE_AA)

    def line(self, points: Iterable[Point], colour: Colour, width: float) -> None:
        thickness = int(OVERSAMPLING * width)
        cv2.polylines(self.image, [self.path(points)], False, _scalar(colour), thickness, cv2.LINE_AA)

    def ellipse(
        self,
        centre: Point,
        radii: Point,
        colour: Colour,
        *,
        angle: float = 0,
        arc: tuple[float, float] = (0, 360),
        width: float = 0,
    ) -> None:
        """An ellipse, filled unless ``width`` is given."""
        axes = max(1, int(radii[0] * self.radius_x)), max(1, int(radii[1] * self.radius_y))
        thickness = int(OVERSAMPLING * width) if width else -1
        cv2.ellipse(self.image, self.at(*centre), axes, angle, *arc, _scalar(colour), thickness, cv2.LINE_AA)

    def mask(self, points: Iterable[Point]) -> Floats:
        """1 inside the polygon, 0 outside."""
        mask = np.zeros((self.side, self.side), np.float32)
        cv2.fillPoly(mask, [self.path(points)], 1.0, cv2.LINE_AA)
        return mask


def _scalar(colour: Colour) -> Sequence[float]:
    return tuple(float(part) for part in colour)


def _draw_behind(canvas: _Canvas, subject: Person) -> None:
    """Hair behind the head, neck, clothes and ears."""
    width = 1.12 + subject.shape.hair_side
    canvas.ellipse((0, -0.18), (width, 1.12), subject.hair)
    if subject.long_hair:
        canvas.polygon(
            [(-width, -0.2), (width, -0.2), (width * 1.02, 1.5), (-width * 1.02, 1.5)], subject.hair
        )
    canvas.polygon([(-0.45, 0.6), (0.45, 0.6), (0.5, 1.6), (-0.5, 1.6)], subject.skin * 0.82)
    canvas.polygon([(-1.9, 2.2), (-1.5, 1.5), (-0.5, 1.28), (0.5, 1.28), (1.5, 1.5), (1.9, 2.2)], _JACKET)
    canvas.polygon([(-0.42, 1.26), (0, 1.55), (0.42, 1.26), (0.5, 1.5), (0, 1.9), (-0.5, 1.5)], _COLLAR)
    for side in _SIDES:
        canvas.ellipse((side * 1.0, 0.02), (0.13, 0.22), subject.skin * 0.85)


def _outline(subject: Person) -> list[Point]:
    points = []
    for angle in np.linspace(0, 2 * np.pi, 120):
        x, y = float(np.cos(angle)), float(np.sin(angle))
        if y > 0:
            x *= 1 - (1 - subject.shape.jaw) * y**1.5
        points.append((x, y))
    return points


def _shade_face(canvas: _Canvas, subject: Person, light: float) -> None:
    """Skin on a lit ellipsoid, with soft shadows and ridges where features are."""
    rows, columns = np.mgrid[0 : canvas.side, 0 : canvas.side].astype(np.float32)
    u = (columns - canvas.centre) / canvas.radius_x
    v = (rows - canvas.centre) / canvas.radius_y
    shade = _ellipsoid_light(u, v, light) + _relief(u, v, subject, light)
    face = subject.skin[None, None] * shade[:, :, None]
    cheeks = np.exp(-((((np.abs(u) - 0.5) / 0.2) ** 2) + ((v - 0.3) / 0.16) ** 2))
    face[:, :, 2] += 14 * cheeks
    mask = canvas.mask(_outline(subject))[:, :, None]
    canvas.image = np.ascontiguousarray(canvas.image * (1 - mask) + face * mask, np.float32)


def _ellipsoid_light(u: Floats, v: Floats, light: float) -> Floats:
    depth = np.sqrt(np.clip(1.15 - u * u - 0.8 * v * v, 0.02, None))
    normal = u, 0.8 * v, depth
    towards = np.array([light, -0.35, 1.0])
    towards /= np.linalg.norm(towards)
    facing = normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2]
    length = np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
    return np.asarray(0.45 + 0.62 * np.clip(facing / length, 0, 1), np.float32)


def _relief(u: Floats, v: Floats, subject: Person, light: float) -> Floats:
    eye_line, length = subject.shape.eye_line, subject.shape.nose_length
    tip = eye_line + length
    # Each spot has its place, its width and height, and how much brighter it is.
    spots = [
        (0.0, eye_line + length * 0.55, 0.055, length * 0.5, 0.13),
        (0.0, tip - 0.02, 0.10, 0.07, 0.14),
        (-0.12, eye_line + length * 0.55, 0.06, length * 0.45, -0.07 * (1 + light)),
        (0.12, eye_line + length * 0.55, 0.06, length * 0.45, -0.07 * (1 - light)),
        (0.0, tip + 0.075, subject.shape.nose_width, 0.04, -0.20),
        (0.0, subject.shape.mouth_line + 0.17, 0.2, 0.05, -0.10),
        (0.0, 0.92, 0.35, 0.1, 0.05),
        (0.0, -0.62, 0.5, 0.2, 0.04),
    ]
    for side in _SIDES:
        spots.append((side * subject.shape.eye_distance, eye_line - 0.03, 0.22, 0.12, -0.16))
        spots.append((side * 0.5, 0.28, 0.22, 0.18, 0.06))
        spots.append((side * 0.42, 0.55, 0.2, 0.25, -0.04))
    shade = np.zeros_like(u)
    for x, y, width, height, brightness in spots:
        shade += brightness * np.exp(-(((u - x) / width) ** 2 + ((v - y) / height) ** 2))
    return shade


def _draw_nostrils(canvas: _Canvas, subject: Person) -> None:
    dark = subject.skin * 0.62
    tip, width = subject.shape.eye_line + subject.shape.nose_length, subject.shape.nose_width
    for side in _SIDES:
        canvas.ellipse(
            (side * width * 0.48, tip + 0.035), (width * 0.22, 0.020), dark * 0.55, angle=side * 12
        )
    for side, arc in ((-1, (110, 250)), (1, (-70, 70))):
        canvas.ellipse((side * width * 0.95, tip), (0.035, 0.055), dark * 0.95, arc=arc, width=2)


def _draw_eye(canvas: _Canvas, subject: Person, side: int, smile: float) -> None:
    x, y = side * subject.shape.eye_distance, subject.shape.eye_line
    width, height = subject.shape.eye_width, subject.shape.eye_height * (1 - 0.25 * smile)
    opening = [
        (x + width * np.cos(a), y - (height * 1.15 if np.sin(a) > 0 else height * 0.75) * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 40)
    ]
    mask = canvas.mask(opening)[:, :, None]
    ball = _Canvas(canvas.side, subject)
    ball.image = canvas.image.copy()
    ball.polygon(opening, np.array([225.0, 228.0, 232.0]))
    _draw_iris(ball, subject, ball.at(x, y - 0.01), int(height * 1.02 * canvas.radius_y))
    canvas.image = np.ascontiguousarray(canvas.image * (1 - mask) + ball.image * mask)
    dark = subject.skin * 0.62
    upper, lower = np.linspace(0, np.pi, 24), np.linspace(0, np.pi, 24)
    canvas.line(
        [(x + width * np.cos(a), y - height * 1.15 * np.sin(a)) for a in upper], np.array([18.0, 20, 28]), 2.2
    )
    canvas.line([(x + width * np.cos(a), y + height * 0.75 * np.sin(a)) for a in lower], dark, 1)
    crease = np.linspace(0.3, np.pi - 0.3, 20)
    canvas.line(
        [(x + width * 1.02 * np.cos(a), y - 0.035 - height * 1.25 * np.sin(a)) for a in crease],
        dark * 1.05,
        1,
    )


def _draw_iris(canvas: _Canvas, subject: Person, centre: tuple[int, int], radius: int) -> None:
    glint = centre[0] - radius // 3, centre[1] - radius // 3
    for at, size, colour in (
        (centre, radius, subject.iris),
        (centre, int(radius * 0.5), np.array([8.0, 8, 8])),
        (glint, max(1, radius // 5), np.array([250.0, 250, 250])),
    ):
        cv2.circle(canvas.image, at, size, _scalar(colour), -1, cv2.LINE_AA)


def _draw_brow(canvas: _Canvas, subject: Person, side: int) -> None:
    x, y = side * subject.shape.eye_distance, subject.shape.eye_line - subject.shape.brow_height
    inner, outer = x - side * subject.shape.eye_width * 1.25, x + side * subject.shape.eye_width * 1.3
    thickness = subject.shape.brow_thickness
    points = [
        (inner, y + subject.shape.brow_tilt + 0.02),
        (x, y - 0.045),
        (outer, y + 0.03),
        (x, y - 0.045 + thickness),
        (inner, y + subject.shape.brow_tilt + 0.02 + thickness * 0.8),
    ]
    canvas.polygon(points, subject.hair * 0.9 + 10)


def _draw_mouth(canvas: _Canvas, subject: Person, smile: float) -> None:
    width, line, lip = (
        subject.shape.mouth_width * (1 + 0.18 * smile),
        subject.shape.mouth_line,
        subject.shape.lip,
    )
    colour = subject.skin * np.array([0.62, 0.58, 0.80])
    across = np.linspace(-1, 1, 25)
    middle = [(width * x, line - smile * 0.05 * x * x) for x in across]
    upper = [
        (px, py - lip * (1 - x * x) * (1 - 0.25 * np.exp(-((x / 0.15) ** 2))))
        for x, (px, py) in zip(across, middle, strict=True)
    ]
    lower = [(px, py + lip * 1.35 * (1 - x * x)) for x, (px, py) in zip(across, middle, strict=True)]
    canvas.polygon(middle + upper[::-1], colour * 0.9)
    canvas.polygon(middle + lower[::-1], colour * 1.08)
    canvas.line(middle, colour * 0.45, 1.6)


def _draw_marks(canvas: _Canvas, subject: Person) -> None:
    """What lies over the face: beard, mole, hair in front, glasses."""
    if subject.beard:
        canvas.ellipse((0, 0.80), (0.42, 0.14), subject.hair * 0.8 + 20)
    if subject.mole is not None:
        canvas.ellipse(subject.mole, (0.022, 0.018), subject.skin * 0.62 * 0.5)
    width, line = 1.12 + subject.shape.hair_side, -subject.shape.hairline
    left = [(-1.06, -0.05), (-0.98, -0.45), (-0.62, line - 0.02)]
    right = [(0.62, line - 0.02), (0.98, -0.45), (1.06, -0.05)]
    crown = [(width, -0.5), (0.75, -1.12), (0, -1.32), (-0.75, -1.12), (-width, -0.5)]
    canvas.polygon([*left, (0, line + (0.12 if subject.fringe else -0.1)), *right, *crown], subject.hair)
    if subject.glasses:
        _draw_glasses(canvas, subject)


def _draw_glasses(canvas: _Canvas, subject: Person) -> None:
    frame, y = np.array([30.0, 30.0, 30.0]), subject.shape.eye_line
    for side in _SIDES:
        canvas.ellipse(
            (side * subject.shape.eye_distance, y), (subject.shape.eye_width * 1.5, 0.15), frame, width=2.2
        )
    bridge = subject.shape.eye_distance - subject.shape.eye_width * 1.5
    canvas.line([(-bridge, y), (bridge, y)], frame, 2.2)


def _develop(image: Floats, size: int, capture: Capture) -> Picture:
    """Lens blur, the final size, sensor noise and a little skin texture."""
    generator = np.random.default_rng(capture.seed)
    blurred = cv2.GaussianBlur(image, (0, 0), OVERSAMPLING * 0.8)
    small = cv2.resize(blurred, (size, size), interpolation=cv2.INTER_AREA).astype(np.float64)
    small += generator.normal(0, 2 + capture.noise, small.shape)
    grain = generator.normal(0, 1, small.shape[:2]).astype(np.float32)
    texture = cv2.GaussianBlur(grain, (0, 0), 2)[:, :, None] * 6
    return np.asarray(np.clip(small + texture, 0, 255), np.uint8)
