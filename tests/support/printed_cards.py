"""Generated cards, what printing and scanning does to good ones, and defects of the print."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageChops

from issuance_backend.personalization.card_faces.composition import (
    ComposedCard,
    PictureMark,
    TextMark,
    compose,
)
from issuance_backend.personalization.card_faces.contents import FaceContents
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.png_file import as_png
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces
from issuance_backend.personalization.card_faces.raster import DPI, dots, draw_face
from issuance_backend.personalization.data_preparation import CardOrder, ordered_faces, person_record
from issuance_backend.personalization.portrait_pictures import chip_portrait
from issuance_backend.population_registry.domain import extract
from tests.support.card_fingers import card_dg3
from tests.support.issuance_office import citizens, picture

_MIDDLE = 128
LAYOUT_DAYS = (date(2022, 5, 6), date(2026, 11, 21))
FONTS = CardFonts()


@cache
def card_order(number: int) -> CardOrder:
    """Cards of different people; the layouts take turns."""
    person = citizens(40)[number]
    return CardOrder(
        person=person_record(person.citizen_number, extract(person).person),
        portrait=chip_portrait(picture(number)),
        dg3=card_dg3(),
        chip_id="0123456789ABCDEF",
        issued_on=LAYOUT_DAYS[number % 2],
        expires_on=date(2039, 10, 20) if number % 5 else None,
    )


@cache
def contents(number: int) -> FaceContents:
    return ordered_faces(card_order(number))


def drawn(what: FaceContents) -> list[Image.Image]:
    return drawn_card(compose(what, FONTS))


def drawn_card(card: ComposedCard) -> list[Image.Image]:
    return [draw_face(face, FONTS) for face in (card.front, card.back)]


def scanned(faces: Sequence[Image.Image], seed: int | None) -> PrintedFaces:
    """What the scanner hands back: PNG, after the noise of printing and scanning unless there is no seed."""
    if seed is not None:
        draw = random.Random(seed)  # noqa: S311 - noise to repeat, no secret
        faces = [print_noise(face, draw) for face in faces]
    return PrintedFaces(*(as_png(face, DPI, level=0) for face in faces))


def print_noise(face: Image.Image, draw: random.Random) -> Image.Image:
    """Up to 1 % of scale, 0.4 degrees, 0.6 mm, a blur of a dot and more by resampling, gamma, and grain."""
    scale, turn = draw.uniform(0.99, 1.01), np.radians(draw.uniform(-0.4, 0.4))
    right, down = draw.uniform(-15, 15), draw.uniform(-15, 15)
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    x, y = face.width / 2, face.height / 2
    columns = (cosine, -sine, x - cosine * x + sine * y + right)
    rows = (sine, cosine, y - sine * x - cosine * y + down)
    blurred = cv2.GaussianBlur(np.asarray(face), (0, 0), draw.uniform(0.3, 1.0))
    # Rows and columns say where in the face each dot of the scan was.
    how = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, "borderValue": (255, 255, 255)}
    moved = cv2.warpAffine(blurred, np.array([columns, rows]), face.size, **how)
    gamma, brightness = draw.uniform(0.87, 1.15), draw.uniform(0.92, 1)
    tones = np.array([round(255 * (tone / 255) ** gamma * brightness) for tone in range(256)], np.uint8)
    toned = Image.fromarray(cv2.LUT(moved, tones))
    grain = ImageChops.offset(_grain(face.size), draw.randrange(face.width), draw.randrange(face.height))
    same = Image.merge(toned.mode, [grain] * len(toned.getbands())) if toned.mode == "RGB" else grain
    return ImageChops.add(toned, same, 1, -_MIDDLE)


@cache
def _grain(size: tuple[int, int]) -> Image.Image:
    """Three grey levels of it; each scan has another part."""
    values = np.random.default_rng(1).standard_normal((size[1], size[0]), np.float32) * 3 + _MIDDLE
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def portrait_box(what: FaceContents) -> tuple[int, int, int, int]:
    box = next(mark.box for mark in compose(what, FONTS).front.own if isinstance(mark, PictureMark))
    left, top, right, bottom = dots(box.x, box.y, box.x + box.width, box.y + box.height)
    return left, top, right, bottom


def text_mark(what: FaceContents, text: str) -> TextMark:
    return next(
        mark for mark in compose(what, FONTS).front.own if isinstance(mark, TextMark) and text in mark.text
    )


def other(what: FaceContents, **fields: str) -> FaceContents:
    """The same card with other texts in print."""
    return replace(what, fields={**what.fields, **fields})
