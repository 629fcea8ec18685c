"""The terminal's certificates and key, from the folder that ``read --cvc`` names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from monitoring.environment import ConfigurationFault
from verification.chip.terminal_authentication import Terminal
from verification.errors import MalformedDocument, TerminalCertificateInvalid, UntrustedDocument
from verification.lds.card_verifiable import (
    CV_ALGORITHMS,
    MAX_CERTIFICATE,
    CardVerifiableCertificate,
    CvEcKey,
    CvPublicKey,
    CvRsaKey,
    HolderRole,
    parse_cv_certificate,
)
from verification.lds.card_verifiable_path import build_path
from verification.pki.card_verifiable_chain import verify_chain
from verification.pki.card_verifiable_key import HASHES, plain_signature, rsa_padding

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KEY_FILE = "is_key.pkcs8"
CERTIFICATES = "cvc_*.cvcert"
MAX_CERTIFICATES = 64
_MAX_KEY_BYTES = 16_384
_PEM = b"-----BEGIN"


def load_terminal(folder: Path, today: date) -> Terminal:
    """Read certificates and key; the chain is verified where the CVCA's own certificate is there.

    Raises ConfigurationFault for files that are missing or cannot be read,
    TerminalCertificateInvalid and TerminalCertificateExpired for what a chip would refuse.
    """
    certificates = [_certificate(path) for path in _certificate_files(folder)]
    private = _private_key(_read(folder / KEY_FILE, _MAX_KEY_BYTES))
    own = _own_certificate(certificates, private, today)
    ordered = (*(held for held in certificates if held is not own), own)
    authorities = [held.holder_reference for held in ordered if held.is_self_signed]
    path = build_path(ordered, authorities)
    if path is not None and path.trust_point is not None:
        _require_chain(path.trust_point, path.certificates, today)
    return Terminal(ordered, _signer(private, own.public_key))


def _certificate_files(folder: Path) -> list[Path]:
    paths = sorted(folder.glob(CERTIFICATES))
    if not 0 < len(paths) <= MAX_CERTIFICATES:
        raise ConfigurationFault(f"--cvc {folder.name}: {len(paths)} files {CERTIFICATES}")
    return paths


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as fault:
        raise ConfigurationFault(f"--cvc {path.name}: {type(fault).__name__}") from None


def _certificate(path: Path) -> CardVerifiableCertificate:
    try:
        return parse_cv_certificate(_read(path, MAX_CERTIFICATE))
    except MalformedDocument as fault:
        raise TerminalCertificateInvalid(f"{path.name}: {fault}") from None


def _private_key(encoded: bytes) -> PrivateKey:
    load = load_pem_private_key if encoded.startswith(_PEM) else load_der_private_key
    try:
        private = load(encoded, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise TerminalCertificateInvalid(f"{KEY_FILE}: {type(fault).__name__}") from None
    if not isinstance(private, PrivateKey):
        raise TerminalCertificateInvalid(f"{KEY_FILE} is neither an EC nor an RSA key")
    return private


def _own_certificate(
    certificates: list[CardVerifiableCertificate], private: PrivateKey, today: date
) -> CardVerifiableCertificate:
    """The terminal's certificate of this key; of several the one that is valid and stays so longest."""
    key = _public_key(private)
    own = [
        held
        for held in certificates
        if held.authorization.role is HolderRole.IS and _is_same_key(held.public_key, key)
    ]
    if not own:
        raise TerminalCertificateInvalid(f"no terminal certificate of the key in {KEY_FILE}")
    return max(own, key=lambda held: (held.effective <= today, held.expiration))


def _public_key(private: PrivateKey) -> CvEcKey | CvRsaKey:
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        return CvRsaKey(numbers.n, numbers.e)
    return CvEcKey(None, private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _is_same_key(certified: CvPublicKey, key: CvEcKey | CvRsaKey) -> bool:
    if isinstance(certified.key, CvEcKey) and isinstance(key, CvEcKey):
        return certified.key.point == key.point
    return certified.key == key


def _require_chain(
    trust_point: CardVerifiableCertificate, chain: tuple[CardVerifiableCertificate, ...], today: date
) -> None:
    try:
        verify_chain(trust_point, chain, today)
    except (MalformedDocument, UntrustedDocument) as fault:
        # Those words are about a citizen's card; here a terminal's key cannot be used.
        raise TerminalCertificateInvalid(str(fault)) from None


def _signer(private: PrivateKey, public_key: CvPublicKey) -> Callable[[bytes], bytes]:
    """Sign as the certificate says; ECDSA plain, as a chip takes it."""
    scheme, hash_name = CV_ALGORITHMS[public_key.algorithm]
    algorithm = HASHES[hash_name]
    if isinstance(private, rsa.RSAPrivateKey):
        return lambda data: private.sign(data, rsa_padding(scheme, algorithm), algorithm)
    return lambda data: plain_signature(private.sign(data, ec.ECDSA(algorithm)), private.key_size)
