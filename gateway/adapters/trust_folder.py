"""The gateway's own trust store, read from a folder and read again when the folder changes."""

from __future__ import annotations

import threading
from pathlib import Path

from gateway.ports import Clock
from monitoring.environment import ConfigurationFault
from verification.errors import VerificationError
from verification.pki.trust_store import TrustStore

LOOK_AGAIN_SECONDS = 10
"""A new CRL counts this soon; looking costs a directory listing."""

Listing = tuple[tuple[str, int, int], ...]


class TrustFolder:
    """``csca*.der`` are the trusted country signing certificates, ``*.crl`` their revocation lists."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._listing: Listing = self._look()
        self._store = self._load()
        self._looked = clock()

    def __call__(self) -> TrustStore:
        """The current trust store."""
        now = self._clock()
        with self._lock:
            if (now - self._looked).total_seconds() >= LOOK_AGAIN_SECONDS:
                self._looked = now
                listing = self._look()
                if listing != self._listing:
                    self._store, self._listing = self._load(), listing
            return self._store

    def _look(self) -> Listing:
        try:
            files = sorted(path for path in self._folder.iterdir() if path.suffix in {".der", ".crl"})
            return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
        except OSError as fault:
            raise ConfigurationFault(f"trust folder: {type(fault).__name__}") from None

    def _load(self) -> TrustStore:
        certificates = [path.read_bytes() for path in sorted(self._folder.glob("csca*.der"))]
        crls = [path.read_bytes() for path in sorted(self._folder.glob("*.crl"))]
        if not certificates:
            raise ConfigurationFault("the trust folder holds no csca*.der")
        try:
            return TrustStore.from_certificates(certificates, crls)
        except VerificationError as fault:
            raise ConfigurationFault(f"the trust folder cannot be used: {fault.code}") from None
