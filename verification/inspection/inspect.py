"""Inspect a document: every check that its files allow, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from verification.encoding.dates import yymmdd
from verification.encoding.mrz import Td1
from verification.errors import (
    AccessDenied,
    CountryMismatch,
    DataGroupMismatch,
    FileListInconsistent,
    HolderInconsistent,
    MalformedDocument,
    RevocationUnknown,
    SignerNotValidThen,
    SigningTimeUnknown,
    VerificationError,
)
from verification.identity.citizen_number import citizen_number_in
from verification.identity.person_name import is_name_in_mrz
from verification.inspection.passive_authentication import (
    altered_files,
    require_entitled,
    require_signed_files,
    require_valid_when_signed,
)
from verification.inspection.report import PASSED, Check, CheckResult, InspectionReport, Outcome
from verification.lds.common_data import CommonData, parse_common_data
from verification.lds.dg1 import Dg1, parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg13 import Dg13, parse_dg13
from verification.lds.dg15 import parse_dg15
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_infos import parse_card_access, parse_dg14
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.lds.template import template_value
from verification.pki.certificate import Certificate, parse_certificate
from verification.pki.cms_signature import only_certificate, require_named, require_signature
from verification.pki.public_keys import load_public_key
from verification.pki.revocation import require_not_revoked
from verification.pki.trust_store import DocumentSigner, TrustStore

_PARSERS: Mapping[LdsFile, Callable[[bytes], object]] = {
    LdsFile.COM: parse_common_data,
    LdsFile.SOD: parse_security_object,
    LdsFile.DG1: parse_dg1,
    LdsFile.DG2: parse_dg2,
    LdsFile.DG13: parse_dg13,
    LdsFile.DG14: parse_dg14,
    LdsFile.DG15: parse_dg15,
    LdsFile.CARD_ACCESS: parse_card_access,
}
_REQUIRED = (LdsFile.SOD, LdsFile.DG1)

EXPIRED_SINCE = "CHIP_DS_EXPIRED_SINCE"
"""The signer expired after it signed: normal for a card without expiry, and no failure."""

# The MRZ names states by three letters, certificates by two. Documents of other states are
# read too; whether their two names fit is then left open.
_COUNTRY_OF_STATE: Mapping[str, str] = {"VNM": "VN"}

# What leaves a question open, in contrast to answering it with no.
_OPEN = (RevocationUnknown, SigningTimeUnknown)


def inspect(
    files: CardFiles,
    trust_store: TrustStore,
    moment: datetime,
    *,
    access: CheckResult | None = None,
    chip_authentication: CheckResult | None = None,
    active_authentication: CheckResult | None = None,
) -> InspectionReport:
    """Check everything that can be checked and report it; never raises for a bad document.

    The three protocol results come from whoever talked to the chip. DG2 and EF.COM may be left
    out; a check whose file is not there is not made.
    """
    inspection = _Inspection(files, trust_store, moment)
    inspection.run()
    given = {
        Check.ACCESS_CONTROL: access,
        Check.CHIP_AUTHENTICATION: chip_authentication,
        Check.ACTIVE_AUTHENTICATION: active_authentication,
    }
    inspection.results.update({check: result for check, result in given.items() if result is not None})
    return InspectionReport(inspection.results)


class _Inspection:
    """One document's inspection while it goes on."""

    def __init__(self, files: CardFiles, trust_store: TrustStore, moment: datetime) -> None:
        self._files = files
        self._trust_store = trust_store
        self._moment = moment
        self._parsed: dict[LdsFile, object] = {}
        self._faults: dict[LdsFile, VerificationError] = {}
        self.results: dict[Check, CheckResult] = {}

    def run(self) -> None:
        self._parse_files()
        security_object = self._parsed.get(LdsFile.SOD)
        altered: frozenset[LdsFile] = frozenset()
        if isinstance(security_object, SecurityObject):
            altered = self._check_hashes(security_object)
            # What the issuer did not write has no say in who may have signed it, and when.
            intact = {file: content for file, content in self._files.items() if file not in altered}
            self._check_signature(security_object, intact)
            self._check_chip_support(security_object)
        self._check_structure(altered)
        self._check_holder()

    def _make(self, check: Check, step: Callable[[], None]) -> bool:
        """Make a check by a step that raises; whether it succeeded."""
        try:
            step()
        except _OPEN as fault:
            self.results[check] = CheckResult(Outcome.UNDETERMINED, fault.code, str(fault))
        except VerificationError as fault:
            self.results[check] = CheckResult(Outcome.FAILED, fault.code, str(fault))
        else:
            self.results[check] = PASSED
        return self.results[check] is PASSED

    def _parse_files(self) -> None:
        for file, content in self._files.items():
            parse = _PARSERS.get(file, partial(template_value, file=file))
            try:
                self._parsed[file] = parse(content)
            except VerificationError as fault:
                self._faults[file] = fault

    def _check_structure(self, altered: frozenset[LdsFile]) -> None:
        for file in _REQUIRED:
            if file not in self._files:
                self._faults[file] = MalformedDocument(f"{file.name} is missing")
        ours = {file: fault for file, fault in self._faults.items() if file not in altered}
        if ours:
            file, fault = next(iter(ours.items()))
            result = CheckResult(Outcome.FAILED, fault.code, f"{file.name}: {fault}")
        elif self._faults:
            # The issuer did not write these bytes: their structure says nothing about the card.
            result = CheckResult(Outcome.ABORTED, DataGroupMismatch.code, "altered files are not read")
        else:
            result = PASSED
        self.results[Check.DOCUMENT_STRUCTURE] = result

    def _check_hashes(self, security_object: SecurityObject) -> frozenset[LdsFile]:
        """Compare every data group with its signed hash; return those that differ."""
        common_data = self._parsed.get(LdsFile.COM)
        if isinstance(common_data, CommonData):
            self._make(Check.COM_CONSISTENCY, partial(_require_same_list, common_data, security_object))
        compared = partial(require_signed_files, security_object, self._files)
        if self._make(Check.DATA_GROUP_HASHES, compared):
            return frozenset()
        try:
            return altered_files(security_object, self._files)
        except VerificationError:
            return frozenset()

    def _check_signature(self, security_object: SecurityObject, intact: CardFiles) -> None:
        self._make(Check.SOD_SIGNATURE, partial(_require_signed_by_its_certificate, security_object))
        signers: list[DocumentSigner] = []

        def trust() -> None:
            encoded = only_certificate(security_object)
            signer = self._trust_store.document_signer(encoded)
            require_entitled(signer.certificate, intact)
            signers.append(signer)

        if self._make(Check.SIGNER_TRUST, trust):
            self._check_signer(security_object, signers[0], intact)

    def _check_signer(
        self, security_object: SecurityObject, signer: DocumentSigner, intact: CardFiles
    ) -> None:
        certificate, moment = signer.certificate, self._moment
        self._make(
            Check.SIGNER_VALIDITY_AT_SIGNING,
            partial(require_valid_when_signed, security_object, certificate, intact, moment),
        )
        self.results[Check.SIGNER_VALIDITY_NOW] = _validity_now(certificate, moment)
        self._make(
            Check.SIGNER_REVOCATION,
            partial(require_not_revoked, certificate, signer.revocation_lists, moment),
        )
        dg1 = self._parsed.get(LdsFile.DG1)
        if isinstance(dg1, Dg1):
            self._check_country(dg1, certificate)

    def _check_country(self, dg1: Dg1, certificate: Certificate) -> None:
        country = _COUNTRY_OF_STATE.get(dg1.zone.issuing_state)
        if country is None:
            self.results[Check.COUNTRY_MATCH] = CheckResult(Outcome.NOT_SUPPORTED)
            return
        self._make(Check.COUNTRY_MATCH, partial(_require_country, country, certificate))

    def _check_chip_support(self, security_object: SecurityObject) -> None:
        """A protocol whose key the issuer did not sign cannot prove this chip."""
        for file, check in (
            (LdsFile.DG14, Check.CHIP_AUTHENTICATION),
            (LdsFile.DG15, Check.ACTIVE_AUTHENTICATION),
        ):
            if file not in security_object.hashes:
                self.results[check] = CheckResult(Outcome.NOT_SUPPORTED)

    def _check_holder(self) -> None:
        dg1, dg13 = self._parsed.get(LdsFile.DG1), self._parsed.get(LdsFile.DG13)
        if not isinstance(dg1, Dg1) or not isinstance(dg13, Dg13):
            return
        if not isinstance(dg1.zone, Td1) or dg1.zone.issuing_state not in _COUNTRY_OF_STATE:
            self.results[Check.HOLDER_CONSISTENCY] = CheckResult(Outcome.NOT_SUPPORTED)
            return
        self._make(Check.HOLDER_CONSISTENCY, partial(_require_same_holder, dg1.zone, dg13))


