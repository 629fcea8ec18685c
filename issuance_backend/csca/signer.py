"""Signing keys behind one port: a key file here, a hardware module by another class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.refusals import SigningKeyUnavailable

HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What the issuer signs with, by the names of ``hash_name``."""


class SigningKey(Protocol):
    """A private key that does not leave its place; it signs ECDSA over ``hash_name``."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        ...

    @property
    def hash_name(self) -> str:
        """``sha256``, ``sha384`` or ``sha512``."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign and return ECDSA-Sig-Value in DER; raises SigningKeyUnavailable."""
        ...


class Signer(SigningKey, Protocol):
    """A signing key with the certificate that was issued for it."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of this key."""
        ...


class PrivateKey:
    """A key held in memory: one just made, or the content of a key file."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, hash_name: str) -> None:
        self._key = key
        self._algorithm = ec.ECDSA(HASHES[hash_name])
        self.hash_name = hash_name
        self.public_key = key.public_key()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._key.curve.name})"

    @classmethod
    def generate(cls, curve: ec.EllipticCurve, hash_name: str) -> PrivateKey:
        """Make a new key with the operating system's randomness."""
        return cls(ec.generate_private_key(curve), hash_name)

    def sign(self, data: bytes) -> bytes:
        """Sign and return ECDSA-Sig-Value in DER."""
        return self._key.sign(data, self._algorithm)

    def with_certificate(self, certificate: x509.Certificate) -> KeyFileSigner:
        """The same key together with the certificate that was issued for it."""
        return KeyFileSigner(self._key, self.hash_name, certificate)

    def save(self, path: Path, passphrase: bytes) -> None:
        """Write the key as encrypted PKCS#8, readable by its owner only; never over another file."""
        encoded = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
        write_secret(path, encoded)


class KeyFileSigner(PrivateKey):
    """A signer whose key lies in an encrypted PKCS#8 file, its passphrase in another file."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, hash_name: str, certificate: x509.Certificate
    ) -> None:
        super().__init__(key, hash_name)
        if certificate.public_key() != self.public_key:
            raise SigningKeyUnavailable("key file and certificate do not belong together")
        self.certificate = certificate

    @classmethod
    def open(
        cls, key_file: Path, passphrase_file: Path, certificate_file: Path, hash_name: str = "sha256"
    ) -> KeyFileSigner:
        """Open a signer; raises SigningKeyUnavailable when a file is missing or does not fit."""
        try:
            passphrase = passphrase_file.read_bytes().strip()
            key = serialization.load_pem_private_key(key_file.read_bytes(), passphrase)
            certificate = x509.load_der_x509_certificate(certificate_file.read_bytes())
        except OSError as fault:
            raise SigningKeyUnavailable(f"cannot read {fault.filename}") from fault
        except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
            # TypeError: a passphrase for a key that is not encrypted, or the reverse.
            raise SigningKeyUnavailable(f"cannot open {key_file.name}: {type(fault).__name__}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SigningKeyUnavailable(f"{key_file.name} is not an EC key")
        return cls(key, hash_name, certificate)


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; raises FileExistsError for an existing one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
