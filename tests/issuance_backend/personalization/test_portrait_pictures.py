"""The picture on the chip fills its budget, keeps its detail and is compressed once more than the capture."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest

from issuance_backend.personalization.portrait_pictures import (
    CHIP_PORTRAIT,
    PortraitProfile,
    bgr,
    card_picture,
    chip_portrait,
)
from verification.errors import ImageUndecodable
from verification.face.image import decode_portrait, encode_jp2, encode_jpeg
from verification.face.picture import Picture
from verification.face.procedural_portrait import Capture, person, render
from verification.lds.dg2 import Dg2, Portrait, build_dg2

PORTRAIT_OF_17_KB = PortraitProfile(622, 800, 17_318)
"""DG2 of 17 kB, its container included, whoever is shown (BSI TR-03121-3-2)."""

PROFILES = [CHIP_PORTRAIT, PORTRAIT_OF_17_KB]


@cache
def captured(seed: int, noise: float = 0.0) -> bytes:
    drawn = render(person(seed), 800, Capture(seed=seed))
    grain = np.random.default_rng(seed).normal(0, noise, drawn.shape) if noise else 0
    return encode_jpeg(np.clip(drawn + grain, 0, 255).astype(np.uint8), 95)


def error_in_decibels(one: Picture, other: Picture) -> float:
    mean_square = float(np.mean((one.astype(float) - other) ** 2))
    return float(10 * np.log10(255**2 / mean_square))


@pytest.mark.parametrize("profile", PROFILES, ids=["chip", "17 kB"])
@pytest.mark.parametrize(("seed", "noise"), [(3, 0), (4, 0), (5, 6)])
def test_a_portrait_fills_its_budget_whoever_is_shown(
    profile: PortraitProfile, seed: int, noise: float
) -> None:
    portrait = Portrait.of(chip_portrait(captured(seed, noise), profile))
    assert (portrait.width, portrait.height) == (profile.width, profile.height)
    assert 0.95 * profile.max_bytes < len(portrait.image) <= profile.max_bytes


def test_a_dg2_of_17_kb_has_17_kb() -> None:
    dg2 = build_dg2(Dg2((Portrait.of(chip_portrait(captured(3), PORTRAIT_OF_17_KB)),)))
    assert 0.95 * 17 * 1024 < len(dg2) <= 17 * 1024


def test_the_colours_are_transformed_before_they_are_compressed() -> None:
    """Without that, the same bytes show 3 to 6 dB less."""
    image = card_picture(captured(3))
    picture = bgr(image)
    good = encode_jp2(picture, 15_000)
    out = io.BytesIO()
    image.save(out, "JPEG2000", quality_layers=[picture.size / len(good)], irreversible=True, mct=0)
    plain = decode_portrait(out.getvalue())
    assert error_in_decibels(decode_portrait(good), picture) > error_in_decibels(plain, picture) + 2


def test_what_is_already_a_chip_portrait_goes_on_the_chip_byte_for_byte() -> None:
    once = chip_portrait(captured(3))
    assert chip_portrait(once) == once


@pytest.mark.parametrize("other", [PORTRAIT_OF_17_KB, PortraitProfile(480, 640, 9_000)])
def test_what_does_not_fit_the_profile_is_made_to_fit(other: PortraitProfile) -> None:
    once = chip_portrait(captured(3))
    again = Portrait.of(chip_portrait(once, other))
    assert (again.width, again.height) == (other.width, other.height)
    assert len(again.image) <= other.max_bytes


@pytest.mark.parametrize(
    "hostile", [b"", b"GIF89a" + bytes(60), b"\xff\xd8\xff" + bytes(60), b"\xff\x4f\xff\x51" + bytes(60)]
)
def test_what_is_no_picture_is_refused(hostile: bytes) -> None:
    with pytest.raises(ImageUndecodable):
        card_picture(hostile)
    with pytest.raises(ImageUndecodable):
        chip_portrait(hostile)
