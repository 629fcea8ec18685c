"""The report: an outcome for every check, and a verdict that follows from them."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_card_security, sign_security_object
from tests.support import pki
from tests.support.cms_writer import build_security_object
from tests.support.group_hashes import data_group_hashes
from verification.errors import ChipAuthenticationFailed
from verification.inspection.inspect import inspect
from verification.inspection.report import (
    PASSED,
    Check,
    CheckResult,
    InspectionReport,
    Integrity,
    Outcome,
    Verdict,
)
from verification.inspection.signer_certificate import AUTHORITY_EXPIRED_SINCE, SIGNER_EXPIRED_SINCE
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg1 import Dg1, build_dg1
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_infos import PaceInfo, SecurityInfos, build_card_access
from verification.lds.security_object import build_lds_security_object, parse_security_object
from verification.messages.fault_catalogue import fault_catalogue
from verification.pki.defect_list import Defect, DefectKind, DefectList
from verification.pki.signature_policy import SignaturePolicy
from verification.pki.trust_store import TrustStore

NOT_BY_FILES = {
    Check.ACCESS_CONTROL,
    Check.CHIP_AUTHENTICATION,
    Check.ACTIVE_AUTHENTICATION,
    Check.TERMINAL_AUTHENTICATION,
    Check.CARD_SECURITY,
}
"""What the chip's own protocols answer, and what asks for a file that this card does not have."""


def judged(files: CardFiles, trust_store: TrustStore | None = None) -> InspectionReport:
    report = inspect(files, trust_store or pki.trust_store(), pki.NOW)
    for result in report.checks.values():
        assert result.code is None or result.code in fault_catalogue()
    return report


def resigned(files: CardFiles) -> CardFiles:
    """The issuer's own signature over other contents: what a mix-up at issuance looks like."""
    unsigned = {file: content for file, content in files.items() if file is not LdsFile.SOD}
    signer = pki.issuer().document_signer
    sod = sign_security_object(data_group_hashes(unsigned), signer, signing_time=pki.SIGNED)
    return {**unsigned, LdsFile.SOD: sod}


def test_every_check_of_a_genuine_card_succeeds() -> None:
    report = judged(pki.card().files)
    assert set(report.checks) == set(Check) - NOT_BY_FILES
    made = dict(report.checks)
    assert made.pop(Check.CHIP_AUTHENTICATION_MAPPING).outcome is Outcome.NOT_SUPPORTED
    assert set(made.values()) == {PASSED}
    assert report.verdict is Verdict.VALID
    assert not report.is_chip_genuine


def test_what_the_chip_answered_is_taken_over() -> None:
    failed = CheckResult(Outcome.FAILED, ChipAuthenticationFailed.code)
    report = inspect(pki.card().files, pki.trust_store(), pki.NOW, access=PASSED, chip_authentication=PASSED)
    assert report.is_chip_genuine
    cloned = inspect(pki.card().files, pki.trust_store(), pki.NOW, chip_authentication=failed)
    assert (cloned.verdict, cloned.fault_code) == (Verdict.INVALID, "CHIP_CLONED")


def test_a_chip_proof_over_a_swapped_key_proves_nothing() -> None:
    own = pki.make_card()
    files = pki.card().with_files({LdsFile.DG14: own.files[LdsFile.DG14]})
    report = inspect(files, pki.trust_store(), pki.NOW, chip_authentication=PASSED)
    assert not report.is_chip_genuine
    assert report.fault_code == "CHIP_DATA_ALTERED"


def test_a_protocol_without_a_signed_key_is_not_supported() -> None:
    files = resigned(pki.card().without(LdsFile.DG14, LdsFile.DG15))
    report = judged({**files, LdsFile.COM: listing(LdsFile.DG1, LdsFile.DG2, LdsFile.DG13)})
    assert report.outcome(Check.CHIP_AUTHENTICATION) is Outcome.NOT_SUPPORTED
    assert report.outcome(Check.ACTIVE_AUTHENTICATION) is Outcome.NOT_SUPPORTED
    assert report.verdict is Verdict.VALID


