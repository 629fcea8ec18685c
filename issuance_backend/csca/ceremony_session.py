"""What is done with the issuer's root keys while enough custodians are present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from issuance_backend.csca.ceremony import (
    CeremonyPlan,
    issue_csca,
    issue_document_signer,
    issue_link,
    issue_master_list_signer,
    period_of_use,
)
from issuance_backend.csca.crl import MAX_DAYS, issue_revocation_list, require_list_days
from issuance_backend.csca.cv_authorities import CvPlan
from issuance_backend.csca.key_places import KeyPlace
from issuance_backend.csca.logged_keys import LoggedKeys
from issuance_backend.csca.pki_records import (
    CSCA_CERTIFICATE,
    MASTER_LIST_SIGNER,
    REVOCATION_LIST,
    SIGNER_CERTIFICATE,
    Authority,
    PkiRecords,
    former_file,
    signer_file,
)
from issuance_backend.csca.signer import CertifiedKey, public_key_of
from issuance_backend.csca.signer_pool import SignatureCount
from issuance_backend.csca.terminal_admission import TerminalAdmission
from issuance_backend.refusals import SigningKeyUnavailable
from verification.errors import UntrustedDocument

ROTATION_MARGIN = timedelta(days=7)
"""A new document signer is due when some of this time to come has none."""

ROTATION_SHARE = 0.1
"""Or when they have less than this share of a quota left."""


class CeremonySession:
    """The root keys are open; every step is published and logged as it is made."""

    def __init__(self, records: PkiRecords, root: KeyPlace, signers: KeyPlace, moment: datetime) -> None:
        self._records = records
        self._root = root
        self._signers = signers
        self._moment = moment
        self._keys = LoggedKeys(records, moment)

    @property
    def csca(self) -> CertifiedKey:
        """The country signing CA in use; raises SigningKeyUnavailable."""
        return self._open(self._records.authorities()[0])

    def found(self, plan: CeremonyPlan) -> None:
        """Make the CSCA, its first document signer and its empty list."""
        key = self._keys.make(self._root, "csca-1", plan.csca_key)
        self._records.publish_certificate(self._moment, CSCA_CERTIFICATE, issue_csca(key, plan, self._moment))
        self.add_document_signer(plan)
        issued = issue_revocation_list(self.csca, self._moment, days=plan.crl_days)
        self._records.publish_list(self._moment, REVOCATION_LIST, issued)

    def add_document_signer(
        self, plan: CeremonyPlan, name: str | None = None, starts: datetime | None = None
    ) -> str:
        """Make a document signer whose period of use begins now, or when the one before it ends."""
        csca, begin = self.csca, starts or self._moment
        _require_in_use(csca.certificate, begin)
        signer = f"ds-{len(self._records.signers()) + 1:04d}"
        key = self._keys.make(self._signers, signer, plan.signer_key)
        certificate = issue_document_signer(csca, key, plan, begin, name)
        if certificate.not_valid_after_utc > csca.certificate.not_valid_after_utc:
            raise ValueError("the document signer would outlive the CSCA: shorten its period")
        self._records.publish_certificate(self._moment, signer_file(signer), certificate)
        # Once more under a name that stays: what ``revoke`` takes unless told otherwise.
        self._records.publish_certificate(self._moment, SIGNER_CERTIFICATE, certificate)
        SignatureCount.begin(self._records.count_file(signer))
        return signer

    def replace_document_signers(self, plan: CeremonyPlan, name: str | None = None) -> None:
        """Put a new document signer in use and destroy the keys of all others."""
        new = self.add_document_signer(plan, name)
        for signer in self._in_use():
            if signer != new:
                self._retire(signer)

    def rotate(self, plan: CeremonyPlan, name: str | None = None) -> bool:
        """Destroy keys that may sign no more; make the next signer if it is due, and say whether."""
        for signer in self._in_use():
            if self._is_over(signer):
                self._retire(signer)
        if not self._is_due():
            return False
        self.add_document_signer(plan, name)
        return True

    def renew_revocation_lists(self, revoke: Iterable[x509.Certificate] = (), days: int = MAX_DAYS) -> None:
        """Issue the next list under every name the CSCA has had, with further certificates on them."""
        require_list_days(days)
        revoked = list(revoke)
        for certificate in revoked:
            self._require_ours(certificate)
        for certificate in revoked:
            self._records.log.append(
                self._moment, "certificate revoked", serial_number=f"{certificate.serial_number:x}"
            )
        for authority, file in list(self._list_issuers()):
            self._renew(authority, file, revoked, days)
        self._retire_revoked()

    def roll_over(self, plan: CeremonyPlan) -> None:
        """Make the CSCA's next key, link it to the one in use, and sign with it from now on.

        The former key is destroyed, unless the name changes with it: then it goes on signing the
        revocation list of the former name.
        """
        generation = self._records.issues_of(CSCA_CERTIFICATE)
        former = self.csca
        _require_in_use(former.certificate, self._moment)
        key = self._keys.make(self._root, f"csca-{generation + 1}", plan.csca_key)
        link = issue_link(former, key, plan, self._moment)
        certificate = issue_csca(key, plan, self._moment)
        self._records.publish_certificate(self._moment, f"link-{generation}.der", link)
        self._records.publish_certificate(self._moment, former_file(generation), former.certificate)
        self._records.publish_certificate(self._moment, CSCA_CERTIFICATE, certificate)
        self.renew_revocation_lists(days=plan.crl_days)
        if certificate.subject == former.certificate.subject:
            self._keys.destroy(self._root, f"csca-{generation}")

    def make_master_list_signer(self, plan: CeremonyPlan) -> None:
        """Make a signer for master lists; the one before is destroyed."""
        number = self._records.issues_of(MASTER_LIST_SIGNER) + 1
        key = self._keys.make(self._signers, f"mls-{number}", plan.signer_key)
        certificate = issue_master_list_signer(self.csca, key, plan, self._moment)
        self._records.publish_certificate(self._moment, MASTER_LIST_SIGNER, certificate)
        if number > 1:
            self._keys.destroy(self._signers, f"mls-{number - 1}")

    def make_cvca(self, plan: CvPlan) -> None:
        """Make the CVCA, or its next key with a link."""
        TerminalAdmission(self._records, self._moment).make_cvca(self._root, plan)

    def admit_document_verifier(self, plan: CvPlan) -> None:
        """Admit our own document verifier under the CVCA."""
        TerminalAdmission(self._records, self._moment).admit_document_verifier(
            self._root, self._signers, plan
        )

    def _open(self, authority: Authority) -> CertifiedKey:
        return CertifiedKey(self._keys.open(self._root, authority.key), authority.certificate)

    # -- document signers

    def _in_use(self) -> list[str]:
        return [name for name in self._records.signers() if self._records.count_file(name).exists()]

    def _retire(self, signer: str) -> None:
        """The key first: without its count nobody would look for it again."""
        self._keys.destroy(self._signers, signer)
        self._records.count_file(signer).unlink()

    def _retire_revoked(self) -> None:
        revoked = self._records.revoked()
        for signer in self._in_use():
            if self._records.certificate(signer_file(signer)).serial_number in revoked:
                self._retire(signer)

    def _is_over(self, signer: str) -> bool:
        _, end = self._period(signer)
        return end < self._moment or not self._left(signer)

    def _is_due(self) -> bool:
        signers = self._in_use()
        covered_until = self._moment
        for begin, end in sorted(map(self._period, signers)):
            if begin <= covered_until:
                covered_until = max(covered_until, end)
        left = sum(self._left(signer) for signer in signers)
        few = ROTATION_SHARE * self._records.settings().signer_quota
        return covered_until < self._moment + ROTATION_MARGIN or left < few

    def _period(self, signer: str) -> tuple[datetime, datetime]:
        return period_of_use(self._records.certificate(signer_file(signer)))

    def _left(self, signer: str) -> int:
        return SignatureCount(self._records.count_file(signer), self._records.settings().signer_quota).left

    # -- revocation lists

    def _require_ours(self, certificate: x509.Certificate) -> None:
        """A certificate of another issuer would be left out of every list without a word."""
        for authority in self._records.authorities():
            try:
                certificate.verify_directly_issued_by(authority.certificate)
            except (InvalidSignature, ValueError, TypeError):
                continue
            return
        raise UntrustedDocument("this CSCA did not issue the certificate")

    def _renew(self, authority: Authority, file: str, revoked: Iterable[x509.Certificate], days: int) -> None:
        name = authority.certificate.subject
        former = [
            each.certificate for each in self._records.authorities() if each.certificate.subject == name
        ]
        issued = issue_revocation_list(
            self._open(authority),
            self._moment,
            previous=self._records.last_list_of(name),
            former=[public_key_of(certificate) for certificate in former],
            # Entries are by name: a serial number means nothing under another issuer.
            revoke=[certificate.serial_number for certificate in revoked if certificate.issuer == name],
            days=days,
        )
        self._records.publish_list(self._moment, file, issued)

    def _list_issuers(self) -> Iterator[tuple[Authority, str]]:
        """For each name the CSCA has had: its youngest key, and the file of its list."""
        youngest: dict[x509.Name, Authority] = {}
        for authority in self._records.authorities():
            youngest.setdefault(authority.certificate.subject, authority)
        # Former names first: only then may the list in use be replaced by one of another name.
        for authority in reversed(youngest.values()):
            is_current = authority.file == CSCA_CERTIFICATE
            yield authority, REVOCATION_LIST if is_current else f"{authority.key}.crl"


def _require_in_use(csca: x509.Certificate, moment: datetime) -> None:
    begin, end = period_of_use(csca)
    if not begin <= moment <= end:
        raise SigningKeyUnavailable(
            f"the CSCA signs from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, not on {moment:%Y-%m-%d}"
        )
