"""Certificate profiles of ICAO 9303-12, 7.1, as code: CSCA, link, document signer, master list signer.

Algorithms are those of the cards in circulation: the CSCA is on P-384 and signs with SHA-384; the
document signer is on brainpoolP384r1 and signs EF.SOD with SHA-256. Either may be RSA instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from issuance_backend.csca.crl import MAX_DAYS, issue_revocation_list, require_list_days
from issuance_backend.csca.signed_by import signed_certificate
from issuance_backend.csca.signer import CertifiedKey, PrivateKey, Signer, SigningKey
from issuance_backend.csca.signing_algorithms import KeyProfile, PublicKey
from verification.encoding.tlv import NULL, PRINTABLE_STRING, SEQUENCE, SET, build, build_integer
from verification.pki.master_list import MASTER_LIST_SIGNER

CSCA_HASH = "sha384"
DOCUMENT_SIGNER_HASH = "sha256"

MASTER_LIST_SIGNER_DAYS = 365
"""A master list signer serves about a year; lists are issued anew far more often."""

# Longer than any card is valid: what is above it is a slip of the keyboard.
_MAX_PERIOD_DAYS = 50 * 366
_COUNTRY = re.compile(r"[A-Z]{2}")
_STATE = re.compile(r"[A-Z]{1,3}")  # Germany's has one letter

_NAME_CHANGE = x509.ObjectIdentifier("2.23.136.1.1.6.1")
_DOCUMENT_TYPES = x509.ObjectIdentifier("2.23.136.1.1.6.2")
_MASTER_LIST_SIGNING = x509.ObjectIdentifier(MASTER_LIST_SIGNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyPlan:
    """What the ceremony makes; periods in days.

    A CSCA signs for five years, a document signer for three months. The signer's certificate is
    valid for ten years on top, a fixed cap: cards live longer, and cards without expiry for ever,
    which is why validity at the signing time decides and not validity today.

    ``csca_profile`` and ``signer_profile`` take the place of the curve: RSA, or another hash.

    Raises ValueError for what no certificate can say: before a key is made, not in the middle.
    """

    country: str = "VN"
    state: str = "VNM"
    organization: str = "Citizen Identity Card Issuer"
    csca_name: str = "CSCA Citizen Identity Card"
    signer_name: str = "Document Signer"
    master_list_signer_name: str = "Master List Signer"
    document_type: str = "ID"
    csca_curve: ec.EllipticCurve = field(default_factory=ec.SECP384R1)
    signer_curve: ec.EllipticCurve = field(default_factory=ec.BrainpoolP384R1)
    csca_profile: KeyProfile | None = None
    signer_profile: KeyProfile | None = None
    csca_use_days: int = 5 * 365
    signer_use_days: int = 90
    document_days: int = 10 * 366
    crl_days: int = MAX_DAYS
    crl_url: str | None = None

    def __post_init__(self) -> None:
        if not _COUNTRY.fullmatch(self.country) or not _STATE.fullmatch(self.state):
            raise ValueError("a country has two capital letters, a state in the MRZ up to three")
        if not all((self.organization, self.csca_name, self.signer_name)):
            raise ValueError("an issuer's names are not empty")
        periods = (self.csca_use_days, self.signer_use_days, self.document_days)
        if not all(0 < days <= _MAX_PERIOD_DAYS for days in periods):
            raise ValueError(f"a period has 1 to {_MAX_PERIOD_DAYS} days")
        require_list_days(self.crl_days)

    @property
    def csca_key(self) -> KeyProfile:
        """The kind of key a CSCA gets."""
        return self.csca_profile or KeyProfile.ecdsa(self.csca_curve, CSCA_HASH)

    @property
    def signer_key(self) -> KeyProfile:
        """The kind of key a document signer gets."""
        return self.signer_profile or KeyProfile.ecdsa(self.signer_curve, DOCUMENT_SIGNER_HASH)


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What came out of a ceremony; the keys are still in memory."""

    csca: CertifiedKey
    document_signer: CertifiedKey
    revocation_list: x509.CertificateRevocationList


def hold_ceremony(plan: CeremonyPlan, moment: datetime) -> Ceremony:
    """Make all keys, certificates and the empty list; ``moment`` is the time of the ceremony."""
    csca_key = PrivateKey.of_profile(plan.csca_key)
    csca = csca_key.with_certificate(issue_csca(csca_key, plan, moment))
    signer_key = PrivateKey.of_profile(plan.signer_key)
    document_signer = signer_key.with_certificate(issue_document_signer(csca, signer_key, plan, moment))
    crl = issue_revocation_list(csca, moment.replace(microsecond=0), days=plan.crl_days)
    return Ceremony(csca, document_signer, crl)