def listing(*files: LdsFile) -> bytes:
    return build_common_data(CommonData("0107", "040000", files))


def test_a_file_list_that_hides_the_chips_key_is_refused() -> None:
    """A clone without DG14 and DG15 would otherwise never be asked to prove itself."""
    files = pki.card().without(LdsFile.DG14, LdsFile.DG15)
    files[LdsFile.COM] = listing(LdsFile.DG1, LdsFile.DG2, LdsFile.DG13)
    report = judged(files)
    assert report.checks[Check.COM_CONSISTENCY].code == "CHIP_FILES_INCONSISTENT"
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "listed",
    [
        (LdsFile.DG1, LdsFile.DG2),
        (LdsFile.DG1, LdsFile.DG2, LdsFile.DG11, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15),
    ],
    ids=["forgets", "invents"],
)
def test_a_list_that_its_issuer_got_wrong_refuses_nobody(listed: tuple[LdsFile, ...]) -> None:
    report = judged(pki.card().with_files({LdsFile.COM: listing(*listed)}))
    assert report.checks[Check.COM_CONSISTENCY].outcome is Outcome.UNDETERMINED
    assert report.checks[Check.COM_CONSISTENCY].code == "CHIP_FILES_INCONSISTENT"
    assert report.verdict is Verdict.VALID


def test_an_injected_file_is_refused() -> None:
    report = judged(pki.card().with_files({LdsFile.DG11: b"\x6b\x00"}))
    assert report.fault_code == "CHIP_DATA_NOT_SIGNED"


@pytest.mark.parametrize("left_out", [LdsFile.DG2, LdsFile.COM, LdsFile.CARD_ACCESS, LdsFile.DG15])
def test_files_that_may_be_left_out(left_out: LdsFile) -> None:
    assert judged(pki.card().without(left_out)).verdict is Verdict.VALID


@pytest.mark.parametrize("left_out", [LdsFile.SOD, LdsFile.DG1])
def test_files_that_may_not(left_out: LdsFile) -> None:
    report = judged(pki.card().without(left_out))
    assert report.fault_code == "DOCUMENT_MALFORMED"
    assert report.verdict is Verdict.INVALID


def test_no_file_at_all_is_reported_not_raised() -> None:
    assert judged({}).verdict is Verdict.INVALID


@pytest.mark.parametrize("junk", [b"", b"\x00", b"\x77\x00", bytes(1000), b"\x77\x84\xff\xff\xff\xff"])
def test_junk_is_reported_not_raised(junk: bytes) -> None:
    report = judged(dict.fromkeys(LdsFile, junk))
    assert report.fault_code == "DOCUMENT_MALFORMED"


def test_a_signed_file_that_is_malformed_is_the_issuers_fault() -> None:
    report = judged(resigned({**pki.card().files, LdsFile.DG13: b"\x6d\x02\x30\x00"}))
    assert report.fault_code == "DOCUMENT_MALFORMED"
    assert report.passed(Check.DATA_GROUP_HASHES)


def test_an_altered_file_is_called_altered_whatever_it_holds() -> None:
    report = judged(pki.card().with_files({LdsFile.DG13: b"\x6d\x02\x30\x00"}))
    assert report.outcome(Check.DOCUMENT_STRUCTURE) is Outcome.ABORTED
    assert report.fault_code == "CHIP_DATA_ALTERED"


def test_a_forgers_card_fails_by_trust_only() -> None:
    report = judged(pki.make_card(signer=pki.rogue().document_signer).files)
    assert report.passed(Check.SOD_SIGNATURE)
    assert report.failures == (Check.SIGNER_SIGNATURE, Check.SIGNER_TRUST)
    assert report.fault_code == "CHIP_DS_UNTRUSTED"


