"""From the prints of a dossier to the chip in the drawer, and what stops a chip with others."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_backend import recorded_events
from issuance_backend.csca.cv_authorities import CvPlan
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.terminal_admission import write_terminal_folder
from issuance_backend.dossiers import repository
from issuance_backend.moments import rfc3339
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.finger_access import TERMINAL
from issuance_backend.personalization.finger_pictures import encode_wsq, read_finger
from issuance_backend.steps import Step
from issuance_backend.virtual_card.card_image import CardImage
from tests.support.card_fingers import card_dg3
from tests.support.cheap_prints import cheap_print
from tests.support.issuance_office import NOW, Office, citizens
from verification.lds.dg3 import parse_dg3
from verification.lds.files import LdsFile

WSQ_OF_THUMB = encode_wsq(read_finger(cheap_print(1)))
CAPTURED = {1: WSQ_OF_THUMB, 2: cheap_print(2), 7: cheap_print(7), 13: cheap_print(2)}


@pytest.fixture
def office_with_terminal(office: Office, tmp_path: Path) -> Office:
    """An office whose PKI has a CVCA, and a terminal of quality control."""
    pki_dir = Path(shutil.copytree(office.pki_dir, tmp_path / "pki_with_terminals"))
    pki, plan = PkiDirectory(pki_dir), CvPlan()
    with pki.under_dual_control(pki.kept_custodians(), NOW) as session:
        session.make_cvca(plan)
        session.admit_document_verifier(plan)
    key = PrivateKey.of_profile(plan.key)
    chain = pki.admit_terminal(plan, (key.public_key, key.algorithm), NOW)
    write_terminal_folder(pki_dir / TERMINAL, chain, key)
    return replace(office, pki_dir=pki_dir, settings=replace(office.settings, pki_dir=pki_dir))


def ordered(office: Office, prints: dict[int, bytes], quality: str | None = None) -> str:
    """A dossier with these prints whose card is in a batch."""
    lan = office.sign_in("lan.capture")
    dossier = str(lan.capture(citizens()[4]).get_json()["id"])
    names = {position: hashlib.sha256(content).hexdigest() for position, content in prints.items()}
    with office.database.writing() as connection:
        repository.add_portraits(connection, {names[each]: prints[each] for each in prints})
        repository.set_prints(connection, dossier, names)
        if quality is not None:
            step = Step(
                subject=f"dossier/{dossier}",
                event="search",
                state="searching",
                actor="system",
                at=rfc3339(NOW),
                detail={"finger_quality": quality},
            )
            recorded_events.append(connection, step)
    office.approve_all(dossier)
    office.receive_blanks()
    office.sign_in("hoa.production").post("/v1/production-batches", {"limit": 10})
    return dossier


def card_of(office: Office, dossier: str) -> Any:
    return office.sign_in("hoa.production").get(f"/v1/dossiers/{dossier}").get_json()["card"]


def image_of(office: Office, dossier: str) -> CardImage:
    return CardDrawer(office.card_dir).written(card_of(office, dossier)["id"])


def test_the_two_best_prints_of_a_dossier_are_on_its_card(office: Office) -> None:
    dossier = ordered(office, CAPTURED, "01:80 02:unreadable 07:60")
    office.card_line().run_once()
    assert card_of(office, dossier)["state"] == "qa_passed"
    image = image_of(office, dossier)
    thumb, index = parse_dg3(image.files[LdsFile.DG3]).fingers
    assert (thumb.position, index.position) == (1, 7)
    assert thumb.image == WSQ_OF_THUMB
    assert image.locked == {LdsFile.DG3}
    assert image.trust_points == (), "this office has no CVCA"


def test_somebody_without_prints_gets_a_card_all_the_same(office_with_terminal: Office) -> None:
    dossier = ordered(office_with_terminal, {})
    office_with_terminal.card_line().run_once()
    assert card_of(office_with_terminal, dossier)["state"] == "qa_passed"
    assert parse_dg3(image_of(office_with_terminal, dossier).files[LdsFile.DG3]).fingers == ()


def test_the_wrong_prints_on_a_chip_spoil_it(
    office_with_terminal: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, line = ordered(office_with_terminal, CAPTURED), office_with_terminal.card_line()
    write = CardDrawer.write

    def write_theirs(self: CardDrawer, card: str, image: CardImage) -> None:
        write(self, card, msgspec.structs.replace(image, files={**image.files, LdsFile.DG3: card_dg3(3)}))

    monkeypatch.setattr(CardDrawer, "write", write_theirs)
    line.run_once()
    spoiled = card_of(office_with_terminal, dossier)
    failed = {each["name"]: each["code"] for each in spoiled["findings"] if not each["passed"]}
    assert failed == {
        "data_group_hashes": "CHIP_DATA_ALTERED",
        "fingerprints_as_captured": "QC_FINGERPRINTS_DIFFER",
    }
    assert spoiled["state"] == "spoiled"
    monkeypatch.undo()
    line.run_once()
    good = card_of(office_with_terminal, dossier)
    assert (good["state"], good["attempt"]) == ("qa_passed", 2)
    assert "fingerprints_opened" in {each["name"] for each in good["findings"]}
    assert len(image_of(office_with_terminal, dossier).trust_points) == 1


def test_a_print_that_cannot_be_read_from_the_store_lets_the_order_wait(office: Office) -> None:
    dossier = ordered(office, CAPTURED)
    with office.database.writing() as connection:
        lost = {2: "0" * 64}
        repository.add_portraits(connection, {lost[2]: b""})
        repository.set_prints(connection, dossier, lost)
    office.card_line().run_once()
    assert card_of(office, dossier)["state"] == "ordered"
