"""The demonstration's bad print: quality control stops one card of a drawer, the next ones are good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from issuance_backend.personalization.card_faces.captured_picture import captured_picture
from issuance_backend.personalization.card_faces.face_inspection import FaceControl
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, print_job
from issuance_backend.personalization.demo_print_defect import DrawerWithBadPrints
from issuance_backend.settings import IssuanceSettings
from monitoring.environment import ConfigurationFault
from monitoring.stand.quality_eye import is_stained
from tests.support.issuance_office import picture
from tests.support.printed_cards import FONTS, contents

CARDS = ("0" * 16, "1" * 16, "2" * 16)


def printed(drawer: DrawerWithBadPrints, card: str) -> PrintedFaces:
    drawer.print_faces(card, print_job(contents(1), FONTS))
    return drawer.printed(card)


def faults(faces: PrintedFaces) -> set[str]:
    captured = captured_picture(picture(1), (480, 640))
    found = FaceControl(FONTS).faults(faces, contents(1), captured)
    return {code for code in found.values() if code}


def test_the_first_print_of_a_drawer_is_blurred_and_the_second_stained_whoever_opens_it(
    tmp_path: Path,
) -> None:
    blurred, stained, good = (printed(DrawerWithBadPrints(tmp_path), card) for card in CARDS)
    assert "QC_PRINTED_PORTRAIT_BLURRED" in faults(blurred)
    assert [faults(stained), faults(good)] == [set(), set()], "the program stops no stain"
    assert [is_stained(each.front) for each in (blurred, stained, good)] == [False, True, False]
    assert [is_stained(each.back) for each in (blurred, stained, good)] == [False, False, False]


@pytest.mark.parametrize("number", range(4))
def test_no_good_card_of_any_layout_looks_stained(number: int) -> None:
    faces = print_job(contents(number), FONTS).faces
    assert not is_stained(faces.front)
    assert not is_stained(faces.back)


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