def test_a_signer_of_another_country_is_refused() -> None:
    foreign = hold_ceremony(CeremonyPlan(country="XX", state="XXX"), pki.CEREMONY)
    files = pki.make_card(signer=foreign.document_signer).files
    report = judged(files, pki.trust_store(foreign))
    assert report.failures == (Check.COUNTRY_MATCH,)
    assert report.fault_code == "CHIP_COUNTRY_MISMATCH"


class TestHolder:
    """Both zones were signed; they must still speak of one person."""

    @pytest.mark.parametrize(
        "other",
        [
            pki.Holder(citizen_number="001090654321"),
            pki.Holder(full_name="Trần Văn Khác"),
            pki.Holder(mrz_date_of_birth="900102"),
            pki.Holder(sex="Nam"),
        ],
        ids=["number", "name", "birth", "sex"],
    )
    def test_a_mix_up_is_refused(self, other: pki.Holder) -> None:
        zone = build_dg1(Dg1.of(pki.machine_readable_zone(other)))
        report = judged(resigned({**pki.card().files, LdsFile.DG1: zone}))
        assert report.failures == (Check.HOLDER_CONSISTENCY,)
        assert report.fault_code == "CHIP_HOLDER_INCONSISTENT"

    def test_a_year_of_birth_alone_is_compared(self) -> None:
        known = pki.make_card(pki.Holder(date_of_birth="1990"))
        assert judged(known.files).verdict is Verdict.VALID
        other = pki.make_card(pki.Holder(date_of_birth="1991"))
        assert judged(other.files).fault_code == "CHIP_HOLDER_INCONSISTENT"


class TestTime:
    """Checks whose answer depends on when it is asked."""

    def test_a_signer_that_expired_since_is_no_failure(self) -> None:
        late = pki.NOW.replace(year=2060)
        report = inspect(pki.card().files, pki.trust_store(), late)
        assert report.checks[Check.SIGNER_VALIDITY_NOW].code == SIGNER_EXPIRED_SINCE
        assert report.outcome(Check.SIGNER_VALIDITY_NOW) is Outcome.UNDETERMINED
        assert report.verdict is Verdict.VALID

    def test_a_clock_before_the_signer_is_a_failure(self) -> None:
        early = pki.CEREMONY - timedelta(days=2)
        report = inspect(pki.card().files, pki.trust_store(), early)
        assert report.fault_code == "CHIP_DS_NOT_VALID"

    def test_an_old_revocation_list_leaves_the_question_open(self) -> None:
        report = inspect(pki.card().files, pki.trust_store(), pki.NOW + timedelta(days=200))
        assert report.checks[Check.SIGNER_REVOCATION].code == "CHIP_REVOCATION_UNKNOWN"
        assert report.outcome(Check.SIGNER_REVOCATION) is Outcome.UNDETERMINED
        assert report.is_data_authentic

    def test_a_revoked_signer_is_a_failure(self) -> None:
        issuer = pki.issuer()
        serial_number = issuer.document_signer.certificate.serial_number
        crl = issue_revocation_list(issuer.csca, pki.SIGNED, revoke=[serial_number])
        store = pki.trust_store()
        store.replace_revocation_lists([crl.public_bytes(Encoding.DER)])
        assert judged(pki.card().files, store).fault_code == "CHIP_DS_REVOKED"


