"""Each gallery has a key of its own, and with it its own names of people and its own sealed content.

One file a gallery. From it three keys are derived: one seals templates and answers, one makes the names
under which people stand in this gallery, one chains the record of who asked. Without a gallery's file
nothing in it can be read, found or joined with another gallery; and the same person has an unrelated
name in every one of them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from issuance_backend.biometric_search.refusals import GalleryKeyUnavailable, GalleryRecordsBroken
from monitoring.environment import ConfigurationFault, read_secret

_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, repr=False)
class GalleryKey:
    """The keys of one gallery."""

    gallery: str
    sealing: bytes
    naming: bytes
    recording: bytes

    @classmethod
    def derived(cls, gallery: str, secret: bytes) -> GalleryKey:
        """The three keys out of the gallery's secret."""
        sealing, naming, recording = (
            HKDF(SHA256(), _KEY_BYTES, None, f"gallery {use} {gallery}".encode()).derive(secret)
            for use in ("sealing", "naming", "recording")
        )
        return cls(gallery, sealing, naming, recording)

    def reference(self, subject: str) -> str:
        """The name of a person in this gallery."""
        return hmac.new(self.naming, subject.encode(), hashlib.sha256).hexdigest()[:32]

    def passing_name(self, reference: str, answer: str) -> str:
        """The name of a person in one answer: nobody can tell whether it is who another answer speaks of."""
        return hmac.new(self.naming, f"{answer}\0{reference}".encode(), hashlib.sha256).hexdigest()[:32]

    def seal(self, content: bytes, place: str) -> bytes:
        """Encrypted for one place (a row): moved to another it does not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.sealing).encrypt(nonce, content, self._bound(place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed for this place; raises GalleryRecordsBroken."""
        try:
            return AESGCM(self.sealing).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound(place)
            )
        except (InvalidTag, ValueError):
            raise GalleryRecordsBroken("sealed content does not open") from None

    def mac(self, line: bytes) -> str:
        """The link of one line of the gallery's own record to the line before it."""
        return hmac.new(self.recording, line, hashlib.sha256).hexdigest()

    def _bound(self, place: str) -> bytes:
        return f"{self.gallery}\0{place}".encode()


class KeyRoom:
    """A folder with a key file for every gallery; each is read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, GalleryKey] = {}

    def key(self, gallery: str) -> GalleryKey:
        """The keys of a gallery; raises GalleryKeyUnavailable."""
        known = self._known.get(gallery)
        if known is None:
            known = self._known[gallery] = GalleryKey.derived(gallery, self._secret(gallery))
        return known

    def make(self, gallery: str) -> None:
        """Write a new key file; one that is there already stays."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            descriptor = os.open(self._path(gallery), flags, 0o600)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _secret(self, gallery: str) -> bytes:
        try:
            secret = bytes.fromhex(read_secret(self._path(gallery)))
        except (ConfigurationFault, ValueError):
            raise GalleryKeyUnavailable("no key file of this gallery, or not readable") from None
        if len(secret) != _KEY_BYTES:
            raise GalleryKeyUnavailable("a key of another length")
        return secret

    def _path(self, gallery: str) -> Path:
        return self._folder / f"{gallery}.key"
