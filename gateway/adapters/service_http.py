"""Questions to our own services over HTTP: bounded in time and size, and never a wrong answer.

Whatever is not a well-formed 200 - no connection, a slow or cut answer, any other status, a
proxy's page - is the caller's Unavailable error. A 404 too: a service that answers "no such
address" has said nothing about a person or a card.
"""

from __future__ import annotations

import logging
import re
import time
from datetime import date
from http import HTTPStatus
from typing import TypeVar

import msgspec
import urllib3

from gateway.domain.refusals import CardEventsRestarted, CardEventsUnavailable, CardStatusUnavailable
from monitoring import metrics
from verification.errors import RegistryUnavailable, Unavailable
from verification.messages.credential_status import CredentialStatusAnswer, CredentialStatusQuery
from verification.messages.event_feed import EventFeed, FeedPlace
from verification.messages.person_query import PersonAnswer, PersonQuery

MAX_ANSWER_BYTES = 65_536
READ_BYTES = 16_384
EVENTS_AT_ONCE = 200
"""As many as fit into the longest answer that is read."""

AnswerType = TypeVar("AnswerType")
_STATUS_KEY = re.compile(r"[0-9a-f]{16}")
logger = logging.getLogger(__name__)


class _NoAnswer(Exception):
    """The service said something, and it was no answer; ``status`` where it said one."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


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
            content = self._exchange("POST", path, msgspec.json.encode(question))
            answer = msgspec.json.decode(content, type=kind)
        except _NO_ANSWER as fault:
            raise self._unavailable(unavailable, type(fault).__name__) from None
        metrics.REGISTRY_REQUESTS.labels(_service(unavailable), "answered").inc()
        return answer

    def events_after(self, place: FeedPlace) -> EventFeed:
        """GET /v1/events about cards; raises CardEventsUnavailable or CardEventsRestarted.

        Nothing is logged here: who asks all day says once that there is no answer.
        """
        path = f"/v1/events?topic=credential-status&limit={EVENTS_AT_ONCE}&wait=1&after={place.position}"
        path += f"&mark={place.mark}" if place.mark else ""
        try:
            feed = msgspec.json.decode(self._exchange("GET", path, None), type=EventFeed)
            _require_about_cards(feed)
        except _NO_ANSWER as fault:
            if isinstance(fault, _NoAnswer) and fault.status == HTTPStatus.CONFLICT:
                raise CardEventsRestarted("the issuer never was there") from None
            raise CardEventsUnavailable(type(fault).__name__) from None
        return feed

    def _exchange(self, method: str, path: str, body: bytes | None) -> bytes:
        """The body of a 200; raises what urllib3 raises, or _NoAnswer."""
        deadline = time.monotonic() + self._seconds
        response = self._pool.request(
            method,
            f"{self._url}{path}",
            body=body,
            headers=self._headers,
            redirect=False,
            preload_content=False,
        )
        content = bytearray()
        try:
            if response.status != 200:
                raise _NoAnswer("refused", response.status)
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


class CardEventsHttp:
    """The CardEvents port over HTTP."""

    def __init__(self, service: ServiceHttp) -> None:
        self._service = service

    def after(self, place: FeedPlace) -> EventFeed:
        """GET /v1/events."""
        return self._service.events_after(place)


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


def _require_about_cards(feed: EventFeed) -> None:
    """Raise _NoAnswer for a feed with an event that is about no card, or names a day that is none."""
    for event in feed.events:
        try:
            date.fromisoformat(event.data.get("expires_on", "9999-12-31"))
        except ValueError:
            raise _NoAnswer("a day that is none") from None
        if not _STATUS_KEY.fullmatch(event.key):
            raise _NoAnswer("an event about no card")


def _service(unavailable: type[Unavailable]) -> str:
    return "population" if unavailable is RegistryUnavailable else "card_status"
