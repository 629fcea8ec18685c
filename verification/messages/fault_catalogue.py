"""The sentence, the next action and the owner of every fault code, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import msgspec


class FaultText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened and what to do next, in one language."""

    what: str
    next: str


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault; ``owner`` is who must act: teller, holder, supervisor, operator, officer or partner."""

    owner: str
    retryable: bool
    vi: FaultText
    en: FaultText

    def text(self, language: str) -> FaultText:
        """The sentence in English where asked for, in Vietnamese otherwise."""
        return self.en if language == "en" else self.vi


_FOLDER = Path(__file__).parent / "faults"
_OFFICE_AREAS = frozenset(
    {
        *("capture_terms", "card_drawer", "dc01", "delivery", "gate", "intake", "issuance", "issuer_keys"),
        *("citizen_access", "counter", "kit", "kit_pages", "platform", "printed_form", "registry", "search"),
    }
)
"""Files of faults that only the office and its officers meet; counters do not keep them in memory."""


@cache
def fault_catalogue() -> dict[str, Fault]:
    """Every fault by code."""
    return _merged([counter_faults(), *_read(office=True)])


def counter_faults() -> dict[str, Fault]:
    """The faults that a counter, a partner or the gateway meets, by code.

    Read anew at every call, which takes 1 ms: a counter needs a few of them a day.
    """
    return _merged(_read(office=False))


@lru_cache(maxsize=128)
def fault(code: str) -> Fault:
    """The fault for a code; an unknown code reads as an internal error."""
    known = counter_faults()
    return known.get(code) or fault_catalogue().get(code, known["INTERNAL_ERROR"])


def _read(*, office: bool) -> Iterator[dict[str, Fault]]:
    for entry in sorted(_FOLDER.iterdir()):
        area, _, kind = entry.name.partition(".")
        if kind == "json" and (area in _OFFICE_AREAS) is office:
            yield msgspec.json.decode(entry.read_bytes(), type=dict[str, Fault])


def _merged(areas: Iterable[dict[str, Fault]]) -> dict[str, Fault]:
    """A code may stand in one file only."""
    merged: dict[str, Fault] = {}
    for faults in areas:
        twice = merged.keys() & faults.keys()
        if twice:
            raise ValueError(f"fault codes defined twice: {sorted(twice)}")
        merged.update(faults)
    return merged
