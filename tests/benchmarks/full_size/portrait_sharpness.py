"""Good portraits and blurred ones before quality control: real faces, and what a scanner does to a print.

A share of good ones is told by the upper end of its 95 % interval (Wilson). Every good one is beside two that
are blurred: by one dot, and by the others in turn.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from issuance_backend.biometric_search.adjudication import wilson
from issuance_backend.personalization.card_faces.captured_picture import captured_picture
from issuance_backend.personalization.card_faces.chip_picture import chip_picture
from issuance_backend.personalization.card_faces.face_inspection import FaceControl
from issuance_backend.personalization.portrait_pictures import CHIP_PORTRAIT, bgr, chip_portrait
from tests.benchmarks.figure import Figure, at_most
from tests.conftest import SHARED
from tests.support.blurs import Blur, moved, out_of_focus
from tests.support.printed_cards import FONTS, contents, drawn, portrait_box, scanned
from verification.face.image import encode_jp2

BLURS: tuple[Blur, ...] = (
    *(out_of_focus(sigma) for sigma in (1.5, 2.0, 2.5)),
    *(moved(angle) for angle in (0, 22.5, 45, 90)),
)
FACES = 76
MOST_REFUSED = 0.02
_CARDS = 40


def run(faces: int = FACES) -> list[Figure]:
    """Good ones refused, with the bound of their share, and blurred ones that passed."""
    return [*_figures("print", _print_is_sharp, faces), *_figures("chip", _chip_is_sharp, faces)]


def _figures(name: str, is_sharp: Callable[[int, bytes, Blur | None], bool], faces: int) -> list[Figure]:
    good, bad = [], []
    for number, captured in enumerate(captures(faces)):
        good.append(is_sharp(number, captured, None))
        bad.extend(is_sharp(number, captured, blur) for blur in (out_of_focus(1), BLURS[number % len(BLURS)]))
    refused = good.count(False)
    return [
        at_most(f"{name}_good_refused", refused, f"of {len(good)}", goal=0),
        at_most(f"{name}_good_refused_bound", wilson(refused, len(good))[2], "share", goal=MOST_REFUSED),
        at_most(f"{name}_blurred_passed", bad.count(True), f"of {len(bad)}", goal=0),
    ]


def _print_is_sharp(number: int, captured: bytes, blur: Blur | None) -> bool:
    what = replace(contents(number % _CARDS), portrait=chip_portrait(captured))
    faces, box = drawn(what), portrait_box(what)
    if blur is not None:
        faces[0].paste(blur(faces[0].crop(box)), box[:2])
    cut = captured_picture(captured, chip_picture(what.portrait).size)
    return FaceControl(FONTS).faults(scanned(faces, number), what, cut)["printed_portrait"] is None


def _chip_is_sharp(_: int, captured: bytes, blur: Blur | None) -> bool:
    shown = chip_picture(chip_portrait(captured))
    if blur is not None:
        shown = chip_picture(encode_jp2(bgr(blur(shown)), CHIP_PORTRAIT.max_bytes))
    return captured_picture(captured, shown.size).is_as_sharp_in(shown)


def captures(faces: int) -> Iterator[bytes]:
    """JPEG files: each face three times: as it is, nearer and noisy and darker, and from a smaller camera."""
    for number, path in enumerate(sorted((SHARED / "data/faces").glob("*/*.jpg"))[:faces]):
        draw = np.random.default_rng(number)
        with Image.open(path) as opened:
            whole = opened.convert("RGB")
        width, height = whole.size
        nearer = whole.crop((width // 10, height // 15, width * 9 // 10, height * 13 // 15))
        smaller = whole.resize((width * 3 // 4, height * 3 // 4), Image.Resampling.LANCZOS)
        yield _taken(whole, 1.0, 0.0, 95, draw)
        yield _taken(nearer, 0.85, 3.0, 90, draw)
        yield _taken(smaller, 1.1, 1.5, 85, draw)


def _taken(
    picture: Image.Image, light: float, noise: float, quality: int, draw: np.random.Generator
) -> bytes:
    values = np.asarray(picture, np.float32) * light
    values += draw.normal(0, noise, values.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return out.getvalue()
