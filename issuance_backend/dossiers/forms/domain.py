"""Forms are data with days: which edition of a code is in force, and what it does not do without.

A code alone says nothing: CC01 was the citizen's declaration until June 2024 and is the record of what was
captured since. Whoever names a form names its edition: ``CC01/2016``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from issuance_backend.refusals import FormUnknown
from verification.messages.asked_prints import is_best_available, is_reason_for
from verification.messages.enrollment_packet import CANNOT_SIGN, CITIZEN_SIGNATURE, CaptureException
from verification.messages.forms import FormEdition, FormException, FormPrints

DOSSIER_USE = "dossier"
"""Forms that go with an application."""

EXCEPTIONS = "exceptions"
"""Under which name a capture states coded exceptions, and its step records them."""

_STEP_DETAIL = "forms"


@dataclass(frozen=True, slots=True)
class FormCatalogue:
    """Every edition of every form; of one code no day has two."""

    version: str
    editions: tuple[FormEdition, ...]

    def in_force(self, day: date) -> tuple[FormEdition, ...]:
        """The editions of one day, in the order of the catalogue."""
        return tuple(each for each in self.editions if is_in_force(each, day))

    def edition(self, code: str, day: date) -> FormEdition:
        """The edition of a code on one day; raises FormUnknown."""
        return _only((each for each in self.in_force(day) if each.code == code), code)

    def named(self, reference: str) -> FormEdition:
        """The edition that a recorded reference names; raises FormUnknown."""
        return _only((each for each in self.editions if form_reference(each) == reference), reference)

    def step_detail(self, day: date) -> dict[str, str]:
        """What the capture of a dossier records about its forms."""
        used = [form_reference(each) for each in self.in_force(day) if each.use == DOSSIER_USE]
        return {_STEP_DETAIL: " ".join(used)} if used else {}

    def recorded(self, details: Iterable[Mapping[str, str]], day: date) -> tuple[FormEdition, ...]:
        """The editions that the last of these steps names; where none names any, those of the day.

        A dossier that is captured again after a circular changed is on the new paper from then on.
        """
        named = [detail[_STEP_DETAIL].split() for detail in details if _STEP_DETAIL in detail]
        if named:
            return tuple(self.named(reference) for reference in named[-1])
        return tuple(each for each in self.in_force(day) if each.use == DOSSIER_USE)


def stated_exceptions(details: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """The codes that the captures of a dossier recorded, each once."""
    return tuple(dict.fromkeys(code for each in details for code in each.get(EXCEPTIONS, "").split()))


def exceptions_detail(stated: Iterable[str]) -> dict[str, str]:
    """What a capture's step records of its exceptions: codes, nothing of the person."""
    codes = sorted(set(stated))
    return {EXCEPTIONS: " ".join(codes)} if codes else {}


def form_reference(edition: FormEdition) -> str:
    """The name under which a dossier remembers its form."""
    return f"{edition.code}/{edition.edition}"


def is_in_force(edition: FormEdition, day: date) -> bool:
    """Whether an edition is used on a day; its last day is one of its days."""
    last = edition.valid_to
    return date.fromisoformat(edition.valid_from) <= day and (last is None or day <= date.fromisoformat(last))


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the forms of one day ask of a dossier: items, prints, and the reasons that stand for them."""

    mandatory: frozenset[str]
    reasons: Mapping[str, FormException]
    prints: FormPrints | None = None

    def excused(self, stated: Iterable[str]) -> frozenset[str]:
        """The items that may be left out for the exceptions that were stated."""
        return frozenset(self.reasons[code].item for code in stated if code in self.reasons)

    def faults(self, values: Mapping[str, str], stated: Iterable[str]) -> dict[str, str]:
        """Fault codes by item for what has neither a value nor an exception, and for a false exception."""
        codes = set(stated)
        excused = self.excused(codes)
        held = {item for item, value in values.items() if value.strip()}
        faults = dict.fromkeys(sorted(self.mandatory - held - excused), "FIELD_MISSING")
        if codes - self.reasons.keys():
            faults[EXCEPTIONS] = "EXCEPTION_UNKNOWN"
        elif excused & held:
            faults[EXCEPTIONS] = "EXCEPTION_CONTRADICTED"
        return faults

    def knows(self, stated: CaptureException) -> bool:
        """Whether a packet may state this reason for this item.

        That somebody cannot sign, and that no better print was to be had, no form names.
        """
        if stated.item == CITIZEN_SIGNATURE:
            return stated.code == CANNOT_SIGN
        if is_best_available(stated.item, stated.code):
            return True
        reason = self.reasons.get(stated.code.lower())
        return reason is not None and is_reason_for(reason, stated.item)


def requirements(editions: Iterable[FormEdition]) -> Requirements:
    """What several forms ask together: an exception of one holds for the dossier."""
    used = tuple(editions)
    return Requirements(
        frozenset(field.item for each in used for field in each.fields if field.mandatory),
        {stated.code: stated for each in used for stated in each.exceptions},
        next((each.prints for each in used if each.prints), None),
    )


def overlapping(editions: Iterable[FormEdition]) -> tuple[str, ...]:
    """The codes of which some day has two editions: a catalogue with any is refused when it is read."""
    by_code: dict[str, list[FormEdition]] = {}
    for each in editions:
        by_code.setdefault(each.code, []).append(each)
    return tuple(sorted(code for code, held in by_code.items() if _overlap(held)))


def _overlap(editions: list[FormEdition]) -> bool:
    ordered = sorted(editions, key=lambda each: each.valid_from)
    return any(
        earlier.valid_to is None
        or date.fromisoformat(earlier.valid_to) + timedelta(days=1) > date.fromisoformat(later.valid_from)
        for earlier, later in pairwise(ordered)
    )


def _only(found: Iterable[FormEdition], name: str) -> FormEdition:
    edition = next(iter(found), None)
    if edition is None:
        raise FormUnknown(f"no form {name}")
    return edition
