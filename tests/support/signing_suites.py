"""An issuer in every signature suite that documents use: CSCA, document signers and EF.SOD.

Keys, certificates and signatures are made straight with ``cryptography``; the ceremony of the
product has no part in it, so that neither can hide the other's mistake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.cms_writer import build_security_object
from tests.support.trust_material import (
    IS_AUTHORITY,
    SIGNED,
    SIGNS,
    SIGNS_CERTIFICATES,
    SINCE,
    UNTIL,
    Extension,
    issuer_key_id,
    key_id,
    name,
)
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import build_lds_security_object
from verification.lds.signed_data import SignedAttributes, SignerInfo, build_signed_attributes
from verification.pki.certificate import parse_certificate

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Suite:
    """How CSCA and document signer sign; ``salt`` is that of RSASSA-PSS."""

    name: str
    csca_key: Callable[[], PrivateKey]
    signer_key: Callable[[], PrivateKey]
    hash: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    salt: int | None = None

    @property
    def padding(self) -> padding.PSS | None:
        return None if self.salt is None else padding.PSS(padding.MGF1(self.hash), self.salt)

    def sign(self, key: PrivateKey, data: bytes) -> bytes:
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(self.hash))
        return key.sign(data, self.padding or padding.PKCS1v15(), self.hash)


def _ec(curve: ec.EllipticCurve) -> Callable[[], PrivateKey]:
    return lambda: ec.generate_private_key(curve)


def _rsa(bits: int, exponent: int = 65537) -> Callable[[], PrivateKey]:
    return lambda: rsa.generate_private_key(exponent, bits)


def _same(name: str, curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm) -> Suite:
    return Suite(name, _ec(curve), _ec(curve), algorithm)


SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        _same("p256", ec.SECP256R1(), hashes.SHA256()),
        _same("p384", ec.SECP384R1(), hashes.SHA384()),
        _same("p521", ec.SECP521R1(), hashes.SHA512()),
        _same("brainpoolp256", ec.BrainpoolP256R1(), hashes.SHA256()),
        _same("brainpoolp384", ec.BrainpoolP384R1(), hashes.SHA384()),
        _same("brainpoolp512", ec.BrainpoolP512R1(), hashes.SHA512()),
        Suite("rsa2048", _rsa(4096), _rsa(2048)),
        Suite("rsa2048_pss", _rsa(4096), _rsa(2048), salt=32),
        Suite("rsa4096", _rsa(4096), _rsa(4096)),
        Suite("rsa4096_pss", _rsa(4096), _rsa(4096), salt=32),
    )
}


@dataclass(frozen=True)
class SuiteSigner:
    """A document signer: its key and its certificate, encoded."""

    key: PrivateKey
    certificate: bytes


class SuiteIssuer:
    """A CSCA of a suite; every ``signer`` has a certificate of its own."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self._key = suite.csca_key()
        self._count = 0
        self.certificate = self._issue("CSCA", self._key, IS_AUTHORITY, SIGNS_CERTIFICATES, key_id(self._key))

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        return self._key.public_key()

    def signer(self, key: PrivateKey | None = None) -> SuiteSigner:
        """A new document signer, with a fresh key or the one given."""
        chosen = key or self.suite.signer_key()
        self._count += 1
        certificate = self._issue(
            f"Document Signer {self._count}", chosen, SIGNS, issuer_key_id(self._key), key_id(chosen)
        )
        return SuiteSigner(chosen, certificate)

    def security_object(self, signer: SuiteSigner, files: CardFiles) -> bytes:
        """EF.SOD over the data groups in ``files``."""
        digest = self.suite.hash.name
        groups = {file: content for file, content in files.items() if file.is_data_group}
        content = build_lds_security_object(
            {file: hashlib.new(digest, content).digest() for file, content in groups.items()}, digest
        )
        attributes = build_signed_attributes(hashlib.new(digest, content).digest(), SIGNED)
        certificate = parse_certificate(signer.certificate)
        info = SignerInfo(
            certificate.issuer,
            certificate.serial_number,
            None,
            digest,
            SignedAttributes(attributes, b"", b"", None),
            self._signature_algorithm,
            self.suite.sign(signer.key, attributes),
        )
        return build_security_object(content, info, signer.certificate)

    @cached_property
    def _signature_algorithm(self) -> bytes:
        """CSCA and document signer sign alike, so that the certificate has the identifier."""
        return parse_certificate(self.certificate).signature_algorithm

    def _issue(self, common_name: str, key: PrivateKey, *extensions: Extension) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common_name))
            .issuer_name(name("CSCA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(UNTIL)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(self._key, self.suite.hash, rsa_padding=self.suite.padding)
        return certificate.public_bytes(Encoding.DER)


def card_files(issuer: SuiteIssuer, signer: SuiteSigner, groups: CardFiles) -> dict[LdsFile, bytes]:
    """The data groups with an EF.SOD over them."""
    return {**groups, LdsFile.SOD: issuer.security_object(signer, groups)}
