"""Who is certified to capture or approve, as those who certify write and read it."""

from __future__ import annotations

import msgspec


class CertificateGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An officer is certified from one day to another, by whoever issued the certificate."""

    officer: str
    level: str
    valid_from: str
    valid_until: str
    issuer: str


class CertificateWithdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing that an officer seals or approves from a moment on is taken without a case."""

    since: str
    case_id: str


class CertificatesWithdrawn(msgspec.Struct, frozen=True):
    """How many certificates a withdrawal met, and how many dossiers were held for its case.

    ``others`` were captured since too and cannot be held: they ended, or another case holds them.
    """

    certificates: int
    held: int
    others: tuple[str, ...]


class OfficerCertificate(msgspec.Struct, frozen=True):
    """One certificate as it stands."""

    id: str
    officer: str
    level: str
    valid_from: str
    valid_until: str
    issuer: str
    certified_by: str
    certified_at: str
    withdrawn_from: str | None = None
    withdrawn_by: str | None = None
