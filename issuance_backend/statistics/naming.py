"""What shares, time limits, kinds of records and their states are called where people read a report."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from issuance_backend.statistics.definitions import vocabulary
from verification.messages.fault_catalogue import fault_catalogue

_SPOILAGE = "spoilage"


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    vi: str
    en: str


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kinds: dict[str, Wording]
    states: dict[str, dict[str, Wording]]
    causes: dict[str, dict[str, Wording]]


class Codes:
    """The names by which programs know them."""

    def share(self, name: str) -> str:
        """A share."""
        return name

    def counter(self, name: str) -> str:
        """A counter."""
        return name

    def clock(self, name: str) -> str:
        """A time limit."""
        return name

    def place(self, kind: str, state: str) -> tuple[str, str]:
        """A kind of record, and a state that records of it come to."""
        return kind, state

    def cause(self, _cause: str, code: str) -> str:
        """A code of a cause."""
        return code


class Vietnamese(Codes):
    """The words of a briefing; of a kind, state or cause that has none, its code."""

    def share(self, name: str) -> str:
        """What is divided by what."""
        found = vocabulary().share(name)
        return f"{self.counter(found.part)} / {self.counter(found.whole)}"

    def counter(self, name: str) -> str:
        """A counter as its definition calls it."""
        return vocabulary().counter(name).vi

    def clock(self, name: str) -> str:
        """A time limit as its definition calls it."""
        return next((each.vi for each in vocabulary().clocks if each.id == name), name)

    def place(self, kind: str, state: str) -> tuple[str, str]:
        """A kind of record, and a state that records of it come to."""
        named, reached = _tables().kinds.get(kind), _tables().states.get(kind, {}).get(state)
        return named.vi if named else kind, reached.vi if reached else state

    def cause(self, cause: str, code: str) -> str:
        """A code of a cause; what is found on a card is a fault of the catalogue."""
        if cause == _SPOILAGE and code in fault_catalogue():
            return fault_catalogue()[code].vi.what
        named = _tables().causes.get(cause, {}).get(code)
        return named.vi if named else code


@cache
def _tables() -> _Tables:
    content = resources.files("issuance_backend.statistics").joinpath("state_names.json").read_bytes()
    return msgspec.json.decode(content, type=_Tables)
