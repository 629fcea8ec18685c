"""The CSCA's revocation list: at most 90 days between issues, also when it is empty (9303-12, 7.1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509

from issuance_backend.csca.signed_by import signed_revocation_list
from issuance_backend.csca.signer import Signer
from issuance_backend.csca.signing_algorithms import PublicKey
from verification.errors import UntrustedDocument

MAX_DAYS = 90


def issue_revocation_list(
    authority: Signer,
    moment: datetime,
    *,
    previous: x509.CertificateRevocationList | None = None,
    former: Iterable[PublicKey] = (),
    revoke: Iterable[int] = (),
    days: int = MAX_DAYS,
) -> x509.CertificateRevocationList:
    """Issue the next list: all entries of the previous one and the serial numbers in ``revoke``.

    Entries are never dropped: a card without expiry outlives the certificate of its signer.
    ``former`` are keys that the authority had before; one of them may have signed the previous list.
    Raises UntrustedDocument where the previous list is not this authority's own: whoever could
    put another in its place would have revoked signers forgotten.
    """
    require_list_days(days)
    if previous is not None:
        _require_own(previous, [authority.public_key, *former])
        if moment < previous.last_update_utc:
            raise ValueError("the clock is before the previous revocation list")
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(moment)
        .next_update(moment + timedelta(days=days))
        .add_extension(x509.CRLNumber(1 if previous is None else number_of(previous) + 1), critical=False)
        .add_extension(_authority_key_id(authority.certificate), critical=False)
    )
    entries = (
        {} if previous is None else {entry.serial_number: entry.revocation_date_utc for entry in previous}
    )
    for serial_number in revoke:
        entries.setdefault(serial_number, moment)
    for serial_number, revoked_at in sorted(entries.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(revoked_at)
        builder = builder.add_revoked_certificate(entry.build())
    return signed_revocation_list(builder, authority)


def require_list_days(days: int) -> None:
    """A list is valid neither for nothing nor for too long; raises ValueError."""
    if not 0 < days <= MAX_DAYS:
        raise ValueError(f"a revocation list is valid for 1 to {MAX_DAYS} days")


def number_of(revocation_list: x509.CertificateRevocationList) -> int:
    """The number of a list; each one of an authority has a higher one than the list before."""
    return revocation_list.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _require_own(revocation_list: x509.CertificateRevocationList, keys: Iterable[PublicKey]) -> None:
    if not any(revocation_list.is_signature_valid(key) for key in keys):
        raise UntrustedDocument("the previous revocation list was not signed by this CSCA")


def _authority_key_id(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)
