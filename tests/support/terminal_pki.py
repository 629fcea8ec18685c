"""CV certificate authorities for tests: a CVCA, document verifiers and terminals with fresh keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.lds.card_verifiable import (
    CV_ALGORITHMS,
    INSPECTION_SYSTEM,
    CardVerifiableCertificate,
    CvCertificateContent,
    CvEcKey,
    CvPublicKey,
    CvRsaKey,
    HolderAuthorization,
    HolderRole,
    build_cv_certificate,
    build_cv_certificate_body,
    parse_cv_certificate,
)
from verification.pki.card_verifiable_key import HASHES, plain_signature, rsa_padding

ECDSA_SHA256 = "0.4.0.127.0.7.2.2.2.2.3"
TODAY = date(2026, 6, 15)
ALL_RIGHTS = 0b11

_CURVES: dict[str, ec.EllipticCurve] = {
    curve.name: curve
    for curve in (
        ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(),
        ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1(),
    )
}  # fmt: skip


@cache
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    """RSA keys are dear to make: every test takes the same few."""
    return rsa.generate_private_key(65537, (2048, 2048, 1536)[number])


@dataclass(frozen=True)
class Party:
    """Somebody who holds a certificate and the private key to it."""

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: CardVerifiableCertificate

    def sign(self, data: bytes) -> bytes:
        return sign(self.private, self.certificate.public_key.algorithm, data)

    @property
    def name(self) -> str:
        return self.certificate.holder_reference


def sign(private: Any, algorithm: str, data: bytes) -> bytes:
    scheme, hash_name = CV_ALGORITHMS[algorithm]
    chosen = HASHES[hash_name]
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, rsa_padding(scheme, chosen), chosen)
    return plain_signature(private.sign(data, ec.ECDSA(chosen)), private.key_size)


def new_key(algorithm: str, curve: str = "brainpoolP256r1", number: int = 0) -> Any:
    if algorithm.startswith("0.4.0.127.0.7.2.2.2.1."):
        return _rsa_key(number)
    return ec.generate_private_key(_CURVES[curve])


def public_key(private: Any, algorithm: str, *, with_curve: bool) -> CvPublicKey:
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        return CvPublicKey(algorithm, CvRsaKey(numbers.n, numbers.e))
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    curve = PARAMETERS_BY_NAME[private.curve.name] if with_curve else None
    return CvPublicKey(algorithm, CvEcKey(curve, point))


def cvca(
    name: str = "VNTESTCVCA00001",
    *,
    algorithm: str = ECDSA_SHA256,
    curve: str = "brainpoolP256r1",
    **changes: Any,
) -> Party:
    """A CVCA with its self-signed certificate."""
    private = new_key(algorithm, curve)
    held = content(name, name, HolderRole.CVCA, public_key(private, algorithm, with_curve=True))
    return Party(private, _signed(replace(held, **changes), private, algorithm))


def content(
    authority: str, holder: str, role: HolderRole, key: CvPublicKey, rights: int = ALL_RIGHTS
) -> CvCertificateContent:
    return CvCertificateContent(
        authority_reference=authority,
        holder_reference=holder,
        public_key=key,
        authorization=HolderAuthorization(INSPECTION_SYSTEM, role, rights),
        effective=date(2026, 6, 1),
        expiration=date(2026, 6, 30),
    )


def issue(
    issuer: Party,
    name: str,
    role: HolderRole,
    *,
    rights: int = ALL_RIGHTS,
    private: Any = None,
    **changes: Any,
) -> Party:
    """A certificate of the issuer for a new key, or for ``private``; ``changes`` to its content."""
    algorithm = issuer.certificate.public_key.algorithm
    number = {HolderRole.CVCA: 0, HolderRole.IS: 2}.get(role, 1)
    curve = getattr(getattr(issuer.private, "curve", None), "name", "")
    private = private or new_key(algorithm, curve, number)
    held = content(
        issuer.name, name, role, public_key(private, algorithm, with_curve=role is HolderRole.CVCA), rights
    )
    return Party(private, _signed(replace(held, **changes), issuer.private, algorithm))


def link(old: Party, new: Party, **changes: Any) -> CardVerifiableCertificate:
    """The new CVCA's key signed by the old one."""
    held = content(old.name, new.name, HolderRole.CVCA, new.certificate.public_key)
    return _signed(replace(held, **changes), old.private, old.certificate.public_key.algorithm)


def terminal_chain(
    algorithm: str = ECDSA_SHA256, curve: str = "brainpoolP256r1"
) -> tuple[Party, Party, Party]:
    """A CVCA, a domestic document verifier and an inspection system that may read DG3 only."""
    root = cvca(algorithm=algorithm, curve=curve)
    verifier = issue(root, "VNTESTDV00001", HolderRole.DV_DOMESTIC)
    return root, verifier, issue(verifier, "VNTESTIS00001", HolderRole.IS, rights=0b01)


def _signed(held: CvCertificateContent, private: Any, algorithm: str) -> CardVerifiableCertificate:
    body = build_cv_certificate_body(held)
    return parse_cv_certificate(build_cv_certificate(body, sign(private, algorithm, body)))
