"""Inspect a document: every check that its files allow, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TypedDict, Unpack

from verification.encoding.mrz import Td1
from verification.errors import (
    AlgorithmRefused,
    AuthorityUnknown,
    DataGroupMismatch,
    FileListInconsistent,
    MalformedDocument,
    RevocationUnknown,
    SigningTimeUnknown,
    VerificationError,
)
from verification.inspection.card_security import authenticate_card_security
from verification.inspection.data_group_integrity import (
    altered_files,
    data_group_integrity,
    without_security_object,
)
from verification.inspection.holder_consistency import has_holder_twice, require_same_holder
from verification.inspection.issuing_states import country_of_state
from verification.inspection.known_defects import with_defects
from verification.inspection.passive_authentication import (
    require_entitled,
    require_signed_files,
    require_valid_when_signed,
)
from verification.inspection.report import (
    PASSED,
    Check,
    CheckResult,
    InspectionReport,
    Integrity,
    Outcome,
)
from verification.inspection.signer_certificate import (
    AUTHORITY_EXPIRED_SINCE,
    SIGNER_EXPIRED_SINCE,
    require_country,
    require_issued,
    validity_now,
)
from verification.lds.card_security import parse_card_security
from verification.lds.common_data import CommonData, parse_common_data
from verification.lds.dg1 import Dg1, parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg13 import Dg13, parse_dg13
from verification.lds.dg15 import parse_dg15
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_infos import SecurityInfos, parse_card_access, parse_dg14
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.lds.template import template_value
from verification.pki.certificate import parse_certificate
from verification.pki.cms_signature import (
    NONE,
    Departures,
    require_content_digest,
    require_named,
    require_signature,
    signer_certificate,
)
from verification.pki.defect_list import Defect
from verification.pki.public_keys import load_public_key
from verification.pki.revocation import require_not_revoked
from verification.pki.signature_algorithms import WEAK_HASHES
from verification.pki.signature_policy import Departure, SignaturePolicy
from verification.pki.trust_store import DocumentSigner, TrustStore


def _parse_fingers(encoded: bytes) -> object:
    from verification.lds.dg3 import parse_dg3  # noqa: PLC0415 - few counters ever have one

    return parse_dg3(encoded)


def _parse_irises(encoded: bytes) -> object:
    from verification.lds.dg4 import parse_dg4  # noqa: PLC0415 - as above

    return parse_dg4(encoded)


_PARSERS: Mapping[LdsFile, Callable[[bytes], object]] = {
    LdsFile.COM: parse_common_data,
    LdsFile.SOD: parse_security_object,
    LdsFile.DG1: parse_dg1,
    LdsFile.DG2: parse_dg2,
    LdsFile.DG3: _parse_fingers,
    LdsFile.DG4: _parse_irises,
    LdsFile.DG13: parse_dg13,
    LdsFile.DG14: parse_dg14,
    LdsFile.DG15: parse_dg15,
    LdsFile.CARD_ACCESS: parse_card_access,
    LdsFile.CARD_SECURITY: parse_card_security,
    # It names the keys that open more files to a terminal: nothing in it is about the document.
    LdsFile.CVCA: bytes,
}
_REQUIRED = (LdsFile.SOD, LdsFile.DG1)

_PACE_CAM = "0.4.0.127.0.7.2.2.4.6."
_NOT_OFFERED = "CHECK_NOT_SUPPORTED"
"""The document does not have what the check is about; that is no fault of the document."""

# What leaves a question open, in contrast to answering it with no.
_OPEN = (RevocationUnknown, SigningTimeUnknown, AuthorityUnknown)

_PROVE_THE_CHIP = frozenset({LdsFile.DG14, LdsFile.DG15})

_NEED_SECURITY_OBJECT = (
    Check.SOD_DIGEST,
    Check.SOD_SIGNATURE,
    Check.SIGNER_SIGNATURE,
    Check.SIGNER_TRUST,
    Check.DATA_GROUP_HASHES,
    Check.COM_CONSISTENCY,
)
_NEED_TRUSTED_SIGNER = (
    Check.SIGNER_VALIDITY_AT_SIGNING,
    Check.SIGNER_VALIDITY_NOW,
    Check.SIGNER_REVOCATION,
    Check.AUTHORITY_VALIDITY_NOW,
    Check.COUNTRY_MATCH,
)


class ProtocolResults(TypedDict, total=False):
    """What whoever talked to the chip found; a protocol that is left out was not run."""

    access: CheckResult | None
    chip_authentication: CheckResult | None
    active_authentication: CheckResult | None
    chip_authentication_mapping: CheckResult | None
    terminal_authentication: CheckResult | None


def inspect(
    files: CardFiles,
    trust_store: TrustStore,
    moment: datetime,
    **protocols: Unpack[ProtocolResults],
) -> InspectionReport:
    """Check everything that can be checked and report it; never raises for a bad document.

    What departs from ICAO 9303 is judged by the store's policy, and noted where it is accepted.
    DG2 and EF.COM may be left out; a check whose file is not there is not made.
    """
    inspection = _Inspection(files, trust_store, moment)
    inspection.run()
    given = {
        Check.ACCESS_CONTROL: protocols.get("access"),
        Check.CHIP_AUTHENTICATION: protocols.get("chip_authentication"),
        Check.ACTIVE_AUTHENTICATION: protocols.get("active_authentication"),
        Check.CHIP_AUTHENTICATION_MAPPING: protocols.get("chip_authentication_mapping"),
        Check.TERMINAL_AUTHENTICATION: protocols.get("terminal_authentication"),
    }
    results = {
        **inspection.results,
        **{check: result for check, result in given.items() if result is not None},
    }
    return InspectionReport(with_defects(results, inspection.defects), inspection.data_groups)


class _Inspection:
    """One document's inspection while it goes on."""

    def __init__(self, files: CardFiles, trust_store: TrustStore, moment: datetime) -> None:
        self._files = files
        self._trust_store = trust_store
        self._moment = moment
        self._policy = trust_store.policy
        self._parsed: dict[LdsFile, object] = {}
        self._faults: dict[LdsFile, VerificationError] = {}
        self.results: dict[Check, CheckResult] = {}
        self.defects: tuple[Defect, ...] = ()
        self.data_groups: Mapping[LdsFile, Integrity] = without_security_object(files)

    def run(self) -> None:
        self._parse_files()
        security_object = self._parsed.get(LdsFile.SOD)
        intact = self._files
        if isinstance(security_object, SecurityObject):
            altered = self._check_hashes(security_object)
            # What the issuer did not write has no say in who may have signed it, and when.
            intact = {file: content for file, content in self._files.items() if file not in altered}
            self._check_signature(security_object, intact)
            self._check_chip_support(security_object)
        else:
            fault = self._faults.get(LdsFile.SOD, MalformedDocument("EF.SOD is missing"))
            self._abort((*_NEED_SECURITY_OBJECT, *_NEED_TRUSTED_SIGNER), fault.code)
        self._check_card_security(intact)
        self._check_terminal_support()
        self._check_structure(intact)
        self._check_holder()

    def _make(self, check: Check, step: Callable[[], Departures | None]) -> bool:
        """Make a check by a step that raises; whether it succeeded."""
        try:
            departures = step()
        except _OPEN as fault:
            self.results[check] = CheckResult(Outcome.UNDETERMINED, fault.code, str(fault))
        except VerificationError as fault:
            self.results[check] = CheckResult(Outcome.FAILED, fault.code, str(fault))
        else:
            self.results[check] = _passed_with(departures) if departures else PASSED
        return self.results[check].outcome is Outcome.SUCCESSFUL

    def _abort(self, checks: tuple[Check, ...], code: str) -> None:
        """Say of checks that what they stand on failed, and how; none of them is made."""
        for check in checks:
            self.results[check] = CheckResult(Outcome.ABORTED, code, "a check that this one needs failed")

    def _leave_out(self, check: Check, reason: str) -> None:
        self.results[check] = CheckResult(Outcome.NOT_SUPPORTED, _NOT_OFFERED, reason)

    def _parse_files(self) -> None:
        for file, content in self._files.items():
            parse = _PARSERS.get(file, partial(template_value, file=file))
            try:
                self._parsed[file] = parse(content)
            except VerificationError as fault:
                self._faults[file] = fault

    def _check_structure(self, intact: CardFiles) -> None:
        for file in _REQUIRED:
            if file not in self._files:
                self._faults[file] = MalformedDocument("the file is missing")
        ours = {
            file: fault for file, fault in self._faults.items() if file in intact or file not in self._files
        }
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
            self.results[Check.COM_CONSISTENCY] = _compare_lists(common_data, security_object, self._files)
        self._make(Check.DATA_GROUP_HASHES, partial(self._require_hashes, security_object))
        self.data_groups = data_group_integrity(security_object, self._files, self._policy)
        return altered_files(self.data_groups)

    def _require_hashes(self, security_object: SecurityObject) -> Departures:
        require_signed_files(security_object, self._files, self._policy)
        return self._require_relied_on(security_object.hash_algorithm)

    def _require_digest(self, security_object: SecurityObject) -> Departures:
        require_content_digest(security_object)
        return self._require_relied_on(security_object.signer.digest_algorithm)

    def _require_relied_on(self, hash_algorithm: str) -> Departures:
        if hash_algorithm not in WEAK_HASHES:
            return NONE
        if not self._policy.accepts_legacy:
            raise AlgorithmRefused(f"digest by {hash_algorithm}")
        return frozenset({Departure.LEGACY_ALGORITHM})

    def _check_signature(self, security_object: SecurityObject, intact: CardFiles) -> None:
        if security_object.signer.attributes is None:
            self._leave_out(Check.SOD_DIGEST, "EF.SOD has no signed attributes")
        else:
            self._make(Check.SOD_DIGEST, partial(self._require_digest, security_object))
        signed = partial(_require_signed_by_its_certificate, security_object, self._policy)
        self._make(Check.SOD_SIGNATURE, signed)
        signers: list[DocumentSigner] = []

        def trust() -> Departures:
            encoded = signer_certificate(security_object)
            signer = self._trust_store.document_signer(encoded)
            require_entitled(signer.certificate, intact)
            signers.append(signer)
            return signer.departures

        if self._make(Check.SIGNER_TRUST, trust):
            self.results[Check.SIGNER_SIGNATURE] = PASSED
            self._check_signer(security_object, signers[0], intact)
        else:
            self._make(Check.SIGNER_SIGNATURE, partial(self._require_issued, security_object))
            self._abort(_NEED_TRUSTED_SIGNER, self.results[Check.SIGNER_TRUST].code or "")

    def _require_issued(self, security_object: SecurityObject) -> None:
        certificate = parse_certificate(signer_certificate(security_object))
        require_issued(certificate, self._trust_store.authorities, self._policy)

    def _check_signer(
        self, security_object: SecurityObject, signer: DocumentSigner, intact: CardFiles
    ) -> None:
        certificate, moment = signer.certificate, self._moment
        self.defects = signer.defects
        self._make(
            Check.SIGNER_VALIDITY_AT_SIGNING,
            partial(require_valid_when_signed, security_object, certificate, intact, moment),
        )
        self.results[Check.SIGNER_VALIDITY_NOW] = validity_now(
            certificate, moment, "document signer", SIGNER_EXPIRED_SINCE
        )
        self._make(
            Check.SIGNER_REVOCATION,
            partial(require_not_revoked, certificate, signer.revocation_lists, moment),
        )
        self.results[Check.AUTHORITY_VALIDITY_NOW] = validity_now(
            signer.authority, moment, "CSCA", AUTHORITY_EXPIRED_SINCE
        )
        dg1 = self._parsed.get(LdsFile.DG1)
        if isinstance(dg1, Dg1):
            self._check_country(dg1, signer)

    def _check_country(self, dg1: Dg1, signer: DocumentSigner) -> None:
        country = country_of_state(dg1.zone.issuing_state)
        if country is None:
            self._leave_out(Check.COUNTRY_MATCH, "no country code is known for the state in DG1")
        else:
            self._make(Check.COUNTRY_MATCH, partial(require_country, country, signer.certificate))

    def _check_chip_support(self, security_object: SecurityObject) -> None:
        """A protocol whose key the issuer did not sign cannot prove this chip."""
        for file, check in (
            (LdsFile.DG14, Check.CHIP_AUTHENTICATION),
            (LdsFile.DG15, Check.ACTIVE_AUTHENTICATION),
        ):
            if file not in security_object.hashes:
                self._leave_out(check, f"EF.SOD signs no {file.name}")

    def _check_card_security(self, intact: CardFiles) -> None:
        encoded = self._files.get(LdsFile.CARD_SECURITY)
        if encoded is not None:

            def authenticate() -> Departures:
                found = authenticate_card_security(encoded, self._trust_store, self._moment, files=intact)
                return found.departures

            self._make(Check.CARD_SECURITY, authenticate)
        card_access = self._parsed.get(LdsFile.CARD_ACCESS)
        if isinstance(card_access, SecurityInfos) and not any(
            info.protocol.startswith(_PACE_CAM) for info in card_access.pace
        ):
            self._leave_out(Check.CHIP_AUTHENTICATION_MAPPING, "EF.CardAccess offers no PACE with it")

    def _check_terminal_support(self) -> None:
        told = [self._parsed.get(file) for file in (LdsFile.DG14, LdsFile.CARD_ACCESS)]
        infos = [info for info in told if isinstance(info, SecurityInfos)]
        if infos and LdsFile.CVCA not in self._files and not any(_asks_for_terminal(info) for info in infos):
            self._leave_out(Check.TERMINAL_AUTHENTICATION, "the chip does not ask for it")

    def _check_holder(self) -> None:
        dg1, dg13 = self._parsed.get(LdsFile.DG1), self._parsed.get(LdsFile.DG13)
        if not isinstance(dg1, Dg1) or not isinstance(dg13, Dg13):
            return
        if isinstance(dg1.zone, Td1) and has_holder_twice(dg1.zone):
            self._make(Check.HOLDER_CONSISTENCY, partial(require_same_holder, dg1.zone, dg13))
        else:
            self._leave_out(Check.HOLDER_CONSISTENCY, "DG13 of another state is not known to hold a person")


