"""The registry as a citizen's own record needs it: a port, and its HTTP side."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from issuance_backend.registry_http import RegistryHttp
from verification.messages.life_event import CorrectionReport
from verification.messages.registry_access import PersonRead, ReadingFor
from verification.messages.registry_records import PersonHistory


class RegistryRecords(Protocol):
    """Where the record comes from, and who read it."""

    def history(self, citizen_number: str, reading: ReadingFor) -> PersonHistory:
        """The record in force today; raises RegistryUnavailable."""
        ...

    def reads(self, citizen_number: str) -> list[PersonRead]:
        """Who read it, the newest first; raises RegistryUnavailable."""
        ...

    def numbers(self, citizen_number: str) -> list[str]:
        """Every number of the person, the one that stands first; raises RegistryUnavailable."""
        ...

    def correct(self, report: CorrectionReport) -> None:
        """Have a record corrected, once for one report id.

        Raises FieldsRefused, IdempotencyConflict for another correction under it, RegistryUnavailable.
        """
        ...


class RecordsOverHttp:
    """Asks the registry's own program."""

    def __init__(self, url: str, token: str) -> None:
        self._http = RegistryHttp(url, token)

    def history(self, citizen_number: str, reading: ReadingFor) -> PersonHistory:
        """GET /v1/person-records/{citizen_number}."""
        path = f"/v1/person-records/{quote(citizen_number, safe='')}"
        return self._http.ask("GET", path, PersonHistory, reading=reading)

    def reads(self, citizen_number: str) -> list[PersonRead]:
        """GET /v1/person-reads/{citizen_number}."""
        path = f"/v1/person-reads/{quote(citizen_number, safe='')}"
        return self._http.ask("GET", path, list[PersonRead])

    def numbers(self, citizen_number: str) -> list[str]:
        """GET /v1/person-reads/{citizen_number}/numbers."""
        path = f"/v1/person-reads/{quote(citizen_number, safe='')}/numbers"
        return self._http.ask("GET", path, list[str])

    def correct(self, report: CorrectionReport) -> None:
        """POST /v1/person-corrections."""
        self._http.report("/v1/person-corrections", report)
