"""What a counter's camera would see of a synthetic person, and of someone who holds up a photo.

Angles are degrees; positive is a turn to the person's own left, which is the picture's right.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from verification.face.picture import Picture
from verification.face.procedural_portrait import Capture, Person, render

Floats = npt.NDArray[np.float64]

FRAME_WIDTH, FRAME_HEIGHT = 640, 480
_PORTRAIT = 480
_ROOM = (150, 158, 165)
_WALL = (205, 200, 195)  # what a rendered portrait has behind the person

# Depth of the head in half face widths: a skull as deep as it is wide, and a nose before it.
_SKULL_DEPTH = 0.95
_NOSE_DEPTH = 0.34
_VIEWING_DISTANCE = 3.0  # of a photo held up, in its own widths


def turned(portrait: Picture, subject: Person, degrees: float) -> Picture:
    """A rendered portrait with the head turned: near parts move further than far ones."""
    if not degrees:
        return portrait
    size = portrait.shape[0]
    half_width, half_height = size * 0.27 * subject.shape.face_width, size * 0.27 * subject.shape.face_height
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float64)
    x, y = (columns - size / 2) / half_width, (rows - size / 2) / half_height
    angle = np.radians(degrees)
    within = 1 / (1 + np.exp((np.hypot(x / 1.25, y / 1.35) - 1) / 0.06))  # 1 in the head, 0 in the room
    moved = x + within * (_depth(subject, x, y) * np.sin(angle) - x * (1 - np.cos(angle)))
    return _pull_rows(portrait, moved * half_width + size / 2)


def _depth(subject: Person, x: Floats, y: Floats) -> Floats:
    skull = _SKULL_DEPTH * np.sqrt(np.clip(1 - 0.8 * x * x - 0.5 * y * y, 0.05, None))
    tip = subject.shape.eye_line + subject.shape.nose_length
    along = np.clip((y - subject.shape.eye_line) / (tip - subject.shape.eye_line), 0, None)
    ridge = np.where(along <= 1, along, np.exp(-(((y - tip) / 0.10) ** 2)))
    nose = _NOSE_DEPTH * ridge * np.exp(-((x / 0.22) ** 2))
    return np.asarray(skull + nose)


def _pull_rows(picture: Picture, moved: Floats) -> Picture:
    """The picture after each pixel went to the column ``moved`` says; nearer parts cover farther ones."""
    size = picture.shape[1]
    order = np.arange(size, dtype=np.float64)
    source = np.empty_like(moved, np.float32)
    for row, columns in enumerate(moved):
        source[row] = np.interp(order, np.maximum.accumulate(columns), order)
    rows = np.repeat(order[:, None], size, axis=1).astype(np.float32)
    return np.asarray(cv2.remap(picture, source, rows, cv2.INTER_LINEAR), np.uint8)


def flat_photo(portrait: Picture, degrees: float) -> Picture:
    """A printed portrait turned about its vertical middle before the camera: the attack."""
    height, width = portrait.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    angle = np.radians(degrees)
    across, down = (corners - (width / 2, height / 2)).T
    # The edge on the side that the photo turns to goes away from the camera.
    depth = 1 + np.sin(angle) * across / width / _VIEWING_DISTANCE
    middle = np.array([width / 2, height / 2])
    seen = np.stack([across * np.cos(angle) / depth, down / depth], 1) + middle
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    return np.asarray(cv2.warpPerspective(portrait, matrix, (width, height), borderValue=_ROOM), np.uint8)


def webcam_frame(
    portrait: Picture, seed: int, *, height: int = 420, room: tuple[int, int, int] = _ROOM
) -> Picture:
    """A 640x480 camera frame with a portrait in it: sway, exposure, soft focus, noise, JPEG.

    ``height`` is that of the portrait in the frame; a person's face is about 0.4 of it wide. ``room``
    is the colour around it.
    """
    generator = np.random.default_rng(seed)
    frame = np.full((FRAME_HEIGHT, FRAME_WIDTH, 3), room, np.uint8)
    scaled = np.asarray(cv2.resize(portrait, (height, height), interpolation=cv2.INTER_AREA), np.uint8)
    left = (FRAME_WIDTH - height) // 2 + int(generator.integers(-20, 21))
    top = FRAME_HEIGHT - height - int(generator.integers(0, 12))
    frame[max(top, 0) : max(top, 0) + height, left : left + height] = scaled
    frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), float(generator.uniform(0.5, 0.9))), np.uint8)
    exposed = frame * generator.uniform(0.88, 1.1) + generator.uniform(-6, 6)
    noisy = exposed + generator.normal(0, 4, frame.shape)
    written, jpeg = cv2.imencode(
        ".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    if not written:
        raise ValueError("frame cannot be encoded")
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


class Sitter:
    """A living person before the camera, drawn once and seen in many frames."""

    def __init__(self, subject: Person, seed: int) -> None:
        generator = np.random.default_rng(seed)
        light, smile = float(generator.uniform(-0.3, 0.3)), float(generator.uniform(0, 0.3))
        noise = float(generator.uniform(0, 3))
        self._subject, self._seed = subject, seed
        self._portrait = render(subject, _PORTRAIT, Capture(light=light, smile=smile, noise=noise, seed=seed))

    def frame(self, number: int, degrees: float = 0.0) -> Picture:
        """Camera frame ``number`` with the head turned so far."""
        return webcam_frame(
            turned(self._portrait, self._subject, degrees), self._seed * 1000 + number, room=_WALL
        )


class HeldPhoto:
    """A printed portrait that somebody holds up and turns: the attack."""

    def __init__(self, portrait: Picture, seed: int) -> None:
        self._portrait, self._seed = portrait, seed

    def frame(self, number: int, degrees: float = 0.0) -> Picture:
        """Camera frame ``number`` with the print turned so far."""
        return webcam_frame(flat_photo(self._portrait, degrees), self._seed * 1000 + number)
