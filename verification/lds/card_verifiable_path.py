"""From a key that the chip trusts down to a terminal, and the rights that are left (BSI TR-03110-3, C).

Certificates are linked by name here; that each was signed by the one above is for the chip to
check, and for ``pki/card_verifiable_chain.py`` where this side wants to know it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verification.lds.card_verifiable import (
    INSPECTION_SYSTEM,
    READ_DG3,
    READ_DG4,
    CardVerifiableCertificate,
    HolderRole,
)
from verification.lds.files import LdsFile

MAX_PATH = 8
"""Certificates; a chip that slept through six generations of its CVCA needs that many."""


@dataclass(frozen=True, slots=True)
class EffectiveRights:
    """What a terminal may do: what it, its document verifier and their CVCA all have.

    ``rights`` are the bits of an inspection system; another type of terminal has none here.
    """

    rights: int = 0

    @property
    def reads_dg3(self) -> bool:
        """Whether fingerprints may be read."""
        return bool(self.rights & READ_DG3)

    @property
    def reads_dg4(self) -> bool:
        """Whether irises may be read."""
        return bool(self.rights & READ_DG4)

    @property
    def files(self) -> tuple[LdsFile, ...]:
        """The files that these rights open."""
        opened = ((LdsFile.DG3, self.reads_dg3), (LdsFile.DG4, self.reads_dg4))
        return tuple(file for file, is_open in opened if is_open)


@dataclass(frozen=True, slots=True)
class CvPath:
    """Certificates in the order in which the chip takes them, the terminal's own last.

    ``trust_point`` is the CVCA's own certificate where it is at hand; the chip holds its key already.
    """

    trust_point: CardVerifiableCertificate | None
    certificates: tuple[CardVerifiableCertificate, ...]

    @property
    def rights(self) -> EffectiveRights:
        """The rights of the whole path; those of a trust point not at hand are taken for all."""
        held = self.certificates if self.trust_point is None else (self.trust_point, *self.certificates)
        return effective_rights(held)


def effective_rights(certificates: Iterable[CardVerifiableCertificate]) -> EffectiveRights:
    """AND the authorizations of a chain; none at all where one is not of an inspection system."""
    everything = left = READ_DG3 | READ_DG4
    for certificate in certificates:
        authorization = certificate.authorization
        if authorization.role is HolderRole.CVCA:
            # What counts is the CVCA that the verifier names, not those whose links led there.
            left = everything
        left &= authorization.rights if authorization.oid == INSPECTION_SYSTEM else 0
    return EffectiveRights(left)


def build_path(
    certificates: Sequence[CardVerifiableCertificate], trusted_references: Sequence[str]
) -> CvPath | None:
    """The shortest path from a trusted key to the last certificate, None where there is none.

    The other certificates may stand in any order. Where several lead there, the earlier trusted
    reference counts more, then the certificate that is valid longer.
    """
    if not certificates or certificates[-1].is_self_signed:
        return None
    paths = [tuple(certificates[-1:])]
    # A certificate met again would only make a longer path, and link certificates may go round.
    unused = [certificate for certificate in certificates[:-1] if not certificate.is_self_signed]
    for _ in range(MAX_PATH):
        for trusted in trusted_references:
            for path in paths:
                if path[0].authority_reference == trusted:
                    return CvPath(_own_certificate(certificates, trusted), path)
        paths = [(issuer, *path) for path in paths for issuer in _take_issuers(unused, path[0])]
    return None


def _take_issuers(
    unused: list[CardVerifiableCertificate], certificate: CardVerifiableCertificate
) -> list[CardVerifiableCertificate]:
    """Those that may have issued the certificate, taken out of ``unused``; the longest valid first."""
    issuers = [held for held in unused if held.holder_reference == certificate.authority_reference]
    for issuer in issuers:
        unused.remove(issuer)
    return sorted(issuers, key=lambda issuer: issuer.expiration, reverse=True)


def _own_certificate(
    certificates: Sequence[CardVerifiableCertificate], reference: str
) -> CardVerifiableCertificate | None:
    for certificate in certificates:
        if certificate.is_self_signed and certificate.holder_reference == reference:
            return certificate
    return None
