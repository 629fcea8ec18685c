"""The officers' signing keys, each under a passphrase that nobody guesses at the kit itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.durable_files import make_folder
from enrollment_admin.station.kit_database import KitDatabase
from enrollment_admin.station.kit_keys import read_key, write_key
from enrollment_admin.station.kit_store import KitStore
from enrollment_admin.station.refusals import PassphraseBlocked, PassphraseWrong
from verification.errors import FieldsRefused
from verification.messages.signing_key import public_jwk

SHORTEST_PASSPHRASE = 10
"""The key on a stolen kit can be tried without end: what opens it is no PIN."""

MOST_WRONG = 5
BLOCKED_FOR = timedelta(minutes=5)
"""No more wrong passphrases than these in this time: nobody guesses at a desk."""

_OFFICER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")


class OfficerKeys:
    """The signing keys of the officers who work with a kit."""

    def __init__(
        self, folder: Path, database: KitDatabase, store: KitStore, clock: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._database = database
        self._store = store
        self._clock = clock

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
        key = self._tried(officer, passphrase)
        if key is None:
            raise PassphraseWrong("the key does not open")
        return key

    def _tried(self, officer: str, passphrase: str) -> ec.EllipticCurvePrivateKey | None:
        """The key, if it opens; a wrong try is on the disk before anybody learns that it was wrong."""
        now = self._clock()
        with self._database.writing() as connection:
            if self._store.wrong_tries(connection, officer, now - BLOCKED_FOR) >= MOST_WRONG:
                raise PassphraseBlocked("too many wrong passphrases")
            key = read_key(self._path(officer), passphrase.encode())
            if key is None:
                self._store.add_wrong_try(connection, officer, now)
            else:
                self._store.forget_wrong_tries(connection, officer)
        return key

    def _path(self, officer: str) -> Path:
        return self._folder / f"{officer}.pem"
