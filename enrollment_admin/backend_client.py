"""The issuance backend as the pages see it: messages in, messages or refusals out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
import urllib3

from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from verification.errors import CitizenNumberMalformed, FieldsRefused
from verification.identity.citizen_number import CitizenNumber
from verification.messages.enrollment import (
    DossierSummary,
    DossierView,
    OfficerCredentials,
    OfficerSession,
    PersonExtract,
    PortraitGate,
)

Answer = TypeVar("Answer")

_CONNECT_SECONDS = 2.0
_SECONDS = 20.0
"""A whole report of the nation is made before it is answered."""


PAGE_SIZE = 100
"""How many entries one page of a list has."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[Answer]):
    """Some entries of a list, and the cursor of those that follow; None where none do."""

    entries: tuple[Answer, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file as the backend sends it."""

    content: bytes
    content_type: str
    disposition: str


class _Problem(msgspec.Struct):
    code: str = "BACKEND_REFUSED"
    fields: dict[str, str] = {}


class BackendClient:
    """One officer's conversation; every method raises BackendRefused or BackendUnavailable.

    Signing in and dossiers stand here; what the other desks ask stands in their own folders.
    """

    def __init__(self, url: str, token: str = "", pool: urllib3.PoolManager | None = None) -> None:
        self._url = url.rstrip("/")
        self._token = token
        # Nothing is sent twice by itself: an officer decides whether to press the button again.
        self._pool = pool or urllib3.PoolManager(maxsize=8, retries=False)

    def with_token(self, token: str) -> BackendClient:
        """The same backend on behalf of a signed-in officer."""
        return BackendClient(self._url, token, self._pool)

    def answers(self) -> bool:
        """Whether the backend is there and ready."""
        try:
            return self._send("GET", "/readyz", None).status == 200
        except BackendUnavailable:
            return False

    def sign_in(self, credentials: OfficerCredentials) -> OfficerSession:
        """Open a session."""
        return self.ask("POST", "/v1/officer-sessions", OfficerSession, credentials)

    def sign_out(self) -> None:
        """End the session; one that has ended already is no fault."""
        self._send("DELETE", "/v1/officer-sessions/current", None)

    def prefill(self, citizen_number: str) -> PersonExtract:
        """The registry's entry."""
        try:
            number = CitizenNumber(citizen_number)
        except CitizenNumberMalformed as fault:
            # Part of an address: what is no number is refused before it becomes one.
            raise BackendRefused(422, FieldsRefused.code, {"citizen_number": fault.code}) from None
        return self.ask("GET", f"/v1/prefill/{number}", PersonExtract)

    def portrait_gate(self) -> PortraitGate:
        """Which face engine judges portraits."""
        return self.ask("GET", "/v1/portrait-gate", PortraitGate)

    def dossiers(
        self, state: str, cursor: str | None = None, *, unchecked: bool = False
    ) -> Listed[DossierSummary]:
        """One page of the work list; of those that nobody checked alone if ``unchecked``."""
        asked = {"state": state} | ({"unchecked": "true"} if unchecked else {})
        return self.listed("/v1/dossiers", asked, cursor, DossierSummary)

    def dossier(self, dossier: str) -> DossierView:
        """One dossier."""
        return self.ask("GET", f"/v1/dossiers/{quote(dossier, safe='')}", DossierView)

    def portrait(self, dossier: str) -> bytes:
        """The captured picture (JPEG)."""
        return self.file(f"/v1/dossiers/{quote(dossier, safe='')}/portrait.jpg").content

    def hand_photo(self, dossier: str, hand: str) -> bytes:
        """The photograph of the ``left`` or ``right`` hand (JPEG)."""
        return self.file(f"/v1/dossiers/{quote(dossier, safe='')}/hand_photos/{hand}.jpg").content

    def dossier_step(self, dossier: str, step: str, message: msgspec.Struct | None = None) -> DossierView:
        """A decision on a dossier, by the address that the contract gives it."""
        return self.ask("POST", f"/v1/dossiers/{quote(dossier, safe='')}/{step}", DossierView, message)

    def ask(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        message: msgspec.Struct | None = None,
        seconds: float = _SECONDS,
    ) -> Answer:
        """Send a message, if any, and read the answer as this kind; wait so long for it."""
        return _decoded(self._granted(method, path, message, seconds).data, kind)

    def ask_if_any(self, path: str, kind: type[Answer]) -> Answer | None:
        """Read what may not be there: None where the backend answers that there is nothing."""
        response = self._granted("GET", path, None)
        return None if response.status == 204 else _decoded(response.data, kind)

    def tell(self, method: str, path: str, message: msgspec.Struct | None = None) -> None:
        """Send something that is only acknowledged."""
        self._granted(method, path, message)

    def listed(
        self, path: str, asked: Mapping[str, str], cursor: str | None, kind: type[Answer]
    ) -> Listed[Answer]:
        """One page of a list."""
        query = {**asked, "limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
        response = self._granted("GET", f"{path}?{urlencode(query)}", None)
        entries = _decoded(response.data, list[kind])  # type: ignore[valid-type]
        return Listed(tuple(entries), _next_cursor(response.headers.get("Link", "")))

    def file(self, path: str) -> FileAnswer:
        """A picture, a report or a form."""
        response = self._granted("GET", path, None)
        headers = response.headers
        return FileAnswer(
            bytes(response.data), headers.get("Content-Type", ""), headers.get("Content-Disposition", "")
        )

    def _granted(
        self, method: str, path: str, message: msgspec.Struct | None, seconds: float = _SECONDS
    ) -> urllib3.response.BaseHTTPResponse:
        response = self._send(method, path, message, seconds)
        if response.status >= 500 and response.status != 503:
            raise BackendUnavailable(f"status {response.status}")
        if response.status >= 400:
            problem = _problem(response.data)
            raise BackendRefused(response.status, problem.code, problem.fields)
        return response

    def _send(
        self, method: str, path: str, message: msgspec.Struct | None, seconds: float = _SECONDS
    ) -> urllib3.response.BaseHTTPResponse:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        options: dict[str, Any] = {"timeout": urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds)}
        if message is not None:
            options["body"] = msgspec.json.encode(message)
        try:
            return self._pool.request(method, self._url + path, headers=headers, **options)
        except urllib3.exceptions.HTTPError as fault:
            raise BackendUnavailable(type(fault).__name__) from None


def _decoded(content: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        raise BackendUnavailable("the answer is not what the interface prescribes") from None


def _next_cursor(link: str) -> str | None:
    """The cursor in ``<address>; rel="next"``; of the address itself nothing is followed."""
    address, _, relation = link.partition(">")
    if 'rel="next"' not in relation:
        return None
    return parse_qs(urlsplit(address.lstrip("<")).query).get("cursor", [None])[0]


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()
