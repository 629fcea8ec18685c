"""The population registry as a capture office sees it: a port, and its HTTP side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import urllib3

from issuance_backend.refusals import RegistryPersonUnknown
from verification.errors import RegistryUnavailable
from verification.messages.enrollment import PersonExtract, PersonFields
from verification.messages.person_match import MatchAnswer, MatchQuery
from verification.messages.registry_access import HEADER, Purpose, ReadingFor

_TAKING_IN = ReadingFor(purpose=Purpose.CAPTURE)
_MOST_COMPARED = 20


class Registry(Protocol):
    """Where particulars come from."""

    def extract(self, citizen_number: str, purpose: Purpose = Purpose.CAPTURE) -> PersonExtract:
        """The entry for a number; raises RegistryPersonUnknown or RegistryUnavailable.

        Its person is told for what it was read.
        """
        ...

    def candidates(self, person: PersonFields, citizen_number: str) -> MatchAnswer:
        """Who else than the number's own person is likely meant; raises RegistryUnavailable."""
        ...


class RegistryOverHttp:
    """Asks the registry's own program; ``reading`` says for whom, whenever an entry is read."""

    def __init__(self, url: str, token: str, reading: Callable[[], ReadingFor] = lambda: _TAKING_IN) -> None:
        self._reading = reading
        self._url = url.rstrip("/")
        self._token = token
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=1.0, read=3.0), retries=urllib3.Retry(1, redirect=0)
        )

    def extract(self, citizen_number: str, purpose: Purpose = Purpose.CAPTURE) -> PersonExtract:
        """The entry for a number; raises RegistryPersonUnknown or RegistryUnavailable."""
        reading = msgspec.structs.replace(self._reading(), purpose=purpose)
        response = self._asked("GET", f"/v1/persons/{citizen_number}", said={HEADER: reading.header()})
        if response.status == 404 and _code(response.data) == RegistryPersonUnknown.code:
            raise RegistryPersonUnknown("no entry for the number")
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=PersonExtract)
        except msgspec.DecodeError:
            raise RegistryUnavailable("the answer is no extract") from None

    def candidates(self, person: PersonFields, citizen_number: str) -> MatchAnswer:
        """Who else than the number's own person is likely meant; raises RegistryUnavailable."""
        # Who is named in the answer was looked at, for whichever application it was asked.
        reading = msgspec.structs.replace(self._reading(), purpose=Purpose.COMPARISON)
        question = msgspec.json.encode(_question(person, citizen_number))
        response = self._asked("POST", "/v1/person-matches", question, said={HEADER: reading.header()})
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=MatchAnswer)
        except msgspec.DecodeError:
            raise RegistryUnavailable("the answer lists no candidates") from None

    def _asked(
        self, method: str, path: str, body: bytes | None = None, said: Mapping[str, str] | None = None
    ) -> urllib3.response.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        headers |= said or {}
        try:
            return self._pool.request(method, self._url + path, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None


def _question(person: PersonFields, citizen_number: str) -> MatchQuery:
    # No number, new or old: whoever stands in the registry twice has two, and another one speaks against.
    return MatchQuery(
        full_name=person.full_name,
        date_of_birth=person.date_of_birth or None,
        sex="F" if person.sex == "F" else "M",
        place_of_origin=person.place_of_origin or None,
        residence=person.place_of_residence or None,
        father=person.father or None,
        mother=person.mother or None,
        others_than=citizen_number,
        limit=_MOST_COMPARED,
    )


class _Problem(msgspec.Struct):
    code: str = ""


def _code(body: bytes) -> str:
    # A wrong address answers 404 as well; only the registry's own word means "no such person".
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except msgspec.DecodeError:
        return ""