class TestEveryCheckHasAWord:
    """Nothing that was not checked reads as passed, and each says why."""

    def test_a_check_that_was_not_made_is_listed_as_such(self) -> None:
        report = judged({})
        assert set(report.every_check) == set(Check)
        for check, result in report.every_check.items():
            assert result.outcome is not Outcome.SUCCESSFUL, check
            assert result.code in fault_catalogue(), check
            assert result.reason, check

    def test_what_stands_on_a_failed_check_is_aborted_with_its_code(self) -> None:
        report = judged(pki.make_card(signer=pki.rogue().document_signer).files)
        for check in (
            Check.SIGNER_VALIDITY_AT_SIGNING,
            Check.SIGNER_VALIDITY_NOW,
            Check.SIGNER_REVOCATION,
            Check.AUTHORITY_VALIDITY_NOW,
            Check.COUNTRY_MATCH,
        ):
            assert report.checks[check].outcome is Outcome.ABORTED
            assert report.checks[check].code == "CHIP_DS_UNTRUSTED"

    def test_a_csca_that_is_not_known_leaves_its_signature_open(self) -> None:
        report = judged(pki.card().files, TrustStore.from_certificates([]))
        assert report.outcome(Check.SIGNER_SIGNATURE) is Outcome.UNDETERMINED
        assert report.checks[Check.SIGNER_SIGNATURE].code == "CHIP_CSCA_UNKNOWN"
        assert report.failures == (Check.SIGNER_TRUST,)
        assert report.verdict is Verdict.INVALID

    def test_the_signature_of_the_certificate_holds_where_only_the_entitlement_fails(self) -> None:
        zone = pki.card().files[LdsFile.DG1]
        passport = zone.replace(b"IDVNM", b"XYVNM", 1)
        report = judged(resigned({**pki.card().files, LdsFile.DG1: passport}))
        assert report.passed(Check.SIGNER_SIGNATURE)
        assert Check.SIGNER_TRUST in report.failures

    def test_a_csca_that_expired_since_is_no_failure(self) -> None:
        report = inspect(pki.card().files, pki.trust_store(), pki.NOW.replace(year=2090))
        result = report.checks[Check.AUTHORITY_VALIDITY_NOW]
        assert (result.outcome, result.code) == (Outcome.UNDETERMINED, AUTHORITY_EXPIRED_SINCE)
        assert report.verdict is Verdict.VALID

    def test_an_altered_content_fails_by_its_digest_too(self) -> None:
        genuine = parse_security_object(pki.card().files[LdsFile.SOD])
        hashes = {**genuine.hashes, LdsFile.DG1: bytes(32)}
        sod = build_security_object(
            build_lds_security_object(hashes), genuine.signer, genuine.certificates[0]
        )
        report = judged(pki.card().with_files({LdsFile.SOD: sod}))
        assert {Check.SOD_DIGEST, Check.SOD_SIGNATURE} <= set(report.failures)


class TestDataGroups:
    """The word for each data group."""

    def test_of_a_genuine_card(self) -> None:
        words = judged(pki.card().without(LdsFile.DG2)).data_groups
        read = {LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15}
        assert {file for file, word in words.items() if word is Integrity.IDENTICAL} == read
        assert words[LdsFile.DG2] is Integrity.PRESENT
        assert words[LdsFile.DG11] is Integrity.NOT_PRESENT
        assert len(words) == 16

    def test_of_an_altered_one(self) -> None:
        altered = {LdsFile.DG1: pki.card().files[LdsFile.DG1] + b"\x00", LdsFile.DG11: b"\x6b\x00"}
        words = judged(pki.card().with_files(altered)).data_groups
        assert words[LdsFile.DG1] is Integrity.NOT_IDENTICAL
        assert words[LdsFile.DG11] is Integrity.NON_CONFORMANT
        assert words[LdsFile.DG13] is Integrity.IDENTICAL

    def test_without_a_security_object_none_is_identical(self) -> None:
        words = judged(pki.card().without(LdsFile.SOD)).data_groups
        assert set(words.values()) == {Integrity.PRESENT, Integrity.NOT_PRESENT}

    def test_a_hash_that_is_not_relied_on_compares_nothing(self) -> None:
        files = pki.card().without(LdsFile.SOD)
        hashes = data_group_hashes(files, "sha1")
        sod = sign_security_object(
            hashes, pki.issuer().document_signer, hash_algorithm="sha1", signing_time=pki.SIGNED
        )
        report = judged({**files, LdsFile.SOD: sod})
        assert report.data_groups[LdsFile.DG1] is Integrity.PRESENT
        assert report.checks[Check.DATA_GROUP_HASHES].code == "CHIP_ALGORITHM_REFUSED"


