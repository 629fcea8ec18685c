"""``python -m issuance_backend.virtual_card``: the contract that outside readers rely on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.__main__ import main
from reader_agent.terminal_keys import load_terminal
from reader_agent.transports.vpcd_socket import VpcdListener
from tests.support.virtual_reader_bed import card_process
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.encoding.mrz import mrz_information_from, parse_td1
from verification.encoding.tlv import only
from verification.inspection.inspect import inspect
from verification.iso7816.command import select_file
from verification.lds.common_data import parse_common_data
from verification.lds.dg3 import WSQ, FingerPosition, parse_dg3
from verification.lds.files import LdsFile
from verification.lds.security_infos import (
    ChipAuthenticationInfo,
    PaceInfo,
    TerminalAuthenticationInfo,
    parse_card_access,
)
from verification.pki.trust_store import TrustStore


@contextmanager
def laid(profile: str, directory: Path) -> Iterator[tuple[dict[str, Any], VpcdListener]]:
    """A card in a process of its own, on a reader that this process holds."""
    reader = VpcdListener("127.0.0.1", 0)
    try:
        with card_process(f"127.0.0.1:{reader.port}", directory, profile) as told:
            assert reader.wait_for_card(10)
            yield told, reader
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("profile", "method"),
    [
        ("bac", "BAC"),
        ("pace-gm", "PACE-GM"),
        ("pace-im", "PACE-IM"),
        ("pace-cam", "PACE-CAM"),
        ("cccd", "PACE-GM"),
    ],
)
def test_a_fresh_card_tells_what_opens_it_and_is_genuine_by_its_csca(
    profile: str, method: str, tmp_path: Path
) -> None:
    with laid(profile, tmp_path) as (told, reader):
        assert set(told) == {"mrz", "can", "sha256"}
        assert parse_td1(told["mrz"]).optional_data_1.startswith(told["mrz"][15:27])
        document = DocumentReader(reader.connect(), os.urandom)
        mrz = MrzKey(mrz_information_from(told["mrz"]))
        assert document.open(mrz if profile == "bac" else Can(told["can"])).method == method
        files = document.read_files()
    has_fingers = profile in {"pace-cam", "cccd"}
    groups = {str(f.value): hashlib.sha256(data).hexdigest() for f, data in files.items() if f.is_data_group}
    assert groups.items() <= told["sha256"].items()
    assert set(told["sha256"]) - set(groups) == ({"3"} if has_fingers else set())
    assert (tmp_path / "cvc").exists() is has_fingers
    csca = (tmp_path / "csca.der").read_bytes()
    moment = x509.load_der_x509_certificate(csca).not_valid_before_utc.replace(hour=23, minute=59)
    assert inspect(files, TrustStore.from_certificates([csca]), moment).fault_code is None


@pytest.mark.parametrize("profile", ["pace-cam", "cccd"])
def test_the_exported_terminal_opens_the_fingerprints(profile: str, tmp_path: Path) -> None:
    with laid(profile, tmp_path) as (told, reader):
        terminal = load_terminal(tmp_path / "cvc", datetime.now(UTC).date())
        document = DocumentReader(reader.connect(), os.urandom)
        document.open(Can(told["can"]))
        files = document.read_files()
        assert document.locked == [LdsFile.DG3]
        document.authenticate_chip(files[LdsFile.DG14])
        document.authenticate_terminal(terminal)
        fingers = document.read_locked()[LdsFile.DG3]
    assert hashlib.sha256(fingers).hexdigest() == told["sha256"]["3"]
    prints = parse_dg3(fingers).fingers
    assert [finger.position for finger in prints] == [FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX]
    assert {finger.media_type for finger in prints} == {WSQ}


def test_the_national_card_is_the_one_in_circulation(tmp_path: Path) -> None:
    """What readers of the real card reported, fact by fact."""
    with laid("cccd", tmp_path) as (told, reader):
        card = reader.connect()
        assert card.transmit(bytes.fromhex("00A4000C023F00")).hex() == "6d00"
        assert card.transmit(bytes.fromhex("00A4020C02011C")).hex() == "9000"
        card_access = parse_card_access(card.transmit(bytes.fromhex("00B0000000"))[:-2])
        card.close()
        document = DocumentReader(reader.connect(), os.urandom)
        document.open(Can(told["can"]))
        files = document.read_files()
        for file, status in ((LdsFile.DG3, 0x6982), (LdsFile.DG11, 0x6A82), (LdsFile.DG12, 0x6A82)):
            assert document.channel.exchange(select_file(file.file_id))[1] == status
    assert told["can"] == told["mrz"][15:27][-6:]
    # EF.CardAccess: terminal and chip authentication, PACE-GM with AES-128 on brainpoolP256r1.
    assert card_access.pace == (PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13),)
    assert card_access.chip_authentication == (ChipAuthenticationInfo("0.4.0.127.0.7.2.2.3.2.2", 1),)
    assert card_access.terminal_authentication == (TerminalAuthenticationInfo(1),)
    listed = parse_common_data(files[LdsFile.COM])
    assert (listed.lds_version, sorted(listed.data_groups)) == ("0107", [1, 2, 3, 13, 14, 15])
    signer = signer_certificate(files[LdsFile.SOD])
    csca = x509.load_der_x509_certificate((tmp_path / "csca.der").read_bytes())
    for certificate, curve in ((signer, ec.BrainpoolP384R1), (csca, ec.SECP384R1)):
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert isinstance(key.curve, curve)


def signer_certificate(sod: bytes) -> x509.Certificate:
    signed = cms.ContentInfo.load(only(sod, LdsFile.SOD.tag))["content"]
    return x509.load_der_x509_certificate(signed["certificates"][0].chosen.dump())


@pytest.mark.parametrize("missing", ["--vpcd", "--profile", "--export"])
def test_every_argument_is_needed(missing: str, tmp_path: Path) -> None:
    given = {"--vpcd": "127.0.0.1:1", "--profile": "cccd", "--export": str(tmp_path)}
    with pytest.raises(SystemExit) as ended:
        main([part for name, value in given.items() if name != missing for part in (name, value)])
    assert ended.value.code == 2
