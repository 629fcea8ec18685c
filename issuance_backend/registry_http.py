"""Asking the population registry's own program: a well-formed answer, or RegistryUnavailable."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import urllib3

from verification.errors import RegistryUnavailable

Answer = TypeVar("Answer")


class RegistryHttp:
    """The registry over HTTP, with a service token."""

    def __init__(self, url: str, token: str, *, seconds: float = 3.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        timeout = urllib3.Timeout(connect=1.0, read=seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(1, redirect=0))

    def ask(
        self, method: str, path: str, kind: type[Answer], message: msgspec.Struct | None = None
    ) -> Answer:
        """Send a message, if any, and read the answer as this kind; raises RegistryUnavailable."""
        body = None if message is None else msgspec.json.encode(message)
        try:
            response = self._pool.request(method, self._url + path, body=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=kind)
        except msgspec.DecodeError:
            raise RegistryUnavailable("the answer is not what the interface prescribes") from None
