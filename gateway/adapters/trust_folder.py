"""The gateway's own trust store, read from a folder and read again when the folder changes."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from gateway.domain.refusals import TrustUnavailable
from gateway.ports import Clock
from monitoring.environment import ConfigurationFault
from verification.pki.trust_store import TrustStore

LOOK_AGAIN_SECONDS = 10
"""A new CRL counts this soon; looking costs a directory listing."""

logger = logging.getLogger(__name__)
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
        """The current trust store; raises TrustUnavailable while the folder cannot be used.

        The store of before is not used on: a certificate may have been taken out with the change.
        """
        now = self._clock()
        with self._lock:
            if (now - self._looked).total_seconds() >= LOOK_AGAIN_SECONDS:
                try:
                    self._refresh()
                except ConfigurationFault as fault:
                    logger.exception("trust folder unusable", extra={"code": TrustUnavailable.code})
                    raise TrustUnavailable(str(fault)) from None
                self._looked = now
            return self._store

    def _refresh(self) -> None:
        listing = self._look()
        if listing != self._listing:
            self._store, self._listing = self._load(), listing

    def _look(self) -> Listing:
        try:
            files = sorted(path for path in self._folder.iterdir() if path.suffix in {".der", ".crl"})
            return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
        except OSError as fault:
            raise ConfigurationFault(f"trust folder: {type(fault).__name__}") from None

    def _load(self) -> TrustStore:
        try:
            certificates = [path.read_bytes() for path in sorted(self._folder.glob("csca*.der"))]
            crls = [path.read_bytes() for path in sorted(self._folder.glob("*.crl"))]
        except OSError as fault:
            raise ConfigurationFault(f"trust folder: {type(fault).__name__}") from None
        store = TrustStore.from_certificates(certificates, crls)
        for rejected in store.rejected:
            logger.warning("trust file not used", extra={"code": rejected.code})
        if not store.authorities:
            raise ConfigurationFault("the trust folder holds no csca*.der that can be used")
        return store
