"""Questions to our own services over HTTP: bounded in time and size, and never a wrong answer.

Whatever is not a well-formed 200 - no connection, a slow or cut answer, any other status, a
proxy's page - is the caller's Unavailable error. A 404 too: a service that answers "no such
address" has said nothing about a person or a card.
"""

from __future__ import annotations

import logging
import time
from typing import TypeVar

import msgspec
import urllib3

from gateway.domain.refusals import CardStatusUnavailable
from monitoring import metrics
from verification.errors import RegistryUnavailable, Unavailable
from verification.messages.credential_status import CredentialStatusAnswer, CredentialStatusQuery
from verification.messages.person_query import PersonAnswer, PersonQuery

MAX_ANSWER_BYTES = 65_536
READ_BYTES = 16_384

AnswerType = TypeVar("AnswerType")
logger = logging.getLogger(__name__)


class _NoAnswer(Exception):
    """The service said something, and it was no answer."""


_NO_ANSWER = (urllib3.exceptions.HTTPError, msgspec.DecodeError, RecursionError, _NoAnswer)


class ServiceHttp:
    """One service behind one base address and one bearer token."""

    def __init__(self, url: str, token: str, seconds: float) -> None:
        """``seconds`` bounds connecting and the wait for an answer, to its last byte."""
        self._url = url.rstrip("/")
        self._seconds = seconds
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(connect=seconds, read=seconds, total=seconds),
        )

    def ask(
        self, path: str, question: msgspec.Struct, kind: type[AnswerType], unavailable: type[Unavailable]
    ) -> AnswerType:
        """POST the question; raises ``unavailable`` for everything that is not a well-formed answer."""
        try:
            content = self._exchange(path, msgspec.json.encode(question))
            answer = msgspec.json.decode(content, type=kind)
        except _NO_ANSWER as fault:
            raise self._unavailable(unavailable, type(fault).__name__) from None
        metrics.REGISTRY_REQUESTS.labels(_service(unavailable), "answered").inc()
        return answer

    def _exchange(self, path: str, body: bytes) -> bytes:
        """The body of a 200; raises what urllib3 raises, or _NoAnswer."""
        deadline = time.monotonic() + self._seconds
        response = self._pool.request(
            "POST",
            f"{self._url}{path}",
            body=body,
            headers=self._headers,
            redirect=False,
            preload_content=False,
        )
        content = bytearray()
        try:
            if response.status != 200:
                raise _NoAnswer(f"status {response.status}")
            while part := response.read1(READ_BYTES, decode_content=False):
                content += part
                # A server that drips bytes is cut off here, not at each byte's own timeout.
                if len(content) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                    raise _NoAnswer("answer too long or too slow")
        except (_NoAnswer, urllib3.exceptions.HTTPError):
            # A half-read connection may not go back to the pool.
            response.close()
            raise
        response.release_conn()
        return bytes(content)

    def _unavailable(self, unavailable: type[Unavailable], reason: str) -> Unavailable:
        metrics.REGISTRY_REQUESTS.labels(_service(unavailable), "unavailable").inc()
        logger.warning("service gave no answer", extra={"code": unavailable.code, "fault": reason})
        return unavailable(reason)


class RegistryHttp:
    """The PopulationRegistry port over HTTP."""

    def __init__(self, service: ServiceHttp) -> None:
        self._service = service

    def ask(self, query: PersonQuery) -> PersonAnswer:
        """POST /v1/person-queries."""
        return self._service.ask("/v1/person-queries", query, PersonAnswer, RegistryUnavailable)


class CredentialStatusHttp:
    """The CredentialStatus port over HTTP."""

    def __init__(self, service: ServiceHttp) -> None:
        self._service = service

    def ask(self, query: CredentialStatusQuery) -> CredentialStatusAnswer:
        """POST /v1/credential-status-queries."""
        path = "/v1/credential-status-queries"
        return self._service.ask(path, query, CredentialStatusAnswer, CardStatusUnavailable)


def _service(unavailable: type[Unavailable]) -> str:
    return "population" if unavailable is RegistryUnavailable else "card_status"