def issue_csca(key: SigningKey, plan: CeremonyPlan, moment: datetime) -> x509.Certificate:
    """The self-signed certificate of a country signing CA."""
    name = _name(plan, plan.csca_name)
    builder = _authority_profile(key, plan, moment, issuer_key=key.public_key)
    return signed_certificate(builder.subject_name(name).issuer_name(name), key)


def issue_link(authority: Signer, key: SigningKey, plan: CeremonyPlan, moment: datetime) -> x509.Certificate:
    """The new key of a country signing CA, signed by the old one (9303-12, 4.2.1 and 7.1.1).

    Whoever trusts the old key comes to trust the new one by it. Where the name changes along with
    the key, the link says so.
    """
    name = _name(plan, plan.csca_name)
    former = authority.certificate.subject
    builder = _authority_profile(key, plan, moment, issuer_key=authority.public_key)
    if name != former:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_NAME_CHANGE, build(NULL, b"")), critical=False
        )
    return signed_certificate(builder.subject_name(name).issuer_name(former), authority)


def issue_document_signer(
    authority: Signer, key: SigningKey, plan: CeremonyPlan, moment: datetime, name: str | None = None
) -> x509.Certificate:
    """The certificate of a document signer under this CSCA; its period of use begins on this day."""
    start = start_of_day(moment)
    use_until = start + timedelta(days=plan.signer_use_days)
    until = use_until + timedelta(days=plan.document_days)
    builder = _profile(key, plan, (start, until), use_until)
    builder = (
        builder.subject_name(_name(plan, name or plan.signer_name))
        .issuer_name(authority.certificate.subject)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(_authority_key_id(authority.public_key), critical=False)
        .add_extension(_document_types(plan.document_type), critical=False)
    )
    return signed_certificate(builder, authority)


def issue_master_list_signer(
    authority: Signer, key: SigningKey, plan: CeremonyPlan, moment: datetime
) -> x509.Certificate:
    """The certificate of a master list signer: for that one purpose only (9303-12, 7.1.1.5)."""
    start = start_of_day(moment)
    use_until = start + timedelta(days=MASTER_LIST_SIGNER_DAYS)
    builder = _profile(key, plan, (start, use_until + timedelta(days=plan.crl_days)), use_until)
    builder = (
        builder.subject_name(_name(plan, plan.master_list_signer_name))
        .issuer_name(authority.certificate.subject)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(_authority_key_id(authority.public_key), critical=False)
        .add_extension(x509.ExtendedKeyUsage([_MASTER_LIST_SIGNING]), critical=True)
    )
    return signed_certificate(builder, authority)


def period_of_use(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """When the private key may sign: the private key usage period of our own profiles."""
    period = certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    begin = period.not_before or certificate.not_valid_before_utc
    end = period.not_after or certificate.not_valid_after_utc
    return _in_utc(begin), _in_utc(end)


def start_of_day(moment: datetime) -> datetime:
    """Validity begins with the UTC day, so that a clock a little slow does not refuse new cards."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _authority_profile(
    key: SigningKey, plan: CeremonyPlan, moment: datetime, *, issuer_key: PublicKey
) -> x509.CertificateBuilder:
    """What a CSCA's own certificate and a link have in common; the names are still missing."""
    start = start_of_day(moment)
    use_until = start + timedelta(days=plan.csca_use_days)
    until = use_until + timedelta(days=plan.signer_use_days + plan.document_days)
    return (
        _profile(key, plan, (start, until), use_until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(_authority_key_id(issuer_key), critical=False)
    )


def _profile(
    key: SigningKey, plan: CeremonyPlan, validity: tuple[datetime, datetime], use_until: datetime
) -> x509.CertificateBuilder:
    """What all certificate profiles of 9303-12, 7.1 share."""
    start, until = validity
    # Both parties' alternative names carry the state's three letters as a locality (7.1.1.2).
    state = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.LOCALITY_NAME, plan.state)]))
    builder = (
        x509.CertificateBuilder()
        .public_key(key.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key), critical=False)
        .add_extension(x509.PrivateKeyUsagePeriod(start, use_until), critical=False)
        .add_extension(x509.SubjectAlternativeName([state]), critical=False)
        .add_extension(x509.IssuerAlternativeName([state]), critical=False)
    )
    if plan.crl_url is not None:
        address = x509.UniformResourceIdentifier(plan.crl_url)
        point = x509.DistributionPoint([address], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder


def _name(plan: CeremonyPlan, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, plan.country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, plan.organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _authority_key_id(key: PublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _document_types(document_type: str) -> x509.UnrecognizedExtension:
    """DocumentTypeListSyntax (9303-12, 7.1.1.6): the document codes this signer may sign for."""
    members = build(SET, build(PRINTABLE_STRING, document_type.encode("ascii")))
    return x509.UnrecognizedExtension(_DOCUMENT_TYPES, build(SEQUENCE, build_integer(0) + members))


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
