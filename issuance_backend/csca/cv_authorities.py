"""Who may read fingerprints: country verifying CA, document verifier and terminals (BSI TR-03110-3, C).

A chip trusts the CVCA's key from its personalisation on. The CVCA admits document verifiers, those
admit terminals, and a terminal has only the rights that everybody above it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuance_backend.csca.signer import PrivateKey, SigningKey
from issuance_backend.csca.signing_algorithms import KeyProfile, PublicKey, SigningAlgorithm
from issuance_backend.refusals import SigningKeyUnavailable
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME, DomainParameters
from verification.lds.card_verifiable import (
    CV_ALGORITHMS,
    INSPECTION_SYSTEM,
    READ_DG3,
    READ_DG4,
    CardVerifiableCertificate,
    CvAlgorithm,
    CvCertificateContent,
    CvEcKey,
    CvPublicKey,
    CvRsaKey,
    HolderAuthorization,
    HolderRole,
    build_cv_certificate,
    build_cv_certificate_body,
    encode_reference,
    parse_cv_certificate,
)
from verification.pki.card_verifiable_key import plain_signature

# How long a certificate is valid, in days: at least and at most (BSI TR-03139, 4.7).
CVCA_DAYS = (183, 3 * 365)
DOCUMENT_VERIFIER_DAYS = (14, 92)
TERMINAL_DAYS = (1, 31)

_OIDS = {algorithm: oid for oid, algorithm in CV_ALGORITHMS.items()}
COUNTRY_LETTERS, MAX_MNEMONIC, SEQUENCE_DIGITS = 2, 9, 5
"""The parts of a reference (TR-03110-3, A.6.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CvPlan:
    """What ``hold_cv_ceremony`` makes; references are country code and mnemonic, periods in days."""

    country: str = "VN"
    cvca_mnemonic: str = "CVCA"
    document_verifier_mnemonic: str = "DV"
    terminal_mnemonic: str = "IS"
    curve: ec.EllipticCurve = field(default_factory=ec.BrainpoolP256R1)
    hash_name: str = "sha256"
    rights: int = READ_DG3
    cvca_days: int = CVCA_DAYS[1]
    document_verifier_days: int = DOCUMENT_VERIFIER_DAYS[1]
    terminal_days: int = TERMINAL_DAYS[1]

    def __post_init__(self) -> None:
        """Raises ValueError for what no reference can say: before a key is made."""
        names = (self.cvca_mnemonic, self.document_verifier_mnemonic, self.terminal_mnemonic)
        if len(self.country) != COUNTRY_LETTERS or not all(0 < len(name) <= MAX_MNEMONIC for name in names):
            raise ValueError(f"a country has two letters, a mnemonic 1 to {MAX_MNEMONIC} characters")
        for name in names:
            encode_reference(first_reference(self.country, name))

    @property
    def key(self) -> KeyProfile:
        """The kind of key that everybody gets: a chip computes on one curve."""
        return KeyProfile.ecdsa(self.curve, self.hash_name)


@dataclass(frozen=True, slots=True)
class CvSigner:
    """A key and the certificate that was issued for it."""

    key: SigningKey
    certificate: CardVerifiableCertificate


@dataclass(frozen=True, slots=True)
class CvHolder:
    """Whom a certificate is for, and what it may be: the key, its name and its rights at most."""

    public_key: PublicKey
    algorithm: SigningAlgorithm
    reference: str
    rights: int


@dataclass(frozen=True, slots=True)
class CvCeremony:
    """A whole chain; the keys are still in memory."""

    cvca: CvSigner
    document_verifier: CvSigner
    terminal: CvSigner
    terminal_key: PrivateKey

    @property
    def chain(self) -> tuple[bytes, bytes, bytes]:
        """The certificates from the CVCA's own down to the terminal's."""
        holders = (self.cvca, self.document_verifier, self.terminal)
        first, second, third = (holder.certificate.encoded for holder in holders)
        return first, second, third


def hold_cv_ceremony(plan: CvPlan, day: date) -> CvCeremony:
    """Make the keys and certificates of a CVCA, a document verifier and a terminal."""
    keys = [PrivateKey.of_profile(plan.key) for _ in range(3)]
    names = (plan.cvca_mnemonic, plan.document_verifier_mnemonic, plan.terminal_mnemonic)
    references = [first_reference(plan.country, mnemonic) for mnemonic in names]
    cvca = CvSigner(keys[0], issue_cvca(keys[0], references[0], day, plan.cvca_days))
    verifier_holder = CvHolder(keys[1].public_key, keys[1].algorithm, references[1], READ_DG3 | READ_DG4)
    verifier_certificate = issue_document_verifier(cvca, verifier_holder, day, plan.document_verifier_days)
    verifier = CvSigner(keys[1], verifier_certificate)
    terminal_holder = CvHolder(keys[2].public_key, keys[2].algorithm, references[2], plan.rights)
    terminal_certificate = issue_terminal(verifier, terminal_holder, day, plan.terminal_days)
    return CvCeremony(cvca, verifier, CvSigner(keys[2], terminal_certificate), keys[2])


def issue_cvca(
    key: SigningKey, reference: str, day: date, days: int = CVCA_DAYS[1]
) -> CardVerifiableCertificate:
    """A CVCA's own certificate, with the curve written out and every right to give."""
    _require_days("country verifying CA", days, CVCA_DAYS)
    return _issue(key, reference, _cvca(key, reference), HolderRole.CVCA, (day, days))


def issue_cvca_link(
    former: CvSigner, key: SigningKey, day: date, days: int = CVCA_DAYS[1]
) -> CardVerifiableCertificate:
    """The next key of a CVCA, signed by the one before: chips in the field come to trust it by this."""
    _require_days("country verifying CA", days, CVCA_DAYS)
    reference = next_reference(former.certificate.holder_reference)
    signed_by = former.certificate.holder_reference
    return _issue(former.key, signed_by, _cvca(key, reference), HolderRole.CVCA, (day, days))


def issue_document_verifier(
    cvca: CvSigner,
    holder: CvHolder,
    day: date,
    days: int = DOCUMENT_VERIFIER_DAYS[1],
    *,
    role: HolderRole = HolderRole.DV_DOMESTIC,
) -> CardVerifiableCertificate:
    """Admit a document verifier, of this country or of another."""
    _require_days("document verifier", days, DOCUMENT_VERIFIER_DAYS)
    if cvca.certificate.authorization.role is not HolderRole.CVCA or not role.is_document_verifier:
        raise ValueError("only a country verifying CA admits document verifiers")
    return _issue(cvca.key, cvca.certificate.holder_reference, holder, role, (day, days))


def issue_terminal(
    document_verifier: CvSigner, holder: CvHolder, day: date, days: int = TERMINAL_DAYS[1]
) -> CardVerifiableCertificate:
    """Admit a terminal; its rights end with those of its document verifier."""
    _require_days("terminal", days, TERMINAL_DAYS)
    if not document_verifier.certificate.authorization.role.is_document_verifier:
        raise ValueError("only a document verifier admits terminals")
    reference = document_verifier.certificate.holder_reference
    return _issue(document_verifier.key, reference, holder, HolderRole.IS, (day, days))


def first_reference(country: str, mnemonic: str) -> str:
    """The name of a holder's first key."""
    return f"{country}{mnemonic}{1:0{SEQUENCE_DIGITS}d}"


def next_reference(reference: str) -> str:
    """The name of the key after this one: the sequence number counts on (TR-03110-3, A.6.1)."""
    number = int(reference[-SEQUENCE_DIGITS:]) + 1
    if number >= 10**SEQUENCE_DIGITS:
        raise ValueError("the sequence numbers of this holder are used up")
    return f"{reference[:-SEQUENCE_DIGITS]}{number:0{SEQUENCE_DIGITS}d}"


def sign_plain(key: SigningKey, data: bytes) -> bytes:
    """Sign as chips want it: r and s side by side, each as long as the order (BSI TR-03111, 5.2.1)."""
    signature = key.sign(data)
    if not isinstance(key.public_key, ec.EllipticCurvePublicKey):
        return signature
    return plain_signature(signature, _curve_of(key.public_key).n.bit_length())


def _issue(
    key: SigningKey, signed_by: str, holder: CvHolder, role: HolderRole, period: tuple[date, int]
) -> CardVerifiableCertificate:
    first, days = period
    content = CvCertificateContent(
        authority_reference=signed_by,
        holder_reference=holder.reference,
        public_key=_public_key(holder, with_curve=role is HolderRole.CVCA),
        authorization=HolderAuthorization(INSPECTION_SYSTEM, role, holder.rights),
        effective=first,
        # The last day counts (TR-03110-3, C.2): one day is from today until today.
        expiration=first + timedelta(days=days - 1),
    )
    body = build_cv_certificate_body(content)
    return parse_cv_certificate(build_cv_certificate(body, sign_plain(key, body)))


def _cvca(key: SigningKey, reference: str) -> CvHolder:
    return CvHolder(key.public_key, key.algorithm, reference, READ_DG3 | READ_DG4)


def _public_key(holder: CvHolder, *, with_curve: bool) -> CvPublicKey:
    oid = _OIDS.get(CvAlgorithm(*holder.algorithm))
    if oid is None:
        raise SigningKeyUnavailable(f"terminal authentication has no algorithm {holder.algorithm}")
    key = holder.public_key
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = _curve_of(key)
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return CvPublicKey(oid, CvEcKey(curve if with_curve else None, point))
    numbers = key.public_numbers()
    return CvPublicKey(oid, CvRsaKey(numbers.n, numbers.e))


def _curve_of(key: ec.EllipticCurvePublicKey) -> DomainParameters:
    return PARAMETERS_BY_NAME[key.curve.name]


def _require_days(holder: str, days: int, allowed: tuple[int, int]) -> None:
    least, most = allowed
    if not least <= days <= most:
        raise ValueError(f"a {holder} is admitted for {least} to {most} days")
