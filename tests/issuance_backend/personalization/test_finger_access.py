"""Whom chips are given to trust, and the office's terminal, as the PKI's directory has them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.cv_authorities import CvPlan, hold_cv_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.moments import utc_now
from issuance_backend.personalization.data_preparation import prepare
from issuance_backend.personalization.finger_access import TERMINAL, FingerAccess, finger_access
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.printed_cards import card_order
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.lds.files import LdsFile

TODAY = utc_now().date()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fingers") / "pki"
    for command in (
        ["ceremony"],
        ["cvca"],
        ["document-verifier"],
        ["terminal", "--terminal", f"{folder / TERMINAL}"],
    ):
        assert main([*command, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def pki(founded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(founded, tmp_path / "pki"))


def test_the_offices_terminal_opens_a_card_and_nobody_else_does(pki: Path) -> None:
    access = finger_access(pki, TODAY)
    assert access.terminal is not None
    signer = PkiDirectory(pki).open_document_signers().signer_for(utc_now())
    order = card_order(1)

    def sign(hashes: Mapping[LdsFile, bytes]) -> bytes:
        return sign_security_object(hashes, signer)

    card = VirtualCard(prepare(order, sign, trust_points=access.trust_points))
    card.power_on()
    reader = DocumentReader(card, bytes)
    reader.open(Can(order.person.citizen_number.can))
    files = reader.read_files()
    assert LdsFile.DG3 not in files
    assert reader.locked == [LdsFile.DG3]
    reader.authenticate_chip(files[LdsFile.DG14])
    reader.authenticate_terminal(access.terminal)
    assert reader.read_locked()[LdsFile.DG3] == order.dg3


def test_without_an_authority_nobody_is_trusted_and_without_a_terminal_nobody_reads(pki: Path) -> None:
    shutil.rmtree(pki / TERMINAL)
    access = finger_access(pki, TODAY)
    assert access.terminal is None
    assert access.trust_points == ((pki / "cvc" / "cvca.cvcert").read_bytes(),)
    shutil.rmtree(pki / "cvc")
    assert finger_access(pki, TODAY) == FingerAccess()


def test_a_terminal_past_its_time_stops_the_line_before_a_blank_is_used(pki: Path) -> None:
    assert finger_access(pki, TODAY + timedelta(days=30)).terminal is not None
    with pytest.raises(ProductionUnavailable):
        finger_access(pki, TODAY + timedelta(days=31))


def test_a_terminal_of_another_authority_or_of_broken_files_stops_the_line(pki: Path) -> None:
    folder = pki / TERMINAL
    stranger = hold_cv_ceremony(CvPlan(), TODAY).chain[0]
    changes = {
        pki / "cvc" / "cvca.cvcert": stranger,
        folder / "is_key.pkcs8": b"no key",
        next(iter(folder.glob("*_is.cvcert"))): b"no certificate",
    }
    for path, content in changes.items():
        kept = path.read_bytes()
        path.write_bytes(content)
        with pytest.raises(ProductionUnavailable):
            finger_access(pki, TODAY)
        path.write_bytes(kept)
    for path in folder.glob("*.cvcert"):
        path.unlink()
    with pytest.raises(ProductionUnavailable):
        finger_access(pki, TODAY)
