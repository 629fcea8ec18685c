"""The chip's side of terminal authentication, and its memory of whom it trusts (ICAO 9303-11, 7.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from issuance_backend.virtual_card.icc_commands import (
    SW_AUTHENTICATION_FAILED,
    SW_CONDITIONS_NOT_SATISFIED,
    SW_DATA_INCORRECT,
    SW_REFERENCE_NOT_FOUND,
    CommandRefused,
    data_objects,
)
from issuance_backend.virtual_card.icc_cv_certificates import (
    CvCertificate,
    PublicKey,
    Role,
    parse_body_and_signature,
    parse_certificate,
)
from issuance_backend.virtual_card.icc_random import Random
from verification.encoding.tlv import build
from verification.lds.files import LdsFile

CHALLENGE = 8
_KEY_REFERENCE = 0x83
_EF_CVCA = 36
_MAX_TRUST_POINTS = 2
_RIGHTS = {0x01: LdsFile.DG3, 0x02: LdsFile.DG4}
_MAY_ISSUE = {
    Role.AUTHORITY: frozenset({Role.AUTHORITY, Role.DOMESTIC_VERIFIER, Role.FOREIGN_VERIFIER}),
    Role.DOMESTIC_VERIFIER: frozenset({Role.TERMINAL}),
    Role.FOREIGN_VERIFIER: frozenset({Role.TERMINAL}),
    Role.TERMINAL: frozenset[Role](),
}


class ImportedKey(NamedTuple):
    """A public key the chip has accepted, with what came along; ``rights`` are already the effective ones."""

    holder: bytes
    public_key: PublicKey
    role: Role
    rights: int
    effective: date
    expiration: date


class _Trusted(NamedTuple):
    points: tuple[ImportedKey, ...]
    today: date


class TrustMemory:
    """Trust points and the date the chip believes in: what outlives a reset.

    Both change in one assignment, so that a card pulled at any moment has the old or the new.
    """

    def __init__(self, certificates: Sequence[bytes]) -> None:
        points = [_imported(parse_certificate(encoded)) for encoded in certificates]
        self._trusted = _settled(points, max((point.effective for point in points), default=date.min))

    @property
    def points(self) -> tuple[ImportedKey, ...]:
        """At most two, the newest first."""
        return self._trusted.points

    @property
    def today(self) -> date:
        """The newest effective date of a certificate that the chip could trust for it (7.1.4.3.3)."""
        return self._trusted.today

    def references(self) -> list[bytes]:
        """Whose certificates the chip takes, the newest first."""
        return [point.holder for point in self.points]

    def ef_cvca(self) -> bytes:
        """EF.CVCA as it reads now (BSI TR-03110-3, A.7.2.4)."""
        return b"".join(build(0x42, reference) for reference in self.references()).ljust(_EF_CVCA, b"\x00")

    def learn(self, imported: ImportedKey, *, is_accurate: bool) -> None:
        """Move the date on, and take the key in where it is an authority's (7.1.4.3.4)."""
        today = max(self.today, imported.effective) if is_accurate else self.today
        is_new_point = imported.role is Role.AUTHORITY
        self._trusted = _settled([imported, *self.points] if is_new_point else self.points, today)


def _settled(points: Sequence[ImportedKey], today: date) -> _Trusted:
    newest_first = sorted(points, key=lambda point: point.effective, reverse=True)
    return _Trusted(tuple(newest_first[:_MAX_TRUST_POINTS]), today)


