"""A kit's secrets: the key of its store, its own keys under that, and each officer's under a passphrase.

The key of the store lies in a file of its own, which is carried apart from the kit: without it a kit's disk
says nothing about anybody, and cannot speak for the kit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from enrollment_admin.station.durable_files import disk, make_folder, write_whole
from enrollment_admin.station.refusals import KitStoreAltered, PassphraseBlocked, PassphraseWrong
from monitoring.environment import ConfigurationFault
from verification.errors import FieldsRefused
from verification.messages.seal import KEY_BYTES, derive_key
from verification.messages.signing_key import public_jwk

Random = Callable[[int], bytes]

SHORTEST_PASSPHRASE = 10
"""The key on a stolen kit can be tried without end: what opens it is no PIN."""

MOST_WRONG = 5
BLOCKED_FOR = timedelta(minutes=5)
"""No more wrong passphrases than these in this time, while the program runs: nobody guesses at a desk."""

_NONCE_BYTES = 12
_OFFICER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")


class KitCipher:
    """Encrypts what a kit keeps of people (AES-256-GCM); each content opens in its own place alone."""

    def __init__(self, secret: bytes, random: Random) -> None:
        self._cipher = AESGCM(derive_key(secret, "kit store"))
        self._random = random

    def seal(self, content: bytes, place: str) -> bytes:
        """The content, encrypted for a place."""
        nonce = self._random(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The content; raises KitStoreAltered."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise KitStoreAltered("what the kit keeps does not open") from None


class OfficerKeys:
    """The signing keys of the officers who work with a kit."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._wrong: dict[str, list[datetime]] = {}
        self._trying = Lock()

    def names(self) -> tuple[str, ...]:
        """The officers who have a key here."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.pem")))

    def make(self, officer: str, passphrase: str) -> dict[str, str]:
        """Make an officer's key, unless there is one; its public part (JWK), for the centre's register."""
        if not _OFFICER.fullmatch(officer):
            raise FieldsRefused({"officer": "FIELD_CHARACTERS"})
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise FieldsRefused({"passphrase": "PASSPHRASE_TOO_SHORT"})
        make_folder(self._folder)
        path = self._path(officer)
        if not path.exists():
            write_key(path, ec.generate_private_key(ec.SECP256R1()), passphrase.encode())
        return public_jwk(self.open(officer, passphrase).public_key())

    def open(self, officer: str, passphrase: str) -> ec.EllipticCurvePrivateKey:
        """The officer's key; raises PassphraseWrong, PassphraseBlocked after too many wrong ones."""
        if officer not in self.names():
            raise PassphraseWrong("no key of this officer")
        with self._trying:
            now = self._clock()
            wrong = [at for at in self._wrong.get(officer, ()) if at > now - BLOCKED_FOR]
            if len(wrong) >= MOST_WRONG:
                raise PassphraseBlocked("too many wrong passphrases")
            key = read_key(self._path(officer), passphrase.encode())
            self._wrong[officer] = [] if key else [*wrong, now]
        if key is None:
            raise PassphraseWrong("the key does not open")
        return key

    def _path(self, officer: str) -> Path:
        return self._folder / f"{officer}.pem"


def read_store_key(path: Path) -> bytes:
    """The 32 bytes that a kit's store is encrypted with; raises ConfigurationFault.

    A file that others on the machine can read is refused.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationFault(f"store key {path.name}: others may read it; set mode 600")
        secret = path.read_bytes()
    except OSError as fault:
        raise ConfigurationFault(f"store key {path.name}: {type(fault).__name__}") from None
    if len(secret) != KEY_BYTES:
        raise ConfigurationFault(f"store key {path.name}: not {KEY_BYTES} bytes")
    return secret


def write_key(path: Path, key: ec.EllipticCurvePrivateKey, password: bytes) -> None:
    """Keep a private key, encrypted."""
    protected = BestAvailableEncryption(password)
    write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protected))


def read_key(path: Path, password: bytes) -> ec.EllipticCurvePrivateKey | None:
    """The private key, or None where the password is not the one."""
    with disk():
        content = path.read_bytes()
    try:
        key = load_pem_private_key(content, password)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None
