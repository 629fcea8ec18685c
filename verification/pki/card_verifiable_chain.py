"""A chain of card verifiable certificates, verified as a chip does it (BSI TR-03110-3, 2.5 and C).

The terminal's side needs no verdict of its own, the chip decides. It verifies nevertheless, before a
card is on the reader: a chip refuses a bad chain without a reason, and one that is not valid yet
would move the date that the chip keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from verification.encoding.curve_parameters import DomainParameters
from verification.errors import TerminalCertificateExpired, TerminalCertificateInvalid
from verification.lds.card_verifiable import CardVerifiableCertificate, CvEcKey, HolderRole
from verification.lds.card_verifiable_path import EffectiveRights, effective_rights
from verification.pki.card_verifiable_key import load_cv_key, require_cv_signature

# A CVCA issues to its successor (a link) and to document verifiers, those to terminals, who issue to nobody.
_ISSUES_TO: Mapping[HolderRole, frozenset[HolderRole]] = {
    HolderRole.CVCA: frozenset({HolderRole.CVCA, HolderRole.DV_DOMESTIC, HolderRole.DV_FOREIGN}),
    HolderRole.DV_DOMESTIC: frozenset({HolderRole.IS}),
    HolderRole.DV_FOREIGN: frozenset({HolderRole.IS}),
    HolderRole.IS: frozenset(),
}


def verify_chain(
    trust_point: CardVerifiableCertificate, chain: Sequence[CardVerifiableCertificate], today: date
) -> EffectiveRights:
    """Verify the certificates below a trusted CVCA and return the rights that are left at the end.

    The trust point is a CVCA's self-signed certificate: believed because it was handed in, its
    signature shows that the file is whole. Raises TerminalCertificateInvalid for a signature,
    name, role or key that does not hold, TerminalCertificateExpired, and MalformedDocument or
    AlgorithmRefused for a key that cannot be used.
    """
    if trust_point.authorization.role is not HolderRole.CVCA or not trust_point.is_self_signed:
        raise TerminalCertificateInvalid("the trust point is no certificate that a CVCA made for itself")
    curve = _curve_of(trust_point)
    require_cv_signature(trust_point.public_key, curve, trust_point.body, trust_point.signature)
    issuer = trust_point
    for certificate in chain:
        _require_issued(issuer, certificate)
        _require_valid(certificate, today)
        require_cv_signature(issuer.public_key, curve, certificate.body, certificate.signature)
        # A link may lead to another curve; everybody below a CVCA has the CVCA's.
        curve = _curve_of(certificate) or curve
        issuer = certificate
    load_cv_key(issuer.public_key, curve)
    return effective_rights((trust_point, *chain))


def _require_issued(issuer: CardVerifiableCertificate, certificate: CardVerifiableCertificate) -> None:
    """Name, role and type of terminal follow those of the issuer."""
    if certificate.authority_reference != issuer.holder_reference:
        raise TerminalCertificateInvalid("a terminal certificate names another authority")
    if certificate.authorization.role not in _ISSUES_TO[issuer.authorization.role]:
        raise TerminalCertificateInvalid("a terminal certificate's authority may not issue to its role")
    if certificate.authorization.oid != issuer.authorization.oid:
        raise TerminalCertificateInvalid("a terminal certificate's authority is for other terminals")


def _require_valid(certificate: CardVerifiableCertificate, today: date) -> None:
    if today < certificate.effective:
        raise TerminalCertificateExpired("a terminal certificate is not valid yet")
    # A link stays usable: without it a chip that slept could never learn of the new key (2.5.1).
    is_link = certificate.authorization.role is HolderRole.CVCA
    if today > certificate.expiration and not is_link:
        raise TerminalCertificateExpired("a terminal certificate has expired")


def _curve_of(certificate: CardVerifiableCertificate) -> DomainParameters | None:
    key = certificate.public_key.key
    return key.curve if isinstance(key, CvEcKey) else None
