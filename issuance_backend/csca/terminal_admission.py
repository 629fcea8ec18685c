"""CVCA, document verifier and terminals of one issuer, on disk (BSI TR-03110-3, 2.2 and C)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from issuance_backend.csca.cv_authorities import (
    SEQUENCE_DIGITS,
    CvHolder,
    CvPlan,
    CvSigner,
    first_reference,
    issue_cvca,
    issue_cvca_link,
    issue_document_verifier,
    issue_terminal,
    next_reference,
)
from issuance_backend.csca.key_places import KeyPlace
from issuance_backend.csca.logged_keys import LoggedKeys
from issuance_backend.csca.pki_records import CERTIFICATE_ISSUED, PkiRecords
from issuance_backend.csca.signer import PrivateKey, write_secret
from issuance_backend.csca.signing_algorithms import PublicKey, SigningAlgorithm
from issuance_backend.refusals import SigningKeyUnavailable
from verification.lds.card_verifiable import (
    READ_DG3,
    READ_DG4,
    CardVerifiableCertificate,
    HolderRole,
    parse_cv_certificate,
)

CVCA = "cvc/cvca.cvcert"
DOCUMENT_VERIFIER = "cvc/dv.cvcert"
_LINK = "cvc/link-"
_TERMINALS = "cvc/terminals/"
_ALL_RIGHTS = READ_DG3 | READ_DG4


class TerminalAdmission:
    """Who may read fingerprints; a step for which a place of keys is not open takes none."""

    def __init__(self, records: PkiRecords, moment: datetime) -> None:
        self._records = records
        self._moment = moment
        self._keys = LoggedKeys(records, moment)

    def make_cvca(self, root: KeyPlace, plan: CvPlan) -> None:
        """Make the CVCA's first key, or its next one with a link that chips in the field accept."""
        number = self._records.issues_of(CVCA) + 1
        former = self._signer(root, "cvca", CVCA) if number > 1 else None
        key = self._keys.make(root, f"cvca-{number}", plan.key)
        day = self._moment.date()
        if former is None:
            reference = first_reference(plan.country, plan.cvca_mnemonic)
        else:
            reference = next_reference(former.certificate.holder_reference)
            link = issue_cvca_link(former, key, day, plan.cvca_days)
            self._publish(f"{_LINK}{number - 1}.cvcert", link)
        self._publish(CVCA, issue_cvca(key, reference, day, plan.cvca_days))
        if former is not None:
            self._keys.destroy(root, f"cvca-{number - 1}")

    def admit_document_verifier(self, root: KeyPlace, signers: KeyPlace, plan: CvPlan) -> None:
        """Admit this issuer's own document verifier with a new key."""
        number = self._records.issues_of(DOCUMENT_VERIFIER) + 1
        reference = first_reference(plan.country, plan.document_verifier_mnemonic)
        if number > 1:
            reference = next_reference(self._certificate(DOCUMENT_VERIFIER).holder_reference)
        key = self._keys.make(signers, f"dv-{number}", plan.key)
        holder = CvHolder(key.public_key, key.algorithm, reference, _ALL_RIGHTS)
        cvca = self._signer(root, "cvca", CVCA)
        days = plan.document_verifier_days
        self._publish(DOCUMENT_VERIFIER, issue_document_verifier(cvca, holder, self._moment.date(), days))
        if number > 1:
            self._keys.destroy(signers, f"dv-{number - 1}")

    def admit_terminal(
        self, signers: KeyPlace, plan: CvPlan, key: tuple[PublicKey, SigningAlgorithm]
    ) -> tuple[CardVerifiableCertificate, ...]:
        """Admit a terminal with its own key; returns the chain from every key that chips may trust."""
        verifier = self._signer(signers, "dv", DOCUMENT_VERIFIER)
        cvca = self._certificate(CVCA)
        if verifier.certificate.authority_reference != cvca.holder_reference:
            raise SigningKeyUnavailable("the CVCA has a newer key: admit the document verifier anew")
        number = 1 + len(self._records.published(f"{_TERMINALS}*"))
        reference = f"{plan.country}{plan.terminal_mnemonic}{number:0{SEQUENCE_DIGITS}d}"
        holder = CvHolder(*key, reference, plan.rights)
        issued = issue_terminal(verifier, holder, self._moment.date(), plan.terminal_days)
        self._publish(f"{_TERMINALS}{reference}.cvcert", issued)
        links = map(self._certificate, self._records.published(f"{_LINK}*"))
        return *links, cvca, verifier.certificate, issued

    def _signer(self, place: KeyPlace, kind: str, file: str) -> CvSigner:
        number = self._records.issues_of(file)
        if not number:
            raise SigningKeyUnavailable(f"there is no {kind} yet")
        return CvSigner(self._keys.open(place, f"{kind}-{number}"), self._certificate(file))

    def _certificate(self, file: str) -> CardVerifiableCertificate:
        return parse_cv_certificate(self._records.read(file))

    def _publish(self, file: str, certificate: CardVerifiableCertificate) -> None:
        self._records.publish(
            self._moment,
            file,
            certificate.encoded,
            CERTIFICATE_ISSUED,
            authority=certificate.authority_reference,
            holder=certificate.holder_reference,
            not_before=certificate.effective.isoformat(),
            not_after=certificate.expiration.isoformat(),
        )


def require_empty_folder(folder: Path) -> None:
    """Certificates beside another key would be of no use to anybody; raises FileExistsError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds files already: a terminal takes an empty folder")


def write_terminal_folder(folder: Path, chain: Sequence[CardVerifiableCertificate], key: PrivateKey) -> None:
    """What a terminal is given: its chain from the top down, and its key, which it must protect itself."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, certificate in enumerate(chain):
        (folder / f"cvc_{place}_{_kind(certificate)}.cvcert").write_bytes(certificate.encoded)
    write_secret(folder / "is_key.pkcs8", key.to_pkcs8())


def _kind(certificate: CardVerifiableCertificate) -> str:
    role = certificate.authorization.role
    if role is HolderRole.CVCA:
        return "cvca" if certificate.is_self_signed else "link"
    return "dv" if role.is_document_verifier else "is"
