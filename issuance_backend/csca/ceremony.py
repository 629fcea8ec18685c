"""The key ceremony: a CSCA, its first document signer and its first revocation list (9303-12, 7.1).

Profiles and algorithms are those of the cards in circulation: the CSCA is on P-384 and signs
with SHA-384; the document signer is on brainpoolP384r1 and signs EF.SOD with SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from issuance_backend.csca.crl import MAX_DAYS, issue_revocation_list
from issuance_backend.csca.signed_by import signed_certificate
from issuance_backend.csca.signer import KeyFileSigner, PrivateKey, Signer, SigningKey
from verification.encoding.tlv import PRINTABLE_STRING, SEQUENCE, SET, build, build_integer

CSCA_HASH = "sha384"
DOCUMENT_SIGNER_HASH = "sha256"

_DOCUMENT_TYPES = x509.ObjectIdentifier("2.23.136.1.1.6.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyPlan:
    """What the ceremony makes; periods in days.

    A CSCA signs for five years, a document signer for three months. The signer's certificate is
    valid for ten years on top: cards live longer, and cards without expiry for ever, which is
    why validity at the signing time decides and not validity today.
    """

    country: str = "VN"
    state: str = "VNM"
    organization: str = "Citizen Identity Card Issuer"
    csca_name: str = "CSCA Citizen Identity Card"
    signer_name: str = "Document Signer"
    document_type: str = "ID"
    csca_curve: ec.EllipticCurve = field(default_factory=ec.SECP384R1)
    signer_curve: ec.EllipticCurve = field(default_factory=ec.BrainpoolP384R1)
    csca_use_days: int = 5 * 365
    signer_use_days: int = 90
    document_days: int = 10 * 366
    crl_days: int = MAX_DAYS
    crl_url: str | None = None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What came out of a ceremony; the keys are still in memory."""

    csca: KeyFileSigner
    document_signer: KeyFileSigner
    revocation_list: x509.CertificateRevocationList


def hold_ceremony(plan: CeremonyPlan, moment: datetime) -> Ceremony:
    """Make all keys, certificates and the empty list; ``moment`` is the time of the ceremony."""
    csca_key = PrivateKey.generate(plan.csca_curve, CSCA_HASH)
    certificate = issue_csca(csca_key, plan, moment)
    csca = csca_key.with_certificate(certificate)
    signer_key = PrivateKey.generate(plan.signer_curve, DOCUMENT_SIGNER_HASH)
    document_signer = signer_key.with_certificate(issue_document_signer(csca, signer_key, plan, moment))
    crl = issue_revocation_list(csca, moment.replace(microsecond=0), days=plan.crl_days)
    return Ceremony(csca, document_signer, crl)


def issue_csca(key: SigningKey, plan: CeremonyPlan, moment: datetime) -> x509.Certificate:
    """The self-signed certificate of a country signing CA."""
    start = start_of_day(moment)
    use_until = start + timedelta(days=plan.csca_use_days)
    until = use_until + timedelta(days=plan.signer_use_days + plan.document_days)
    name = _name(plan, plan.csca_name)
    builder = _profile(key, plan, (start, until), use_until)
    builder = (
        builder.subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_documents=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key), critical=False)
    )
    return signed_certificate(builder, key)


def issue_document_signer(
    authority: Signer, key: SigningKey, plan: CeremonyPlan, moment: datetime, name: str | None = None
) -> x509.Certificate:
    """The certificate of a document signer under this CSCA."""
    start = start_of_day(moment)
    use_until = start + timedelta(days=plan.signer_use_days)
    until = use_until + timedelta(days=plan.document_days)
    issuer_key = authority.public_key
    builder = _profile(key, plan, (start, until), use_until)
    builder = (
        builder.subject_name(_name(plan, name or plan.signer_name))
        .issuer_name(authority.certificate.subject)
        .add_extension(_key_usage(signs_documents=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        .add_extension(_document_types(plan.document_type), critical=False)
    )
    return signed_certificate(builder, authority)


def start_of_day(moment: datetime) -> datetime:
    """Validity begins with the UTC day, so that a clock a little slow does not refuse new cards."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _profile(
    key: SigningKey, plan: CeremonyPlan, validity: tuple[datetime, datetime], use_until: datetime
) -> x509.CertificateBuilder:
    """What both certificate profiles of 9303-12, table 2 share."""
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


def _key_usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents,
        key_cert_sign=not signs_documents,
        crl_sign=not signs_documents,
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
