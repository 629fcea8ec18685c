"""The sentence, the next action and the owner of every fault code, in Vietnamese and English."""

from __future__ import annotations

from functools import cache
from importlib import resources

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


@cache
def fault_catalogue() -> dict[str, Fault]:
    """Every fault by code; the files are merged and a code may stand in one of them only."""
    merged: dict[str, Fault] = {}
    folder = resources.files("verification.messages") / "faults"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".json"):
            continue
        faults = msgspec.json.decode(entry.read_bytes(), type=dict[str, Fault])
        twice = merged.keys() & faults.keys()
        if twice:
            raise ValueError(f"fault codes defined twice: {sorted(twice)}")
        merged.update(faults)
    return merged


def fault(code: str) -> Fault:
    """The fault for a code; an unknown code reads as an internal error."""
    catalogue = fault_catalogue()
    return catalogue.get(code, catalogue["INTERNAL_ERROR"])
