"""One part of the registry as officers work in it: every refusal of its comes back as itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from issuance_backend.officers.domain import Officer
from issuance_backend.paging import Page, PageAsked, cursor_of
from issuance_backend.refusals import AnswerLost, IdempotencyConflict, RequestStillRunning, UnitUnknown
from issuance_backend.registry_http import RegistryHttp
from issuance_backend.unit_codes import is_unit
from verification.errors import RegistryUnavailable, VerificationError
from verification.messages.dc01 import LineOfUnit
from verification.messages.registry_access import Purpose, ReadingFor

Answer = TypeVar("Answer")
Sent = TypeVar("Sent", bound=msgspec.Struct)
Refusals = Mapping[str, type[VerificationError]]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


def by_code(*kinds: type[VerificationError]) -> Refusals:
    """These refusals, and those of a request that comes again: the registry knows what became of it."""
    again = (AnswerLost, IdempotencyConflict, RequestStillRunning)
    known: tuple[type[VerificationError], ...] = (*kinds, *again, UnitUnknown)
    return {kind.code: kind for kind in known}


@dataclass(frozen=True, slots=True)
class RegistryRelay:
    """Asks the registry's own program below ``root``.

    ``key`` names the request at hand, so that the registry does once what is sent again; None for one that
    does not say it may come again. ``unknown`` says, by the first part of a path, what a name that cannot be
    one is refused with.
    """

    http: RegistryHttp
    key: Callable[[], str | None]
    root: str
    refusals: Refusals
    unknown: Mapping[str, type[VerificationError]] = field(default_factory=dict)

    def read(
        self, kind: type[Answer], *path: str, reading: ReadingFor | None = None, **asked: str | None
    ) -> Answer | None:
        """What stands at a path; None where there is nothing. Raises what the registry refuses."""
        address = self.address(path, asked)
        response = self.http.relayed("GET", address, reading=reading, refusals=self.refusals)
        return None if response.status == 204 else decoded(response.data, kind)

    def send(self, kind: type[Answer], message: msgspec.Struct | None, *path: str) -> Answer | None:
        """Have something done; what became of it, None where that is only acknowledged."""
        address, key = self.address(path, {}), self.key()
        response = self.http.relayed("POST", address, message, key=key, refusals=self.refusals)
        return None if response.status == 204 else decoded(response.data, kind)

    def listed(self, kind: type[Answer], asked: PageAsked, *path: str, **only: str | None) -> Page[Answer]:
        """One page of a list."""
        query = {**only, "limit": str(asked.limit), "cursor": cursor_of(asked)}
        response = self.http.relayed("GET", self.address(path, query), refusals=self.refusals)
        entries = decoded(response.data, list[kind])  # type: ignore[valid-type]
        link = response.headers.get("Link", "").partition(">")[0].lstrip("<")
        return Page(tuple(entries), parse_qs(urlsplit(link).query).get("cursor", [None])[0])

    def line(self, unit: str) -> str:
        """The unit of today under which stands what was filed under this one; raises UnitUnknown."""
        return self.line_on(unit, None).line

    def line_on(self, unit: str, day: str | None) -> LineOfUnit:
        """What became of a unit by a day, today where none is given; raises UnitUnknown, FieldsRefused."""
        if not is_unit(unit):
            raise UnitUnknown("no unit is written so")
        asked = "" if day is None else "?" + urlencode({"on": day})
        response = self.http.relayed("GET", f"/v1/units/{unit}/line{asked}", refusals=self.refusals)
        return decoded(response.data, LineOfUnit)

    def address(self, path: tuple[str, ...], asked: Mapping[str, str | None]) -> str:
        """Where something stands; what cannot be part of an address raises what ``unknown`` says."""
        # What an officer sends becomes part of an address: no ".." leads to another of the registry's.
        if any(_NAME.fullmatch(part) is None for part in path):
            raise self.unknown.get(path[0], RegistryUnavailable)("no such name")
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return "/".join((self.root, *path)) + (query and f"?{query}")


def in_name_of(officer: Officer, kind: type[Sent], said: msgspec.Struct) -> Sent:
    """What an officer said, as the registry takes it: in the name of whoever is signed in."""
    return kind(officer=officer.id, **msgspec.structs.asdict(said))


def reading_of(officer: Officer, purpose: Purpose) -> ReadingFor:
    """For whom and for what the registry is asked."""
    return ReadingFor(
        purpose=purpose, unit=officer.unit, roles=",".join(sorted(officer.roles)), officer=officer.id
    )


def decoded(content: bytes, kind: type[Answer]) -> Answer:
    """An answer of the registry as this kind; raises RegistryUnavailable for what is none."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        raise RegistryUnavailable("the answer is not what the interface prescribes") from None


def there(found: Answer | None) -> Answer:
    """What an answer must bring; raises RegistryUnavailable for one without a body."""
    if found is None:
        raise RegistryUnavailable("an answer without a body")
    return found
