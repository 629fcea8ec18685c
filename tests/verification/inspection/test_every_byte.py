"""Every byte of a signed thing is attacked: refused, and by our own error. There are no exceptions."""

from __future__ import annotations

import pytest

from tests.support import pki
from verification.errors import VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.passive_authentication import authenticate
from verification.inspection.report import Verdict
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore

MASKS = (0x01, 0x02, 0x20, 0x80, 0xFF)
SIGNED = (LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)


@pytest.fixture(scope="module")
def trust_store() -> TrustStore:
    return pki.trust_store(pki.quick_issuer())


def accepted_flips(trust_store: TrustStore, file: LdsFile, mask: int) -> list[int]:
    """Positions where the altered file was accepted; any foreign exception fails the test."""
    card = pki.quick_card()
    accepted = []
    for position in range(len(card.files[file])):
        altered = bytearray(card.files[file])
        altered[position] ^= mask
        try:
            authenticate(card.with_files({file: bytes(altered)}), trust_store, pki.NOW)
        except VerificationError:
            continue
        accepted.append(position)
    return accepted


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("file", [LdsFile.SOD, *SIGNED], ids=lambda file: file.name)
def test_a_flipped_byte_is_refused(trust_store: TrustStore, file: LdsFile, mask: int) -> None:
    assert accepted_flips(trust_store, file, mask) == []


def test_every_bit_of_the_security_object_is_bound(trust_store: TrustStore) -> None:
    for bit in range(8):
        assert accepted_flips(trust_store, LdsFile.SOD, 1 << bit) == []


@pytest.mark.parametrize("file", [LdsFile.SOD, *SIGNED], ids=lambda file: file.name)
def test_the_report_never_calls_a_flipped_file_authentic(trust_store: TrustStore, file: LdsFile) -> None:
    card = pki.quick_card()
    for position in range(len(card.files[file])):
        altered = bytearray(card.files[file])
        altered[position] ^= 0xFF
        report = inspect(card.with_files({file: bytes(altered)}), trust_store, pki.NOW)
        assert report.verdict is Verdict.INVALID, position
        assert not report.is_data_authentic
        if file is not LdsFile.SOD:
            assert report.fault_code == "CHIP_DATA_ALTERED", position


@pytest.mark.parametrize("file", [LdsFile.SOD, *SIGNED], ids=lambda file: file.name)
def test_a_file_cut_short_is_refused(trust_store: TrustStore, file: LdsFile) -> None:
    card = pki.quick_card()
    for length in range(len(card.files[file])):
        with pytest.raises(VerificationError):
            authenticate(card.with_files({file: card.files[file][:length]}), trust_store, pki.NOW)


def test_a_byte_after_the_security_object_is_refused(trust_store: TrustStore) -> None:
    card = pki.quick_card()
    with pytest.raises(VerificationError):
        authenticate(card.with_files({LdsFile.SOD: card.files[LdsFile.SOD] + b"\x00"}), trust_store, pki.NOW)
