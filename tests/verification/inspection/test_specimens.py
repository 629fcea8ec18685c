"""Other people's documents: the synthetic variants as their list expects, and whole sets of two States."""

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
from verification.inspection.report import Check, Integrity, Outcome, Verdict
from verification.lds.dg2 import parse_dg2
from verification.lds.dg15 import parse_dg15
from verification.lds.ef_cvca import parse_ef_cvca
from verification.lds.file_names import file_of_name
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_card_access, parse_dg14
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.pki.certificate import parse_certificate
from verification.pki.cms_signature import require_named, require_signature, signer_certificate
from verification.pki.public_keys import load_public_key
from verification.pki.signature_policy import STRICT, SignaturePolicy
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


def folder_files(folder: Path) -> dict[LdsFile, bytes]:
    """Every file of a set, by the name that its makers gave it."""
    found = {}
    for path in folder.iterdir():
        content = path.read_bytes()
        file = file_of_name(path.name, content)
        assert file is not None, path.name
        found[file] = content
    return found


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


NOTED = {
    "odd_ectype_id_data": (STRICT, "CHIP_SOD_CONTENT_TYPE"),
    "odd_no_signed_attrs": (
        SignaturePolicy(accepts_no_signed_attributes=True),
        "CHIP_SOD_NO_SIGNED_ATTRIBUTES",
    ),
}


@pytest.mark.parametrize("variant", NOTED)
def test_what_is_tolerated_is_noted(specimens: Path, pki: Path, variant: str) -> None:
    """ "tolerate" and "policy" in the list: valid where it is allowed, and never without a word."""
    policy, code = NOTED[variant]
    store = TrustStore.from_files(
        [(pki / name).read_bytes() for name in ("csca1.cer", "csca1.crl")], policy=policy
    )
    report = inspect(card(specimens, variant), store, NOW)
    assert report.verdict is Verdict.VALID
    assert {check: result.code for check, result in report.notes.items()} == {Check.SOD_SIGNATURE: code}
    assert authenticate(card(specimens, variant), store, NOW).departures == {code}


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name.startswith("ok_")])
def test_what_is_as_prescribed_has_no_note(specimens: Path, trust_store: TrustStore, variant: str) -> None:
    report = inspect(card(specimens, variant), trust_store, NOW)
    assert not report.notes
    assert report.outcome(Check.SOD_DIGEST) is Outcome.SUCCESSFUL
    read = {file for file, word in report.data_groups.items() if word is Integrity.IDENTICAL}
    assert read == {LdsFile.DG1, LdsFile.DG2, LdsFile.DG3, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15}


def test_the_other_files_of_the_card_are_read(specimens: Path) -> None:
    folder = specimens / "synthetic_cccd" / "card"
    active = parse_dg14((folder / "EF_DG14_with_AAInfo_ecdsa_sha256.bin").read_bytes()).active_authentication
    assert [info.signature_algorithm for info in active] == ["0.4.0.127.0.7.1.1.4.1.3"]
    parse_dg15((folder / "EF_DG15_ecdsa.bin").read_bytes())
    assert parse_dg2((folder / "EF_DG2_jpeg.bin").read_bytes()).portraits[0].media_type == "image/jpeg"
    assert len(parse_ef_cvca((folder / "EF_CVCA.bin").read_bytes())) == 1
    assert parse_card_access((folder / "EF_CardAccess.bin").read_bytes()).pace[0].parameter_id == 13


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
        found = folder_files(specimens / "bsi_tr03105_5")
        # EF.SOD of this set lists no DG15, though the set has one.
        assert set(found) == {
            *map(LdsFile, range(1, 5)),
            LdsFile.DG14,
            LdsFile.DG15,
            LdsFile.COM,
            LdsFile.SOD,
        }
        del found[LdsFile.DG15]
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
        require_own_signature(found)
        require_signed_files(found, files)

    def test_its_unknown_issuer_is_not_trusted(
        self, files: dict[LdsFile, bytes], trust_store: TrustStore
    ) -> None:
        with pytest.raises(SignerUntrusted):
            authenticate(files, trust_store, NOW)
        report = inspect(files, trust_store, NOW)
        assert report.failures == (Check.SIGNER_TRUST,)
        assert report.checks[Check.SIGNER_SIGNATURE].code == "CHIP_CSCA_UNKNOWN"
        assert report.outcome(Check.COUNTRY_MATCH) is Outcome.ABORTED
        assert report.passed(Check.DOCUMENT_STRUCTURE)
        assert report.passed(Check.COM_CONSISTENCY)

    def test_the_data_group_that_nobody_signed_is_not_accepted(
        self, specimens: Path, trust_store: TrustStore
    ) -> None:
        report = inspect(folder_files(specimens / "bsi_tr03105_5"), trust_store, NOW)
        assert report.checks[Check.DATA_GROUP_HASHES].code == "CHIP_DATA_NOT_SIGNED"
        assert report.data_groups[LdsFile.DG15] is Integrity.NON_CONFORMANT
        words = {word for file, word in report.data_groups.items() if file is not LdsFile.DG15}
        assert words == {Integrity.IDENTICAL, Integrity.NOT_PRESENT}


