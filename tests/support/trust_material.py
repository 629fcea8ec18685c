"""CSCAs, document signers, revocation lists and master lists with any profile that a test wants.

Made straight with ``cryptography``: the ceremony of the product has no part in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.cms_writer import build_signed_data
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, SEQUENCE, SET, DerReader, build, build_integer
from verification.lds.signed_data import SignedAttributes, SignerInfo, build_signed_attributes
from verification.pki.certificate import parse_certificate, read_signed
from verification.pki.master_list import MASTER_LIST, MASTER_LIST_SIGNER

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2036, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)

Extension = tuple[x509.ExtensionType, bool]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
ECDSA_SHA_256 = build(SEQUENCE, build_oid("1.2.840.10045.4.3.2"))


def usage(**allowed: bool) -> Extension:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    names += ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names}), True


SIGNS = usage(digital_signature=True)
SIGNS_CERTIFICATES = usage(key_cert_sign=True, crl_sign=True)
IS_AUTHORITY: Extension = (x509.BasicConstraints(ca=True, path_length=0), True)
SIGNS_MASTER_LISTS: Extension = (x509.ExtendedKeyUsage([x509.ObjectIdentifier(MASTER_LIST_SIGNER)]), True)


def name(common_name: str, country: str = "VN") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test Issuing Authority"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
        ]
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_id(key: PrivateKey) -> Extension:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False


def issuer_key_id(key: PrivateKey) -> Extension:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False


@dataclass
class Csca:
    """A country signing CA on P-256 that issues whatever it is asked for."""

    subject: x509.Name = field(default_factory=lambda: name("CSCA"))
    key: PrivateKey = field(default_factory=new_key)
    valid: tuple[datetime, datetime] = (SINCE, UNTIL)
    extensions: Sequence[Extension] = (IS_AUTHORITY, SIGNS_CERTIFICATES)

    def __post_init__(self) -> None:
        self.certificate = self.issue(
            self.subject, self.key, *self.extensions, key_id(self.key), valid=self.valid
        )

    def issue(
        self,
        subject: x509.Name,
        key: PrivateKey,
        *extensions: Extension,
        valid: tuple[datetime, datetime] = (SINCE, UNTIL),
        algorithm: hashes.HashAlgorithm | None = None,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, algorithm or hashes.SHA256()).public_bytes(Encoding.DER)

    def document_signer(self, *extensions: Extension, subject: x509.Name | None = None) -> bytes:
        return self.issue(subject or name("Document Signer"), new_key(), *(extensions or (SIGNS,)))

    def link_to(self, successor: Csca) -> bytes:
        """The successor's key under its own name, signed by this CSCA."""
        return self.issue(
            successor.subject,
            successor.key,
            IS_AUTHORITY,
            SIGNS_CERTIFICATES,
            key_id(successor.key),
            issuer_key_id(self.key),
            valid=successor.valid,
        )

    def revocation_list(
        self,
        revoked: Iterable[bytes | x509.RevokedCertificate] = (),
        *,
        number: int | None = 1,
        issued: datetime = SINCE,
        extensions: Iterable[Extension] = (),
    ) -> bytes:
        """A list of certificates, or of entries made by the test."""
        listed = [
            entry if isinstance(entry, x509.RevokedCertificate) else revoked_entry(serial_of(entry))
            for entry in revoked
        ]
        # Handed over at once: the builder copies all it has for each one that is added.
        builder = (
            x509.CertificateRevocationListBuilder(revoked_certificates=listed)
            .issuer_name(self.subject)
            .last_update(issued)
            .next_update(issued + timedelta(days=90))
            .add_extension(*issuer_key_id(self.key))
        )
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


def serial_of(certificate: bytes) -> int:
    return x509.load_der_x509_certificate(certificate).serial_number


def revoked_entry(serial: int, *extensions: Extension) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(SINCE)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.build()


def signed_anew(
    encoded: bytes,
    key: PrivateKey,
    *,
    signed: bytes | None = None,
    algorithm: bytes = ECDSA_SHA_256,
    hash_algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """A certificate or list with another signed part or algorithm, for what no builder will make."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    part, named, _ = read_signed(encoded)
    members = DerReader(signed or part).enter(SEQUENCE).remaining()
    content = build(SEQUENCE, members.replace(named, algorithm, 1))
    signature = key.sign(content, ec.ECDSA(hash_algorithm or hashes.SHA256()))
    return build(SEQUENCE, content + algorithm + build(BIT_STRING, b"\0" + signature))


def with_sha_1(encoded: bytes, key: PrivateKey) -> bytes:
    """The same signed over SHA-1, as certificates before 2010 are."""
    algorithm = build(SEQUENCE, build_oid("1.2.840.10045.4.1"))
    return signed_anew(encoded, key, algorithm=algorithm, hash_algorithm=hashes.SHA1())  # noqa: S303


@dataclass
class MasterListMaker:
    """A master list signer under a CSCA; every part can be another than prescribed."""

    csca: Csca
    extensions: Sequence[Extension] = (SIGNS, SIGNS_MASTER_LISTS)
    subject: x509.Name = field(default_factory=lambda: name("Master List Signer"))
    valid: tuple[datetime, datetime] = (SINCE, UNTIL)
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def __post_init__(self) -> None:
        self.certificate = self.csca.issue(self.subject, self.key, *self.extensions, valid=self.valid)

    def sign(
        self,
        members: Iterable[bytes],
        *,
        carried: Sequence[bytes] = (),
        content_type: str = MASTER_LIST,
        version: int = 0,
        signed: datetime | None = SIGNED,
    ) -> bytes:
        content = build(SEQUENCE, build_integer(version) + build(SET, b"".join(sorted(members))))
        attributes = build_signed_attributes(hashlib.sha256(content).digest(), signed, content_type)
        certificate = parse_certificate(self.certificate)
        signer = SignerInfo(
            certificate.issuer,
            certificate.serial_number,
            None,
            "sha256",
            SignedAttributes(attributes, b"", b"", None),
            ECDSA_SHA_256,
            self.key.sign(attributes, ec.ECDSA(hashes.SHA256())),
        )
        return build_signed_data(content_type, content, signer, b"".join((self.certificate, *carried)))
