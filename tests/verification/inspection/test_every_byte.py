"""Every byte of a signed thing is attacked: refused, and by our own error. There are no exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support import pki
from tests.support.signed_files import without_signed_attributes
from verification.errors import VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.passive_authentication import authenticate
from verification.inspection.report import Verdict
from verification.lds.files import LdsFile
from verification.pki.signature_policy import SignaturePolicy
from verification.pki.trust_store import TrustStore

MASKS = (0x01, 0x02, 0x20, 0x80, 0xFF)
SIGNED = (LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)


@pytest.fixture(scope="module")
def trust_store() -> TrustStore:
    return pki.trust_store(pki.quick_issuer())


def accepted_flips(trust_store: TrustStore, file: LdsFile, mask: int) -> list[int]:
    """Positions where the altered file was accepted; any foreign exception fails the test."""
    return accepted_in(pki.quick_card().files, trust_store, file, mask)


def accepted_in(
    files: Mapping[LdsFile, bytes],
    trust_store: TrustStore,
    file: LdsFile,
    mask: int,
    moment: datetime = pki.NOW,
) -> list[int]:
    accepted = []
    for position in range(len(files[file])):
        altered = bytearray(files[file])
        altered[position] ^= mask
        try:
            authenticate({**files, file: bytes(altered)}, trust_store, moment)
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


class TestTolerantPolicy:
    """A policy that accepts old and odd documents binds every byte all the same."""

    @pytest.fixture
    def tolerant(self) -> TrustStore:
        policy = SignaturePolicy(accepts_legacy=True, accepts_no_signed_attributes=True)
        trusted = pki.quick_issuer().csca.certificate.public_bytes(Encoding.DER)
        return TrustStore.from_certificates([trusted], policy=policy)

    @pytest.mark.parametrize("mask", [0x01, 0x80])
    def test_of_a_file_as_prescribed(self, tolerant: TrustStore, mask: int) -> None:
        assert accepted_flips(tolerant, LdsFile.SOD, mask) == []

    @pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
    def test_of_a_file_without_signed_attributes(self, tolerant: TrustStore, mask: int) -> None:
        files = pki.quick_card().with_files({LdsFile.SOD: without_signed_attributes()})
        authenticate(files, tolerant, pki.NOW)
        assert accepted_in(files, tolerant, LdsFile.SOD, mask) == []


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "variant", ["ok_rsa_pss", "ok_lds_v1_sha384", "ok_explicit_ec_params", "odd_ectype_id_data"]
)
def test_a_flipped_byte_in_other_peoples_files_is_refused(shared: Path, variant: str) -> None:
    folder = shared / "data" / "emrtd" / "synthetic_cccd"
    moment = datetime(2025, 2, 1, tzinfo=UTC)
    store = TrustStore.from_certificates([(folder / "pki" / "csca1.cer").read_bytes()])
    files = {
        LdsFile.SOD: (folder / "sod_variants" / f"{variant}.bin").read_bytes(),
        LdsFile.DG1: (folder / "card" / "EF_DG1.bin").read_bytes(),
    }
    authenticate(files, store, moment)
    assert accepted_in(files, store, LdsFile.SOD, 0x01, moment) == []