class TerminalAuthentication:
    """Certificate by certificate to the terminal's key, then a signature with it.

    It lives as long as a session; a failed step leaves the session and what was imported alone.
    """

    def __init__(self, trust: TrustMemory, random: Random) -> None:
        self._trust = trust
        self._random = random
        self._imported: ImportedKey | None = None
        self._verifier: ImportedKey | None = None
        self._terminal: ImportedKey | None = None
        self._challenge: bytes | None = None

    def forget(self) -> None:
        """Drop everything but the trust points: the session is over."""
        self._imported = self._verifier = self._terminal = self._challenge = None

    def set_verification_key(self, data: bytes) -> None:
        """MSE:Set DST: who signed the next certificate; raises CommandRefused (6A80, 6A88)."""
        self._verifier = self._known(_reference(data))

    def verify_certificate(self, data: bytes) -> None:
        """PSO:VERIFY CERTIFICATE; raises CommandRefused (6A80, 6985, 6300)."""
        issuer = self._verifier
        if issuer is None:
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        certificate = parse_body_and_signature(data, issuer.public_key)
        self._require_acceptable(certificate, issuer)
        if not issuer.public_key.is_signature(certificate.signature, certificate.signed):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        imported = _imported(certificate, issuer.rights)
        # Terminals of other states are not trusted to know the date.
        is_accurate = Role.FOREIGN_VERIFIER is not issuer.role
        self._trust.learn(imported, is_accurate=is_accurate)
        if imported.role is not Role.AUTHORITY:
            self._imported = imported
        self._verifier = self._terminal = None

    def set_terminal_key(self, data: bytes) -> None:
        """MSE:Set AT: the terminal by its name; raises CommandRefused (6A80, 6A88)."""
        self._terminal = self._challenge = None
        reference = _reference(data)
        imported = self._imported
        if imported is None or imported.holder != reference or imported.role is not Role.TERMINAL:
            raise CommandRefused(SW_REFERENCE_NOT_FOUND)
        self._terminal = imported

    def challenge(self) -> bytes:
        """GET CHALLENGE: good for one attempt."""
        self._challenge = self._random(CHALLENGE)
        return self._challenge

    def authenticate(self, signature: bytes, card_identity: bytes, terminal_key: bytes) -> frozenset[LdsFile]:
        """EXTERNAL AUTHENTICATE: the files that are open from now on.

        Raises CommandRefused: 6985 without the steps before it, 6300 for a wrong signature.
        """
        challenge, self._challenge = self._challenge, None
        terminal = self._terminal
        if challenge is None or terminal is None:
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        if not terminal.public_key.is_signature(signature, card_identity + challenge + terminal_key):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        self.forget()
        return frozenset(file for bit, file in _RIGHTS.items() if terminal.rights & bit)

    def _known(self, reference: bytes) -> ImportedKey:
        for key in (*self._trust.points, self._imported):
            if key is not None and key.holder == reference:
                return key
        raise CommandRefused(SW_REFERENCE_NOT_FOUND)

    def _require_acceptable(self, certificate: CvCertificate, issuer: ImportedKey) -> None:
        if certificate.authority != issuer.holder or certificate.role not in _MAY_ISSUE[issuer.role]:
            raise CommandRefused(SW_DATA_INCORRECT)
        if certificate.role is Role.AUTHORITY:
            # A link is taken late as well, but only to a key not held yet (7.1.4.3.3, 7.1.4.3.7).
            if certificate.holder in self._trust.references():
                raise CommandRefused(SW_DATA_INCORRECT)
        elif max(self._trust.today, certificate.effective) > certificate.expiration:
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        elif issuer.role is Role.AUTHORITY and issuer.expiration < self._trust.today:
            # An expired trust point still verifies its successor and nothing else (7.1.4.3.4).
            raise CommandRefused(SW_AUTHENTICATION_FAILED)


def _imported(certificate: CvCertificate, issuer_rights: int | None = None) -> ImportedKey:
    is_authority = certificate.role is Role.AUTHORITY
    rights = certificate.rights
    if issuer_rights is not None and not is_authority:
        rights &= issuer_rights
    return ImportedKey(
        certificate.holder,
        certificate.public_key,
        certificate.role,
        rights,
        certificate.effective,
        certificate.expiration,
    )


def _reference(data: bytes) -> bytes:
    for part in data_objects(data):
        if part.tag == _KEY_REFERENCE:
            return part.value
    raise CommandRefused(SW_DATA_INCORRECT)
