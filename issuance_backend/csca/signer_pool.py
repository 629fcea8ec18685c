"""Document signers in use: each signs within its period of use and up to its quota, never past either."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from issuance_backend.csca.ceremony import period_of_use
from issuance_backend.csca.signer import Signer, write_secret
from issuance_backend.refusals import DocumentSignerExhausted, SigningKeyUnavailable

SIGNER_QUOTA = 100_000
"""Documents a signer signs at most: one that must be revoked takes no more with it (9303-12, 4.2.2)."""

_RESERVED = 64
"""Signatures taken from the file at once; a process that dies loses what it has not used of them."""


class SignatureCount:
    """How many signatures a signer may still make, counted on disk before they are made."""

    def __init__(self, path: Path, quota: int) -> None:
        self._path = path
        self._quota = quota
        self._reserved = 0
        self._turn = Lock()

    @staticmethod
    def begin(path: Path) -> None:
        """Start counting for a new signer."""
        write_secret(path, b"0")

    @property
    def left(self) -> int:
        """Signatures that nobody has reserved yet."""
        return max(0, self._quota - _number(self._read()))

    def take(self) -> bool:
        """Count one signature; False where the quota is used up."""
        with self._turn:
            if not self._reserved:
                self._reserved = self._reserve()
            if not self._reserved:
                return False
            self._reserved -= 1
            return True

    def _reserve(self) -> int:
        try:
            file = os.open(self._path, os.O_RDWR)
        except OSError:
            raise SigningKeyUnavailable("the count of a document signer cannot be read") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            made = _number(os.read(file, 32))
            reserved = min(_RESERVED, max(0, self._quota - made))
            os.pwrite(file, str(made + reserved).encode("ascii"), 0)
            os.fsync(file)
        finally:
            os.close(file)
        return reserved

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError:
            raise SigningKeyUnavailable("the count of a document signer cannot be read") from None


class CountedSigner(NamedTuple):
    """A document signer with its count."""

    signer: Signer
    signatures: SignatureCount

    def may_sign_at(self, moment: datetime) -> bool:
        """Whether the moment lies in the key's period of use."""
        begin, end = period_of_use(self.signer.certificate)
        return begin <= moment <= end


class DocumentSignerPool:
    """Document signers, the one that ends first before the others.

    ``load`` opens those in use now; it is asked again whenever ``version`` has changed, so that a
    signer put in use or revoked by a ceremony counts at once.
    """

    def __init__(self, load: Callable[[], Sequence[CountedSigner]], version: Callable[[], Hashable]) -> None:
        self._load = load
        self._version = version
        self._turn = Lock()
        self._loaded_version = version()
        self._signers = _in_order(load())

    def signer_for(self, moment: datetime) -> Signer:
        """A signer for one document, counted; raises DocumentSignerExhausted."""
        for counted in self._current():
            if counted.may_sign_at(moment) and counted.signatures.take():
                return counted.signer
        raise DocumentSignerExhausted("no document signer within its period of use and its quota")

    def _current(self) -> Sequence[CountedSigner]:
        version = self._version()
        with self._turn:
            if version != self._loaded_version:
                self._signers, self._loaded_version = _in_order(self._load()), version
            return self._signers


def _in_order(signers: Sequence[CountedSigner]) -> Sequence[CountedSigner]:
    return sorted(signers, key=lambda counted: period_of_use(counted.signer.certificate)[1])


def _number(content: bytes) -> int:
    if not content.isdigit():
        raise SigningKeyUnavailable("the count of a document signer is no number")
    return int(content)
