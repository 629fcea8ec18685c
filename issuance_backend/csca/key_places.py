"""Where keys lie: a folder of encrypted files, or a hardware token (``hardware_token``)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from issuance_backend.csca.signer import PrivateKey, SigningKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm


class KeyPlace(Protocol):
    """Keys by name; every method raises SigningKeyUnavailable where the place does not answer."""

    def generate(self, name: str, profile: KeyProfile) -> SigningKey:
        """Make a key; a name that is taken is refused."""
        ...

    def open(self, name: str, algorithm: SigningAlgorithm) -> SigningKey:
        """A key that was made here."""
        ...

    def destroy(self, name: str) -> None:
        """Destroy a key; one that is not there is left alone."""
        ...

    def close(self) -> None:
        """Leave the place; opened again, it holds the same keys."""
        ...


class KeyFolder:
    """Encrypted PKCS#8 files under one passphrase, for their owner only."""

    def __init__(self, folder: Path, passphrase: bytes) -> None:
        self._folder = folder
        self._passphrase = passphrase

    def generate(self, name: str, profile: KeyProfile) -> SigningKey:
        """Make a key and write its file; raises FileExistsError for a name that is taken."""
        key = PrivateKey.of_profile(profile)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key.save(self._file(name), self._passphrase)
        return key

    def open(self, name: str, algorithm: SigningAlgorithm) -> SigningKey:
        """Open a key file; raises SigningKeyUnavailable."""
        return PrivateKey.load(self._file(name), self._passphrase, algorithm)

    def destroy(self, name: str) -> None:
        """Remove a key file."""
        self._file(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held open."""

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.pem"