class TestPolicy:
    """What departs from the standard is refused, or accepted with a note; never silently."""

    def old(self) -> CardFiles:
        files = pki.card().without(LdsFile.SOD)
        signer = pki.issuer().document_signer
        sod = sign_security_object(
            data_group_hashes(files, "sha1"), signer, hash_algorithm="sha1", signing_time=pki.SIGNED
        )
        return {**files, LdsFile.SOD: sod}

    def test_sha_1_is_noted_where_it_is_accepted(self) -> None:
        assert judged(self.old()).verdict is Verdict.INVALID
        report = judged(self.old(), tolerant(SignaturePolicy(accepts_legacy=True)))
        assert report.verdict is Verdict.VALID
        assert report.notes[Check.DATA_GROUP_HASHES].code == "CHIP_ALGORITHM_LEGACY"

    def test_bare_signatures_are_noted_where_they_are_accepted(self) -> None:
        genuine = parse_security_object(pki.card().files[LdsFile.SOD])
        signature = pki.issuer().document_signer.sign(genuine.content)
        signer = genuine.signer._replace(attributes=None, signature=signature)
        sod = build_security_object(genuine.content, signer, genuine.certificates[0])
        files = pki.card().with_files({LdsFile.SOD: sod})
        strict = judged(files)
        assert strict.checks[Check.SOD_SIGNATURE].code == "CHIP_SOD_INVALID"
        assert strict.outcome(Check.SOD_DIGEST) is Outcome.NOT_SUPPORTED
        report = judged(files, tolerant(SignaturePolicy(accepts_no_signed_attributes=True)))
        assert report.verdict is Verdict.VALID
        assert report.notes[Check.SOD_SIGNATURE].code == "CHIP_SOD_NO_SIGNED_ATTRIBUTES"
        assert report.outcome(Check.SOD_DIGEST) is Outcome.NOT_SUPPORTED

    def test_a_tolerant_policy_makes_no_false_card_valid(self) -> None:
        store = tolerant(SignaturePolicy(accepts_legacy=True, accepts_no_signed_attributes=True))
        for file in (LdsFile.DG1, LdsFile.SOD):
            altered = bytearray(pki.card().files[file])
            altered[-1] ^= 1
            assert judged(pki.card().with_files({file: bytes(altered)}), store).verdict is Verdict.INVALID


class TestKnownDefects:
    """A defect list leaves open or makes worse; it never makes valid."""

    def report(self, kind: DefectKind, files: CardFiles, **protocols: CheckResult) -> InspectionReport:
        signer = der(pki.issuer().document_signer.certificate)
        known = DefectList([(hashlib.sha256(signer).digest(), Defect(kind, "notice 7 of 2026"))])
        store = TrustStore.from_certificates([der(pki.issuer().csca.certificate)], defects=known)
        return inspect(files, store, pki.NOW, **protocols)  # type: ignore[arg-type]

    def test_a_signer_given_up_is_revoked(self) -> None:
        report = self.report(DefectKind.SIGNER_REVOKED, pki.card().files)
        assert report.checks[Check.SIGNER_REVOCATION].outcome is Outcome.FAILED
        assert "notice 7" in report.checks[Check.SIGNER_REVOCATION].reason

    def test_a_fault_that_was_told_of_is_left_open(self) -> None:
        hidden = {**pki.card().without(LdsFile.DG14), LdsFile.COM: listing(LdsFile.DG1)}
        report = self.report(DefectKind.FILE_LIST_INCONSISTENT, hidden)
        assert report.checks[Check.COM_CONSISTENCY].outcome is Outcome.UNDETERMINED
        assert report.checks[Check.COM_CONSISTENCY].code in fault_catalogue()
        assert judged(hidden).verdict is Verdict.INVALID

    def test_a_broken_signature_never_becomes_valid(self) -> None:
        genuine = parse_security_object(pki.card().files[LdsFile.SOD])
        signer = genuine.signer._replace(signature=bytes(len(genuine.signature)))
        sod = build_security_object(genuine.content, signer, genuine.certificates[0])
        for kind in DefectKind:
            report = self.report(kind, pki.card().with_files({LdsFile.SOD: sod}))
            assert report.verdict is not Verdict.VALID, kind
            assert not report.is_data_authentic

    def test_a_key_given_up_proves_no_chip(self) -> None:
        for kind, name in (
            (DefectKind.CHIP_AUTHENTICATION_KEY_REVOKED, "chip_authentication"),
            (DefectKind.ACTIVE_AUTHENTICATION_KEY_REVOKED, "active_authentication"),
        ):
            report = self.report(kind, pki.card().files, **{name: PASSED})
            assert not report.is_chip_genuine
            assert report.verdict is Verdict.VALID

    def test_a_defect_changes_nothing_else(self) -> None:
        expected = judged(
            pki.card().files, TrustStore.from_certificates([der(pki.issuer().csca.certificate)])
        )
        for kind in set(DefectKind) - {DefectKind.SIGNER_REVOKED}:
            assert self.report(kind, pki.card().files).checks == expected.checks


