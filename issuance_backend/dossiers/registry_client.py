"""The population registry as a capture office sees it: a port, and its HTTP side."""

from __future__ import annotations

from typing import Protocol

import msgspec
import urllib3

from issuance_backend.refusals import RegistryPersonUnknown
from verification.errors import RegistryUnavailable
from verification.messages.enrollment import PersonExtract


class Registry(Protocol):
    """Where particulars come from."""

    def extract(self, citizen_number: str) -> PersonExtract:
        """The entry for a number; raises RegistryPersonUnknown or RegistryUnavailable."""
        ...


class RegistryOverHttp:
    """Asks the registry's own program."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=1.0, read=3.0), retries=urllib3.Retry(1, redirect=0)
        )

    def extract(self, citizen_number: str) -> PersonExtract:
        """The entry for a number; raises RegistryPersonUnknown or RegistryUnavailable."""
        try:
            response = self._pool.request(
                "GET",
                f"{self._url}/v1/persons/{citizen_number}",
                headers={"Authorization": f"Bearer {self._token}"},
            )
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None
        if response.status == 404 and _code(response.data) == RegistryPersonUnknown.code:
            raise RegistryPersonUnknown("no entry for the number")
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=PersonExtract)
        except msgspec.DecodeError:
            raise RegistryUnavailable("the answer is no extract") from None


class _Problem(msgspec.Struct):
    code: str = ""


def _code(body: bytes) -> str:
    # A wrong address answers 404 as well; only the registry's own word means "no such person".
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except msgspec.DecodeError:
        return ""