def _require_signed_by_its_certificate(security_object: SecurityObject) -> None:
    """The signature is right by the certificate it carries, whoever issued that."""
    certificate = parse_certificate(only_certificate(security_object))
    require_named(security_object, certificate)
    require_signature(security_object, load_public_key(certificate.public_key_info))


def _require_same_list(common_data: CommonData, security_object: SecurityObject) -> None:
    if frozenset(common_data.data_groups) != frozenset(security_object.hashes):
        raise FileListInconsistent("EF.COM and EF.SOD list different data groups")


def _validity_now(certificate: Certificate, moment: datetime) -> CheckResult:
    if moment < certificate.not_before:
        return CheckResult(Outcome.FAILED, SignerNotValidThen.code, "document signer is not valid yet")
    if moment > certificate.not_after:
        return CheckResult(Outcome.UNDETERMINED, EXPIRED_SINCE, "document signer has expired since")
    return PASSED


def _require_country(country: str, certificate: Certificate) -> None:
    if certificate.country != country:
        raise CountryMismatch("document and signer name different countries")


def _require_same_holder(zone: Td1, dg13: Dg13) -> None:
    """DG1 and DG13 were signed together, but by one hand: a mix-up at issuance shows here."""
    try:
        number = citizen_number_in(zone).digits
    except (MalformedDocument, AccessDenied):
        raise HolderInconsistent("machine readable zone holds no citizen number") from None
    if dg13.citizen_number != number:
        raise HolderInconsistent("citizen numbers differ")
    if not _is_same_birth(zone, dg13):
        raise HolderInconsistent("dates of birth differ")
    if dg13.sex is not None and dg13.sex != zone.sex:
        raise HolderInconsistent("sexes differ")
    if dg13.full_name is None or not is_name_in_mrz(dg13.full_name, zone):
        raise HolderInconsistent("names differ")


def _is_same_birth(zone: Td1, dg13: Dg13) -> bool:
    if dg13.date_of_birth is not None:
        return yymmdd(dg13.date_of_birth) == zone.date_of_birth
    # Some people know their year of birth only; the zone then has fillers for the day.
    return dg13.birth_year is None or f"{dg13.birth_year % 100:02d}" == zone.date_of_birth[:2]