class TestProtocols:
    """What the chip answered, and what it proves."""

    def test_a_terminal_that_fails_says_nothing_about_the_document(self) -> None:
        failed = CheckResult(Outcome.FAILED, "TERMINAL_NOT_TRUSTED")
        report = inspect(
            pki.card().files,
            pki.trust_store(),
            pki.NOW,
            active_authentication=PASSED,
            terminal_authentication=failed,
        )
        assert report.failures == (Check.TERMINAL_AUTHENTICATION,)
        assert report.verdict is Verdict.VALID
        assert report.is_chip_genuine

    def test_mapping_proves_the_chip_only_with_a_signed_key(self) -> None:
        infos = SecurityInfos(chip_authentication=(), pace=())
        sod_store = (pki.trust_store(), pki.NOW)
        alone = inspect(pki.card().files, *sod_store, chip_authentication_mapping=PASSED)
        assert not alone.is_chip_genuine
        signed = sign_card_security(
            build_card_access(infos), pki.issuer().document_signer, signing_time=pki.SIGNED
        )
        files = pki.card().with_files({LdsFile.CARD_SECURITY: signed})
        proven = inspect(files, *sod_store, chip_authentication_mapping=PASSED)
        assert proven.passed(Check.CARD_SECURITY)
        assert proven.is_chip_genuine
        foreign = sign_card_security(
            build_card_access(infos), pki.rogue().document_signer, signing_time=pki.SIGNED
        )
        cloned = inspect(
            {**files, LdsFile.CARD_SECURITY: foreign}, *sod_store, chip_authentication_mapping=PASSED
        )
        assert cloned.checks[Check.CARD_SECURITY].code == "CHIP_DS_UNTRUSTED"
        assert cloned.verdict is Verdict.INVALID
        assert not cloned.is_chip_genuine

    def test_a_chip_that_offers_mapping_and_a_terminal_check_leaves_them_open(self) -> None:
        pace = PaceInfo("0.4.0.127.0.7.2.2.4.6.2", 2, 13)
        offering = build_card_access(SecurityInfos(pace=(pace,)))
        report = judged(pki.card().with_files({LdsFile.CARD_ACCESS: offering}))
        assert report.outcome(Check.CHIP_AUTHENTICATION_MAPPING) is Outcome.UNDETERMINED
        assert report.outcome(Check.TERMINAL_AUTHENTICATION) is Outcome.NOT_SUPPORTED
        asking = pki.card().files
        assert judged(asking).outcome(Check.TERMINAL_AUTHENTICATION) is Outcome.UNDETERMINED


def tolerant(policy: SignaturePolicy) -> TrustStore:
    issuer = pki.issuer()
    return TrustStore.from_certificates(
        [der(issuer.csca.certificate)], [der(issuer.revocation_list)], policy=policy
    )


def der(signed: object) -> bytes:
    return signed.public_bytes(Encoding.DER)  # type: ignore[attr-defined,no-any-return]
