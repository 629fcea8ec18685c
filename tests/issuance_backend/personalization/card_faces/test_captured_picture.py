"""The captured picture is known again on a chip of any profile, and no other passes for it."""

from __future__ import annotations

from functools import cache

import pytest
from PIL import Image, ImageFilter

from issuance_backend.personalization.card_faces.captured_picture import CapturedPicture, captured_picture
from issuance_backend.personalization.card_faces.chip_picture import chip_picture
from issuance_backend.personalization.portrait_pictures import (
    CHIP_PORTRAIT,
    PortraitProfile,
    chip_portrait,
)
from tests.support.issuance_office import picture
from verification.errors import ImageUndecodable

PORTRAIT_OF_17_KB = PortraitProfile(622, 800, 17_318)
"""DG2 of 17 kB, its container included, whoever is shown (BSI TR-03121-3-2)."""


@cache
def on_chip(seed: int, profile: PortraitProfile = CHIP_PORTRAIT) -> Image.Image:
    return chip_picture(chip_portrait(picture(seed), profile))


def beside(captured: bytes, shown: Image.Image) -> CapturedPicture:
    return captured_picture(captured, shown.size)


@pytest.mark.parametrize("profile", [CHIP_PORTRAIT, PORTRAIT_OF_17_KB], ids=["480x640", "622x800"])
@pytest.mark.parametrize("seed", range(3, 8))
def test_it_is_known_again_and_no_other_picture_is_taken_for_it(seed: int, profile: PortraitProfile) -> None:
    shown = on_chip(seed, profile)
    assert beside(picture(seed), shown).is_shown_by(shown)
    assert beside(picture(seed), shown).is_as_sharp_in(shown)
    assert not beside(picture(seed + 1), shown).is_shown_by(shown)


def test_a_capture_in_jpeg_2000_is_told_from_another() -> None:
    shown = on_chip(3)
    assert beside(chip_portrait(picture(3)), shown).is_shown_by(shown)
    assert not beside(chip_portrait(picture(4)), shown).is_shown_by(shown)


@pytest.mark.parametrize("radius", [1.0, 1.5, 2.5, 4.0])
def test_a_blurred_picture_is_the_same_one_and_not_as_sharp(radius: float) -> None:
    blurred = on_chip(3).filter(ImageFilter.GaussianBlur(radius))
    assert beside(picture(3), blurred).is_shown_by(blurred)
    assert not beside(picture(3), blurred).is_as_sharp_in(blurred)


def test_plain_paper_is_no_picture_of_anybody() -> None:
    blank = Image.new("RGB", (480, 640), "white")
    assert not beside(picture(3), blank).is_shown_by(blank)


def test_a_capture_that_does_not_decode_is_refused() -> None:
    with pytest.raises(ImageUndecodable):
        captured_picture(b"GIF89a" + bytes(60), (480, 640))
