"""Other people's documents: the synthetic variants as their list expects, and the BSI reference set."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support import vectors
from verification.errors import SignerUntrusted
from verification.inspection.inspect import inspect
from verification.inspection.passive_authentication import authenticate, require_signed_files
from verification.inspection.report import Check, Outcome, Verdict
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.pki.certificate import parse_certificate
from verification.pki.cms_signature import only_certificate, require_named, require_signature
from verification.pki.public_keys import load_public_key
from verification.pki.trust_store import TrustStore

pytestmark = pytest.mark.shared_data

# The list csca1.crl is current from December 2024 to March 2025.
NOW = datetime(2025, 2, 1, tzinfo=UTC)
VARIANTS = {
    "ok_default_v0_sha256_ecdsa_bp384": None,
    "ok_lds_v1_sha384": None,
    "ok_rsa_pss": None,
    "ok_explicit_ec_params": None,
    "odd_ectype_id_data": None,
    # "policy" in the list: ICAO 9303-10 requires signed attributes, and so do we.
    "odd_no_signed_attrs": "CHIP_SOD_INVALID",
    "bad_dg13_hash": "CHIP_DATA_ALTERED",
    "bad_signature": "CHIP_SOD_INVALID",
    "bad_revoked_ds": "CHIP_DS_REVOKED",
}


@pytest.fixture(scope="module")
def specimens(shared: Path) -> Path:
    return shared / "data" / "emrtd"


@pytest.fixture(scope="module")
def pki(specimens: Path) -> Path:
    return specimens / "synthetic_cccd" / "pki"


@pytest.fixture(scope="module")
def trust_store(pki: Path) -> TrustStore:
    names = ("csca1.cer", "csca2.cer", "csca_link_1_to_2.cer", "csca1.crl")
    return TrustStore.from_files([(pki / name).read_bytes() for name in names])


def card(specimens: Path, variant: str) -> dict[LdsFile, bytes]:
    folder = specimens / "synthetic_cccd"
    groups = (LdsFile.DG1, LdsFile.DG2, LdsFile.DG3, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15, LdsFile.COM)
    files = {file: (folder / "card" / f"EF_{file.name}.bin").read_bytes() for file in groups}
    return {**files, LdsFile.SOD: (folder / "sod_variants" / f"{variant}.bin").read_bytes()}


def test_the_whole_list_is_judged(specimens: Path) -> None:
    listed = json.loads((specimens / "synthetic_cccd" / "sod_variants" / "EXPECT.json").read_bytes())
    assert set(listed) == set(VARIANTS)
    for name, entry in listed.items():
        assert (VARIANTS[name] is None) == (entry["expected"] in {"valid", "tolerate"})


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_judged_as_expected(specimens: Path, trust_store: TrustStore, variant: str) -> None:
    report = inspect(card(specimens, variant), trust_store, NOW)
    assert report.fault_code == VARIANTS[variant]
    assert (report.verdict is Verdict.VALID) == (VARIANTS[variant] is None)
    if report.verdict is Verdict.VALID:
        assert report.passed(Check.SIGNER_REVOCATION)
        assert report.passed(Check.HOLDER_CONSISTENCY)


def test_all_trust_files_are_usable(trust_store: TrustStore) -> None:
    assert trust_store.rejected == ()
    assert len(trust_store.authorities) == 3


def test_a_link_is_trusted_through_the_old_csca_only(pki: Path) -> None:
    link = (pki / "csca_link_1_to_2.cer").read_bytes()
    assert [r.code for r in TrustStore.from_certificates([link]).rejected] == ["CHIP_DS_UNTRUSTED"]
    with_old = TrustStore.from_certificates([link, (pki / "csca1.cer").read_bytes()])
    assert len(with_old.authorities) == 2


def test_the_rogue_csca_of_the_same_name_is_not_found_by_name(pki: Path, trust_store: TrustStore) -> None:
    untrusted = (pki / "ds_untrusted.cer").read_bytes()
    with pytest.raises(SignerUntrusted):
        trust_store.document_signer(untrusted)
    rogue = TrustStore.from_certificates([(pki / "csca_rogue_same_dn.cer").read_bytes()])
    assert rogue.document_signer(untrusted).certificate.encoded == untrusted
    with pytest.raises(SignerUntrusted):
        rogue.document_signer((pki / "ds1.cer").read_bytes())


def test_a_signer_of_passports_may_not_sign_cards(
    specimens: Path, pki: Path, trust_store: TrustStore
) -> None:
    passports = trust_store.document_signer((pki / "ds_passport_only.cer").read_bytes())
    assert passports.certificate.document_types == ("P",)
    cards = trust_store.document_signer((pki / "ds1.cer").read_bytes())
    assert cards.certificate.document_types == ("ID",)


def test_explicit_parameters_give_the_same_key(pki: Path) -> None:
    named = parse_certificate((pki / "ds1.cer").read_bytes())
    explicit = parse_certificate((pki / "ds1_explicit_params.cer").read_bytes())
    assert named.public_key_info != explicit.public_key_info
    assert load_public_key(named.public_key_info) == load_public_key(explicit.public_key_info)


class TestBsiReferenceSet:
    """BSI TR-03105-5: an RSA-PSS security object of other people's making. Its CSCA is not public."""

    @pytest.fixture
    def files(self, specimens: Path) -> dict[LdsFile, bytes]:
        folder = specimens / "bsi_tr03105_5"
        found = {LdsFile.SOD: (folder / "EF_SOD.bin").read_bytes()}
        for number, name in vectors.load("passive_auth_bsi")["files"].items():
            found[LdsFile(int(number))] = (folder / name).read_bytes()
        return found

    def test_the_vector_is_read_as_it_says(self, files: dict[LdsFile, bytes]) -> None:
        vector = vectors.load("passive_auth_bsi")
        found = parse_security_object(files[LdsFile.SOD])
        assert found.hash_algorithm == vector["digest"]
        assert found.lds_version == vector["lds_version"]
        expected = {LdsFile(int(number)): value for number, value in vector["dg_hashes"].items()}
        assert {file: value.hex() for file, value in found.hashes.items()} == expected

    def test_its_hashes_and_signature_hold(self, files: dict[LdsFile, bytes]) -> None:
        found = parse_security_object(files[LdsFile.SOD])
        certificate = parse_certificate(only_certificate(found))
        require_named(found, certificate)
        require_signature(found, load_public_key(certificate.public_key_info))
        require_signed_files(found, files)

    def test_its_unknown_issuer_is_not_trusted(
        self, files: dict[LdsFile, bytes], trust_store: TrustStore
    ) -> None:
        with pytest.raises(SignerUntrusted):
            authenticate(files, trust_store, NOW)
        report = inspect(files, trust_store, NOW)
        assert report.failures == (Check.SIGNER_TRUST,)
        assert report.outcome(Check.COUNTRY_MATCH) is Outcome.UNDETERMINED


def test_sha_1_and_a_224_bit_curve_are_refused(specimens: Path, trust_store: TrustStore) -> None:
    folder = specimens / "bsi2008"
    files = {
        LdsFile.SOD: (folder / "EF_SOD.bin").read_bytes(),
        LdsFile.DG1: (folder / "Datagroup1.bin").read_bytes(),
    }
    signed = parse_security_object(files[LdsFile.SOD])
    assert signed.hashes[LdsFile.DG1] == hashlib.sha1(files[LdsFile.DG1]).digest()  # noqa: S324
    report = inspect(files, trust_store, NOW)
    assert report.checks[Check.SOD_SIGNATURE].code == "CHIP_ALGORITHM_REFUSED"
    assert report.checks[Check.DATA_GROUP_HASHES].code == "CHIP_ALGORITHM_REFUSED"