class TestBsi2008:
    """SHA-1 throughout and a signer on explicit brainpoolP224r1: what 2008 prescribed."""

    @pytest.fixture
    def files(self, specimens: Path) -> dict[LdsFile, bytes]:
        found = folder_files(specimens / "bsi2008")
        del found[LdsFile.DG15]  # not in its EF.SOD
        shared = {LdsFile.DG2: "Datagroup2.bin", LdsFile.DG3: "Datagroup3.bin"}
        return found | {
            file: (specimens / "bsi_tr03105_5" / name).read_bytes() for file, name in shared.items()
        }

    def test_it_is_refused_by_default(self, files: dict[LdsFile, bytes]) -> None:
        signed = parse_security_object(files[LdsFile.SOD])
        assert signed.hashes[LdsFile.DG1] == hashlib.sha1(files[LdsFile.DG1]).digest()  # noqa: S324
        report = inspect(files, TrustStore.from_certificates([]), NOW)
        for check in (Check.SOD_DIGEST, Check.SOD_SIGNATURE, Check.DATA_GROUP_HASHES):
            assert report.checks[check].code == "CHIP_ALGORITHM_REFUSED", check
        assert Integrity.IDENTICAL not in report.data_groups.values()

    def test_a_policy_for_old_documents_reads_it_with_a_note(self, files: dict[LdsFile, bytes]) -> None:
        store = TrustStore.from_certificates([], policy=SignaturePolicy(accepts_legacy=True))
        report = inspect(files, store, NOW)
        assert report.failures == (Check.SIGNER_TRUST,)
        for check in (Check.SOD_DIGEST, Check.SOD_SIGNATURE, Check.DATA_GROUP_HASHES):
            assert report.notes[check].code == "CHIP_ALGORITHM_LEGACY", check
        read = {file for file, word in report.data_groups.items() if word is Integrity.IDENTICAL}
        assert read == {LdsFile.DG1, LdsFile.DG2, LdsFile.DG3, LdsFile.DG14}

    def test_an_altered_one_is_refused_by_that_policy_too(self, files: dict[LdsFile, bytes]) -> None:
        store = TrustStore.from_certificates([], policy=SignaturePolicy(accepts_legacy=True))
        sod = files[LdsFile.SOD]
        of_dg1 = sod.index(hashlib.sha1(files[LdsFile.DG1]).digest())  # noqa: S324
        for position in (of_dg1, len(sod) - 1):
            altered = bytearray(sod)
            altered[position] ^= 1
            report = inspect({**files, LdsFile.SOD: bytes(altered)}, store, NOW)
            assert Check.SOD_SIGNATURE in report.failures


class TestDutchTestSet:
    """RSA PKCS#1 of 2006, a passport; DG2 was left out of the set."""

    @pytest.fixture
    def files(self, specimens: Path) -> dict[LdsFile, bytes]:
        return folder_files(specimens / "nl_test2006")

    def test_its_hashes_and_signature_hold(self, files: dict[LdsFile, bytes]) -> None:
        found = parse_security_object(files[LdsFile.SOD])
        require_own_signature(found)
        require_signed_files(found, files)
        assert set(found.hashes) == {LdsFile.DG1, LdsFile.DG2, LdsFile.DG15}

    def test_the_report(self, files: dict[LdsFile, bytes]) -> None:
        report = inspect(files, TrustStore.from_certificates([]), NOW)
        assert report.failures == (Check.SIGNER_TRUST,)
        assert report.data_groups[LdsFile.DG2] is Integrity.PRESENT
        assert report.data_groups[LdsFile.DG1] is Integrity.IDENTICAL
        assert report.outcome(Check.CHIP_AUTHENTICATION) is Outcome.NOT_SUPPORTED
        assert report.passed(Check.COM_CONSISTENCY)


def require_own_signature(found: SecurityObject) -> None:
    certificate = parse_certificate(signer_certificate(found))
    require_named(found, certificate)
    require_signature(found, load_public_key(certificate.public_key_info))