def _passed_with(departures: Departures) -> CheckResult:
    codes = sorted(departure.value for departure in departures)
    return CheckResult(Outcome.SUCCESSFUL, codes[0], f"accepted by policy: {', '.join(codes)}")


def _require_signed_by_its_certificate(
    security_object: SecurityObject, policy: SignaturePolicy
) -> Departures:
    """The signature is right by the certificate it carries, whoever issued that."""
    certificate = parse_certificate(signer_certificate(security_object))
    require_named(security_object, certificate)
    key = load_public_key(certificate.public_key_info, accepts_legacy=policy.accepts_legacy)
    return require_signature(security_object, key, policy)


def _compare_lists(common_data: CommonData, security_object: SecurityObject, files: CardFiles) -> CheckResult:
    """EF.COM against EF.SOD: issuers make mistakes in it, and a copy hides its missing key by it.

    Nobody signed EF.COM, so a difference alone says nothing about the document.
    """
    listed, signed = frozenset(common_data.data_groups), frozenset(security_object.hashes)
    if listed == signed:
        return PASSED
    if _PROVE_THE_CHIP & (signed - listed - files.keys()):
        return CheckResult(
            Outcome.FAILED, FileListInconsistent.code, "EF.COM hides a file that would prove the chip"
        )
    return CheckResult(
        Outcome.UNDETERMINED, FileListInconsistent.code, "EF.COM and EF.SOD list different data groups"
    )


def _asks_for_terminal(infos: SecurityInfos) -> bool:
    return bool(infos.terminal_authentication)
