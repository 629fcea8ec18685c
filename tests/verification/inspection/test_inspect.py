"""The report: an outcome for every check, and a verdict that follows from them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import data_group_hashes, sign_security_object
from tests.support import pki
from verification.errors import ChipAuthenticationFailed
from verification.inspection.inspect import EXPIRED_SINCE, inspect
from verification.inspection.report import PASSED, Check, CheckResult, InspectionReport, Outcome, Verdict
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg1 import Dg1, build_dg1
from verification.lds.files import CardFiles, LdsFile
from verification.messages.fault_catalogue import fault_catalogue
from verification.pki.trust_store import TrustStore

CHIP_PROTOCOLS = {Check.ACCESS_CONTROL, Check.CHIP_AUTHENTICATION, Check.ACTIVE_AUTHENTICATION}


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
    assert set(report.checks) == set(Check) - CHIP_PROTOCOLS
    assert set(report.checks.values()) == {PASSED}
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
    assert report.failures == (Check.SIGNER_TRUST,)
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
        assert report.checks[Check.SIGNER_VALIDITY_NOW].code == EXPIRED_SINCE
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
