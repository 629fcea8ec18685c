"""The known answers that the product is held to are really asked for by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.vectors import VECTORS

TESTS = Path(__file__).resolve().parents[1]
NEEDED = (
    "active_auth_rsa",
    "active_auth_synthetic",
    "bac",
    "cccd_mrz_synthetic",
    "dg13_synthetic",
    "eacv1_ca_ta_synthetic",
    "mrz_check_digits",
    "pace_ecdh_gm",
    "passive_auth_bsi",
    "qr_synthetic",
    "secure_messaging_3des",
    "secure_messaging_aes",
)
"""Machine readable zone, BAC, secure messaging, PACE with generic mapping, CA, AA, PA, DG13 and QR."""


@pytest.mark.parametrize("name", NEEDED)
def test_a_vector_is_used(name: str) -> None:
    assert (VECTORS / f"{name}.json").is_file()
    asked = re.compile(rf'\bload\("{name}"\)')
    users = [path.name for path in TESTS.rglob("test_*.py") if asked.search(path.read_text(encoding="utf-8"))]
    assert users
