"""Making and destroying keys, each with its line in the log."""

from __future__ import annotations

from datetime import datetime

import msgspec

from issuance_backend.csca.key_places import KeyPlace
from issuance_backend.csca.pki_records import PkiRecords
from issuance_backend.csca.signer import SigningKey
from issuance_backend.csca.signing_algorithms import KeyProfile


class LoggedKeys:
    """The keys of one command, at its moment."""

    def __init__(self, records: PkiRecords, moment: datetime) -> None:
        self._records = records
        self._moment = moment

    def make(self, place: KeyPlace, name: str, profile: KeyProfile) -> SigningKey:
        """Make the key of this name, and remember how it signs."""
        # One that is there already was never published: an earlier command was cut off before that.
        place.destroy(name)
        key = place.generate(name, profile)
        settings = self._records.settings()
        algorithms = {**settings.algorithms, name: str(profile.algorithm)}
        self._records.save_settings(msgspec.structs.replace(settings, algorithms=algorithms))
        self._records.log.append(self._moment, "key made", key=name, algorithm=str(profile.algorithm))
        return key

    def open(self, place: KeyPlace, name: str) -> SigningKey:
        """A key that was made here; raises SigningKeyUnavailable."""
        return place.open(name, self._records.settings().algorithm_of(name))

    def destroy(self, place: KeyPlace, name: str) -> None:
        """Destroy a key for good."""
        place.destroy(name)
        self._records.log.append(self._moment, "key destroyed", key=name)
