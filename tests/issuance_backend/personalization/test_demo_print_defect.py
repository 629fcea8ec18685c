"""The demonstration's bad print: quality control stops one card of a drawer, the next ones are good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from issuance_backend.personalization.card_faces.captured_picture import captured_picture
from issuance_backend.personalization.card_faces.face_inspection import FaceControl
from issuance_backend.personalization.card_faces.printed_faces import print_job
from issuance_backend.personalization.demo_print_defect import DrawerWithABadPrint
from issuance_backend.settings import IssuanceSettings
from monitoring.environment import ConfigurationFault
from tests.support.issuance_office import picture
from tests.support.printed_cards import FONTS, contents

CARDS = ("0" * 16, "1" * 16, "2" * 16)


def faults(drawer: DrawerWithABadPrint, card: str) -> set[str]:
    drawer.print_faces(card, print_job(contents(1), FONTS))
    captured = captured_picture(picture(1), (480, 640))
    found = FaceControl(FONTS).faults(drawer.printed(card), contents(1), captured)
    return {code for code in found.values() if code}


def test_only_the_first_print_of_a_drawer_is_blurred_whoever_opens_it(tmp_path: Path) -> None:
    assert "QC_PRINTED_PORTRAIT_BLURRED" in faults(DrawerWithABadPrint(tmp_path), CARDS[0])
    assert faults(DrawerWithABadPrint(tmp_path), CARDS[1]) == set()
    assert faults(DrawerWithABadPrint(tmp_path), CARDS[2]) == set()


def test_production_refuses_it(tmp_path: Path) -> None:
    known: dict[str, Any] = {
        "service_tokens": tmp_path,
        "registry_url": "http://127.0.0.1:9",
        "registry_token_file": tmp_path,
        "pki_dir": tmp_path,
        "card_dir": tmp_path,
        "demo_bad_print": True,
    }
    assert IssuanceSettings(**known).demo_bad_print
    with pytest.raises(ConfigurationFault, match="ISSUANCE_DEMO_BAD_PRINT"):
        IssuanceSettings(**known, profile="production")
