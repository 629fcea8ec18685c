"""What is measured of a blur: its variance, in each direction, whatever else printing and scanning did."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from PIL import Image

from issuance_backend.personalization.card_faces.edge_spread import edge_spread
from issuance_backend.personalization.portrait_pictures import card_picture
from tests.support.blurs import moved, out_of_focus
from tests.support.issuance_office import picture

PICTURES = (3, 7, 11)


@cache
def wanted(seed: int) -> Image.Image:
    return card_picture(picture(seed))


@pytest.mark.parametrize("sigma", [0.5, 0.7, 1.0, 1.3])
@pytest.mark.parametrize("seed", PICTURES)
def test_a_blur_is_measured_in_dots_squared(seed: int, sigma: float) -> None:
    assert edge_spread(out_of_focus(sigma)(wanted(seed)), wanted(seed)) == pytest.approx(sigma**2, rel=0.15)


@pytest.mark.parametrize("seed", PICTURES)
def test_tone_noise_and_a_shift_are_no_blur(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 3, np.asarray(wanted(seed)).shape)
    grainy = Image.fromarray(np.clip(np.asarray(wanted(seed)) + noise, 0, 255).astype(np.uint8))
    shown = [
        wanted(seed),
        wanted(seed).point([round(255 * (tone / 255) ** 1.15 * 0.92) for tone in range(256)] * 3),
        grainy,
        wanted(seed).transform(
            wanted(seed).size, Image.Transform.AFFINE, (1, 0, 0.5, 0, 1, 0), Image.Resampling.BICUBIC
        ),
    ]
    assert [bool((abs(edge_spread(each, wanted(seed))) < 0.2).all()) for each in shown] == [True] * 4


@pytest.mark.parametrize(
    ("angle", "direction"), [(0, 0), (90, 1), (-45, 2), (45, 3)], ids=["across", "down", "falling", "rising"]
)
def test_a_motion_shows_in_its_direction(angle: float, direction: int) -> None:
    spread = edge_spread(moved(angle)(wanted(3)), wanted(3))
    assert spread.argmax() == direction
    assert spread[direction] > 1


def test_what_is_sharper_than_wanted_is_below_zero() -> None:
    soft = out_of_focus(0.7)(wanted(3))
    assert (edge_spread(wanted(3), soft) < -0.2).all()


@pytest.mark.parametrize("size", [(10, 12), (11, 11), (20, 20), (21, 40), (200, 60)])
def test_where_nothing_is_to_be_seen_the_answer_is_a_spread_and_no_error(size: tuple[int, int]) -> None:
    blank = Image.new("L", size, 255)
    assert edge_spread(blank, blank).tolist() == [1.0] * 4


def test_what_is_not_shown_at_all_is_spread_far() -> None:
    assert (edge_spread(Image.new("L", wanted(3).size, 255), wanted(3)) > 5).all()
