"""Signing keys behind one port: keys in memory here, keys in a hardware module in ``hardware_token``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from issuance_backend.csca.signing_algorithms import (
    HASHES,
    KeyProfile,
    PrivateKeyObject,
    PublicKey,
    SigningAlgorithm,
    fits,
)
from issuance_backend.refusals import SigningKeyUnavailable

RSA_EXPONENT = 65_537


class SigningKey(Protocol):
    """A private key that does not leave its place."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    @property
    def algorithm(self) -> SigningAlgorithm:
        """How it signs."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign; ECDSA gives ECDSA-Sig-Value in DER. Raises SigningKeyUnavailable."""
        ...


class Signer(SigningKey, Protocol):
    """A signing key with the certificate that was issued for it."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of this key."""
        ...

    def __hash__(self) -> int:
        """Signers are told apart by identity: what one always writes is kept for it."""
        ...


class PrivateKey:
    """A key held in memory: one just made, or the content of a key file."""

    def __init__(self, key: PrivateKeyObject, algorithm: SigningAlgorithm) -> None:
        self.public_key: PublicKey = key.public_key()
        if not fits(self.public_key, algorithm):
            raise SigningKeyUnavailable(f"a key of this kind does not sign with {algorithm}")
        self.algorithm = algorithm
        self.sign: Callable[[bytes], bytes] = _signing(key, algorithm)
        self._key = key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.algorithm})"

    @classmethod
    def generate(cls, curve: ec.EllipticCurve, hash_name: str) -> PrivateKey:
        """Make a new key on a curve with the operating system's randomness."""
        return cls.of_profile(KeyProfile.ecdsa(curve, hash_name))

    @classmethod
    def of_profile(cls, profile: KeyProfile) -> PrivateKey:
        """Make a new key of this kind with the operating system's randomness."""
        if isinstance(profile.kind, int):
            return cls(rsa.generate_private_key(RSA_EXPONENT, profile.kind), profile.algorithm)
        return cls(ec.generate_private_key(profile.kind), profile.algorithm)

    @classmethod
    def load(cls, path: Path, passphrase: bytes, algorithm: SigningAlgorithm) -> PrivateKey:
        """Open a file that ``save`` wrote; raises SigningKeyUnavailable."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
        except OSError:
            raise SigningKeyUnavailable(f"cannot read {path.name}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
            # TypeError: a passphrase for a key that is not encrypted.
            raise SigningKeyUnavailable(f"cannot open {path.name}: {type(fault).__name__}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise SigningKeyUnavailable(f"{path.name} is neither an EC nor an RSA key")
        return cls(key, algorithm)

    def save(self, path: Path, passphrase: bytes) -> None:
        """Write the key as encrypted PKCS#8, readable by its owner only; never over another file."""
        encoded = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
        write_secret(path, encoded)

    def to_pkcs8(self) -> bytes:
        """The key itself in DER, for a holder that protects it otherwise: a terminal, a test's chip."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def with_certificate(self, certificate: x509.Certificate) -> CertifiedKey:
        """The same key together with the certificate that was issued for it."""
        return CertifiedKey(self, certificate)


class CertifiedKey:
    """A signing key, wherever it lies, with the certificate that was issued for it."""

    def __init__(self, key: SigningKey, certificate: x509.Certificate) -> None:
        if certificate.public_key() != key.public_key:
            raise SigningKeyUnavailable("key and certificate do not belong together")
        self.certificate = certificate
        self.public_key = key.public_key
        self.algorithm = key.algorithm
        self.sign = key.sign

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.algorithm})"


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """The key in a certificate of ours; raises SigningKeyUnavailable for a kind we do not use."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise SigningKeyUnavailable("the certificate's key is neither an EC nor an RSA key")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; raises FileExistsError for an existing one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _signing(key: PrivateKeyObject, algorithm: SigningAlgorithm) -> Callable[[bytes], bytes]:
    """The signing call with everything but the data: it stands on the way of every card."""
    chosen = HASHES[algorithm.hash_name]
    if isinstance(key, rsa.RSAPrivateKey):
        return partial(key.sign, padding=algorithm.rsa_padding, algorithm=chosen)
    return partial(key.sign, signature_algorithm=ec.ECDSA(chosen))
