"""DC01 forms as the office works on them in the registry: every refusal of its comes back as itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from issuance_backend.content_scanning.refusals import (
    ContentInfected,
    ContentNotScanned,
    ContentScannerUnavailable,
)
from issuance_backend.paging import Page, PageAsked, cursor_of
from issuance_backend.refusals import (
    AnswerLost,
    BlobAltered,
    BlobStoreUnavailable,
    Dc01BarcodeTaken,
    Dc01BatchNotReady,
    Dc01BatchUnknown,
    Dc01FormUnknown,
    Dc01PageUnknown,
    Dc01ScanOutside,
    IdempotencyConflict,
    PictureErased,
    RequestStillRunning,
    SameOfficer,
    UnitUnknown,
)
from issuance_backend.registry_http import RegistryHttp
from issuance_backend.unit_codes import is_unit
from verification.errors import RegistryUnavailable, TransitionRefused, VerificationError
from verification.messages.dc01 import LineOfUnit
from verification.messages.registry_access import ReadingFor

Answer = TypeVar("Answer")

_ROOT = "/v1/dc01"
_SECONDS = 20.0
"""A picture of eight megabytes is looked at by a scanner before it is answered."""

_REFUSALS: Mapping[str, type[VerificationError]] = {
    kind.code: kind
    for kind in (
        *(Dc01BarcodeTaken, Dc01BatchNotReady, Dc01BatchUnknown, Dc01FormUnknown, Dc01PageUnknown),
        *(Dc01ScanOutside, PictureErased, SameOfficer, TransitionRefused, UnitUnknown),
        # Of a request that comes again: the registry knows what became of it.
        *(AnswerLost, IdempotencyConflict, RequestStillRunning),
        *(ContentInfected, ContentNotScanned, ContentScannerUnavailable, BlobAltered, BlobStoreUnavailable),
    )
}


_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_UNKNOWN: Mapping[str, type[VerificationError]] = {"forms": Dc01FormUnknown, "batches": Dc01BatchUnknown}


@dataclass(frozen=True, slots=True)
class FormPicture:
    """One page of a form."""

    content: bytes
    media_type: str


class RegistryForms:
    """Asks the registry's own program; its token has the role dc01.work.

    ``key`` names the request at hand, so that the registry does once what is sent again; None for one that
    does not say it may come again.
    """

    def __init__(self, url: str, token: str, key: Callable[[], str | None]) -> None:
        self._http = RegistryHttp(url, token, seconds=_SECONDS)
        self._key = key

    def read(self, kind: type[Answer], *path: str, **asked: str | None) -> Answer | None:
        """What stands at a path; None where there is nothing. Raises what the registry refuses."""
        response = self._http.relayed("GET", _address(path, asked), refusals=_REFUSALS)
        return None if response.status == 204 else _decoded(response.data, kind)

    def send(self, kind: type[Answer], message: msgspec.Struct | None, *path: str) -> Answer | None:
        """Have something done; what became of it, None where that is only acknowledged."""
        address, key = _address(path, {}), self._key()
        response = self._http.relayed("POST", address, message, key=key, refusals=_REFUSALS)
        return None if response.status == 204 else _decoded(response.data, kind)

    def listed(self, kind: type[Answer], asked: PageAsked, *path: str, **only: str | None) -> Page[Answer]:
        """One page of a list."""
        query = {**only, "limit": str(asked.limit), "cursor": cursor_of(asked)}
        response = self._http.relayed("GET", _address(path, query), refusals=_REFUSALS)
        entries = _decoded(response.data, list[kind])  # type: ignore[valid-type]
        link = response.headers.get("Link", "").partition(">")[0].lstrip("<")
        return Page(tuple(entries), parse_qs(urlsplit(link).query).get("cursor", [None])[0])

    def line(self, unit: str) -> str:
        """The unit of today under which stands what was filed under this one; raises UnitUnknown."""
        if not is_unit(unit):
            raise UnitUnknown("no unit is written so")
        response = self._http.relayed("GET", f"/v1/units/{unit}/line", refusals=_REFUSALS)
        return _decoded(response.data, LineOfUnit).line

    def values(self, kind: type[Answer], form: str, reading: ReadingFor) -> Answer:
        """What is keyed of a form; the registry records the look."""
        path = _address(("forms", form, "values"), {"officer": reading.officer})
        return _decoded(self._http.relayed("GET", path, reading=reading, refusals=_REFUSALS).data, kind)

    def picture(self, form: str, page: str, reading: ReadingFor) -> FormPicture:
        """One page of a form; the registry records the look."""
        path = _address(("forms", form, "pages", page), {"officer": reading.officer})
        response = self._http.relayed("GET", path, reading=reading, refusals=_REFUSALS)
        return FormPicture(bytes(response.data), response.headers.get("Content-Type", ""))


def _address(path: tuple[str, ...], asked: Mapping[str, str | None]) -> str:
    # What an officer sends becomes part of an address: no ".." leads to another of the registry's.
    if any(_NAME.fullmatch(part) is None for part in path):
        raise _UNKNOWN.get(path[0], RegistryUnavailable)("no such name")
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    return "/".join((_ROOT, *path)) + (query and f"?{query}")


def _decoded(content: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        raise RegistryUnavailable("the answer is not what the interface prescribes") from None
