"""The known answers that the product is held to are really asked for: all of them, on each side they have."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.support.vectors import VECTORS

THIS = Path(__file__).resolve()
TESTS = THIS.parents[1]
READER = TESTS / "verification"
CARD = TESTS / "issuance_backend" / "virtual_card"
ALL = sorted(path.stem for path in VECTORS.glob("*.json"))

# What reader and card compute each by its own code. The worked examples of EACv2 are here for what
# EACv1 shares with it: PACE, key derivation and the chain of certificates.
TWO_SIDES = (
    "active_auth_rsa",
    "active_auth_synthetic",
    "bac",
    "eacv1_ca_ta_synthetic",
    "pace_dh_gm",
    "pace_dh_im",
    "pace_ecdh_cam",
    "pace_ecdh_gm",
    "pace_ecdh_im",
    "secure_messaging_3des",
    "secure_messaging_aes",
)


def users(name: str, folder: Path) -> list[str]:
    """The tests that load vectors and name this one."""
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py") if path != THIS}
    return [path.name for path, text in texts.items() if f'"{name}"' in text and "load(" in text]


@pytest.mark.parametrize("name", ALL)
def test_a_vector_is_used(name: str) -> None:
    assert users(name, READER)


@pytest.mark.parametrize("name", TWO_SIDES)
def test_the_card_is_held_to_it_as_well(name: str) -> None:
    assert users(name, CARD)


def test_every_vector_is_what_its_list_says() -> None:
    listed = dict(
        re.findall(
            r"^\| `(\w+)` \|.*\| `([0-9a-f]{16})` \|$",
            (VECTORS / "README.md").read_text("utf-8"),
            re.MULTILINE,
        )
    )
    found = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in VECTORS.glob("*.json")}
    assert listed == found


@pytest.mark.shared_data
def test_no_vector_was_left_behind(shared: Path) -> None:
    """All that were handed over are here, byte for byte."""
    given = {path.name: path.read_bytes() for path in (shared / "data" / "vectors").glob("*.json")}
    here = {path.name: path.read_bytes() for path in VECTORS.glob("*.json")}
    assert here == given
