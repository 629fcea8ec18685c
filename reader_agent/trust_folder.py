"""The trust store of this counter, from a folder of CSCA certificates and revocation lists."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from verification.pki.trust_store import TrustStore

MAX_FILE_BYTES = 8_388_608
_SUFFIXES = frozenset({".der", ".cer", ".crt", ".crl"})

_Fingerprint = tuple[tuple[str, int, int], ...]
logger = logging.getLogger(__name__)


class TrustFolder:
    """Reads the folder again whenever a file in it changes: a fresh CRL counts from the next customer on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: _Fingerprint | None = None
        self._store = TrustStore.from_files(())

    def store(self) -> TrustStore:
        """The store; an unreadable folder keeps what was read before."""
        with self._lock:
            try:
                seen = self._fingerprint()
                if seen != self._seen:
                    self._store, self._seen = self._read(), seen
            except OSError as fault:
                logger.error("trust folder unreadable", extra={"fault": type(fault).__name__})  # noqa: TRY400
            return self._store

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if path.suffix.lower() in _SUFFIXES)

    def _fingerprint(self) -> _Fingerprint:
        stats = [(path.name, path.stat()) for path in self._files()]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def _read(self) -> TrustStore:
        store = TrustStore.from_files(
            path.read_bytes() for path in self._files() if path.stat().st_size <= MAX_FILE_BYTES
        )
        for rejected in store.rejected:
            logger.error("trust file refused", extra={"code": rejected.code})
        return store
