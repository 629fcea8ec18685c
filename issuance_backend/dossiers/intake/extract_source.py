"""The population registry as whoever seals extracts sees it: a port, and its HTTP side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar

import msgspec
import urllib3

from issuance_backend.refusals import UnitUnknown
from verification.errors import RegistryUnavailable
from verification.messages.commune_extract import Commune, KnownFilters, Resident
from verification.messages.registry_access import HEADER, ReadingFor

_SECONDS = 120.0
"""Filters of many people that nobody asked for today are made while we wait."""

Answer = TypeVar("Answer")


class ExtractSource(Protocol):
    """Where a commune's people and the filters of everybody come from."""

    def commune(self, code: str) -> Commune:
        """A commune by name; raises UnitUnknown or RegistryUnavailable."""
        ...

    def residents(self, code: str, reading: ReadingFor) -> Iterator[Resident]:
        """Its people in order of their numbers, for the kit that is stated; raises UnitUnknown or
        RegistryUnavailable.
        """
        ...

    def filters(self) -> KnownFilters:
        """Who is known at all; raises RegistryUnavailable."""
        ...


class ExtractsOverHttp:
    """Asks the registry's own program."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=1.0, read=_SECONDS), retries=urllib3.Retry(1, redirect=0)
        )

    def commune(self, code: str) -> Commune:
        """A commune by name; raises UnitUnknown or RegistryUnavailable."""
        return _read(self._get(f"/v1/communes/{code}"), Commune)

    def residents(self, code: str, reading: ReadingFor) -> Iterator[Resident]:
        """Its people in order of their numbers; raises UnitUnknown or RegistryUnavailable."""
        page: str | None = f"/v1/communes/{code}/residents"
        while page is not None:
            response = self._get(page, reading)
            yield from _read(response, list[Resident])
            # Only ever our own registry: the link is an address below it (RFC 8288).
            page = response.headers["Link"].partition(">")[0][1:] if "Link" in response.headers else None

    def filters(self) -> KnownFilters:
        """Who is known at all; raises RegistryUnavailable."""
        return _read(self._get("/v1/known-filters"), KnownFilters)

    def _get(self, path: str, reading: ReadingFor | None = None) -> urllib3.BaseHTTPResponse:
        said = {HEADER: reading.header()} if reading else {}
        try:
            response = self._pool.request("GET", self._url + path, headers=self._headers | said)
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None
        if response.status == 404:
            raise UnitUnknown("the registry knows no such commune")
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        return response


def _read(response: urllib3.BaseHTTPResponse, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(response.data, type=kind)
    except msgspec.DecodeError:
        raise RegistryUnavailable("the answer is none of the registry's") from None
