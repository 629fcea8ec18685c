"""What can be asked about the signer's certificate and the CSCA above it, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature

from verification.errors import (
    AlgorithmRefused,
    AuthorityUnknown,
    CountryMismatch,
    MalformedDocument,
    SignerNotValidThen,
    SignerUntrusted,
)
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.pki.authorities import MAX_CANDIDATES, Authority
from verification.pki.certificate import Certificate
from verification.pki.signature_algorithms import signature_verifier
from verification.pki.signature_policy import SignaturePolicy

SIGNER_EXPIRED_SINCE = "CHIP_DS_EXPIRED_SINCE"
"""The signer expired after it signed: normal for a card without expiry, and no failure."""
AUTHORITY_EXPIRED_SINCE = "CHIP_CSCA_EXPIRED_SINCE"
"""The CSCA expired after it issued the signer: as normal, and no failure."""


def require_issued(
    certificate: Certificate, authorities: Sequence[Authority], policy: SignaturePolicy
) -> None:
    """One of the CSCAs that the certificate names as its issuer signed it.

    Raises AuthorityUnknown where none of that name or key is known, SignerUntrusted where the
    signature is by none of them, and AlgorithmRefused.
    """
    named = [authority for authority in authorities if _is_named(certificate, authority.certificate)]
    if not named:
        raise AuthorityUnknown("the CSCA that the document signer names is not known here")
    verify = signature_verifier(certificate.signature_algorithm, accepts_legacy=policy.accepts_legacy)
    for authority in named[:MAX_CANDIDATES]:
        try:
            verify(authority.key, certificate.signature, certificate.signed)
        except (InvalidSignature, AlgorithmRefused, MalformedDocument):
            continue  # successors share a name: the next may be the one
        return
    raise SignerUntrusted("no CSCA of that name signed the document signer's certificate")


def _is_named(certificate: Certificate, authority: Certificate) -> bool:
    key_id = certificate.authority_key_id
    return authority.subject == certificate.issuer or (
        key_id is not None and key_id == authority.subject_key_id
    )


def validity_now(certificate: Certificate, moment: datetime, who: str, expired_since: str) -> CheckResult:
    """Not valid yet is a failure; having expired since leaves the question to the time of signing."""
    if moment < certificate.not_before:
        return CheckResult(Outcome.FAILED, SignerNotValidThen.code, f"{who} is not valid yet")
    if moment > certificate.not_after:
        return CheckResult(Outcome.UNDETERMINED, expired_since, f"{who} has expired since")
    return PASSED


def require_country(country: str, certificate: Certificate) -> None:
    """The signer is of the country that the document names; else raises CountryMismatch."""
    if certificate.country != country:
        raise CountryMismatch("document and signer name different countries")
