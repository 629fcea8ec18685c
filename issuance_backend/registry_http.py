"""Asking the population registry's own program: a well-formed answer, or RegistryUnavailable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
import urllib3

from issuance_backend.idempotency.domain import HEADER as KEY_HEADER
from issuance_backend.refusals import IdempotencyConflict
from verification.errors import FieldsRefused, RegistryUnavailable, VerificationError
from verification.messages.registry_access import HEADER, ReadingFor

Answer = TypeVar("Answer")


class RegistryHttp:
    """The registry over HTTP, with a service token."""

    def __init__(self, url: str, token: str, *, seconds: float = 3.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        timeout = urllib3.Timeout(connect=1.0, read=seconds)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(1, redirect=0))

    def ask(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        message: msgspec.Struct | None = None,
        *,
        reading: ReadingFor | None = None,
    ) -> Answer:
        """Send a message, if any, and read the answer as this kind; raises RegistryUnavailable.

        Where an entry is read, ``reading`` says for whom and for what.
        """
        response = self._sent(method, path, message, _read_for(reading))
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=kind)
        except msgspec.DecodeError:
            raise RegistryUnavailable("the answer is not what the interface prescribes") from None

    def report(self, path: str, message: msgspec.Struct) -> None:
        """Report what the registry is to write down.

        Raises FieldsRefused and IdempotencyConflict as it does, RegistryUnavailable.
        """
        response = self._sent("POST", path, message, {})
        if response.status == 422:
            raise _refusal(response.data)
        if response.status != 201:
            raise RegistryUnavailable(f"status {response.status}")

    def relayed(
        self,
        method: str,
        path: str,
        message: msgspec.Struct | None = None,
        *,
        reading: ReadingFor | None = None,
        key: str | None = None,
        refusals: Mapping[str, type[VerificationError]],
    ) -> urllib3.response.BaseHTTPResponse:
        """The answer to what an officer asks; raises, of ``refusals`` by their codes, what the registry said.

        FieldsRefused beside them, and RegistryUnavailable for whatever else is no answer. What is sent again
        under the same ``key`` is done once.
        """
        once = {} if key is None else {KEY_HEADER: key}
        response = self._sent(method, path, message, {**_read_for(reading), **once})
        if response.status >= 300:
            raise _relayed(response.status, response.data, refusals)
        return response

    def _sent(
        self, method: str, path: str, message: msgspec.Struct | None, said: Mapping[str, str]
    ) -> urllib3.response.BaseHTTPResponse:
        body = None if message is None else msgspec.json.encode(message)
        try:
            return self._pool.request(method, self._url + path, body=body, headers={**self._headers, **said})
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None


def _read_for(reading: ReadingFor | None) -> Mapping[str, str]:
    return {} if reading is None else {HEADER: reading.header()}


class _Problem(msgspec.Struct):
    code: str
    fields: dict[str, str] = {}


def _relayed(status: int, body: bytes, refusals: Mapping[str, type[VerificationError]]) -> VerificationError:
    try:
        said = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return RegistryUnavailable(f"status {status}")
    if said.fields:
        return FieldsRefused(said.fields)
    kind = refusals.get(said.code, RegistryUnavailable)
    return kind(f"status {status}")


def _refusal(body: bytes) -> FieldsRefused | IdempotencyConflict:
    try:
        said = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        raise RegistryUnavailable("the answer is no problem") from None
    if said.code == IdempotencyConflict.code:
        return IdempotencyConflict("something else was reported under this id")
    if not said.fields:
        raise RegistryUnavailable("the answer names no field")
    return FieldsRefused(said.fields)
