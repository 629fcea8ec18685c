"""The way of a DC01 form, and of the batch that it is judged in.

planned          the resident is on the list               somebody collects the paper
collected        paper with a barcode                      it is scanned
scanned          its picture is kept                       it is indexed into a batch
indexed          picture and barcode belong together       a clerk keys it
keyed            what the clerk read                       the rules look at it
auto_checked     the rules have looked                     its batch is closed
recheck_sampled  drawn for a blind second keying           two other people
batch_rejected   its batch had too many wrong forms        keyed again, all of them
accepted         its batch passed                          compared with the registry
matched          compared                                  clean, or conflict
conflict         something contradicts                     an officer corrects it
correction       corrected                                 another officer looks
recheck          looked at                                 clean, or conflict again
clean            nothing contradicts                       life confirms it; conflict again where the
                                                          registry gets somebody who is alike
live             life confirmed it in the last 24 months
stale            nothing confirmed it for longer           life confirms it
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuance_backend.population_registry.birth import may_be_one_day
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.rules.checks import MANDATORY, missing_fields
from issuance_backend.population_registry.rules.domain import Finding, Measure, Weight
from issuance_backend.population_registry.rules.form_date import read_form_date
from issuance_backend.refusals import SameOfficer
from issuance_backend.state_table import StateTable
from verification.errors import FieldsRefused
from verification.identity.vietnamese_syllable import split_tone

Values = Mapping[str, str]
"""The fields of a form as a clerk keyed them."""

FIELDS = frozenset(MANDATORY) | {
    "citizen_number",
    "old_id",
    "blood_group",
    "birth_registration_unit",
    "father_number",
    "mother_number",
    "spouse",
    "spouse_number",
    "legal_representative",
    "representative_number",
    "head_number",
}
"""Everything that form DC01 asks."""

_DATES = frozenset({"date_of_birth"})
_MAX_TEXT = 200


class FormState(StrEnum):
    """Where a form stands."""

    PLANNED = "planned"
    COLLECTED = "collected"
    SCANNED = "scanned"
    INDEXED = "indexed"
    KEYED = "keyed"
    AUTO_CHECKED = "auto_checked"
    RECHECK_SAMPLED = "recheck_sampled"
    BATCH_REJECTED = "batch_rejected"
    ACCEPTED = "accepted"
    MATCHED = "matched"
    CONFLICT = "conflict"
    CORRECTION = "correction"
    RECHECK = "recheck"
    CLEAN = "clean"
    LIVE = "live"
    STALE = "stale"


class FormEvent(StrEnum):
    """What can happen to a form."""

    PLAN = "plan"
    COLLECT = "collect"
    SCAN = "scan"
    INDEX = "index"
    KEY = "key"
    CHECK = "check"
    SAMPLE = "sample"
    REJECT_BATCH = "reject_batch"
    ACCEPT_BATCH = "accept_batch"
    MATCH = "match"
    CONTRADICT = "contradict"
    CORRECT = "correct"
    RECHECK = "recheck"
    SETTLE = "settle"
    CONFIRM = "confirm"
    AGE = "age"
    DOUBT = "doubt"


_S, _E = FormState, FormEvent

TABLE = StateTable[FormState, FormEvent](
    {
        (None, _E.PLAN): _S.PLANNED,
        (_S.PLANNED, _E.COLLECT): _S.COLLECTED,
        (_S.COLLECTED, _E.SCAN): _S.SCANNED,
        # Whoever indexes it may have it scanned again: nobody has read anything off it yet.
        (_S.SCANNED, _E.SCAN): _S.SCANNED,
        (_S.SCANNED, _E.INDEX): _S.INDEXED,
        (_S.INDEXED, _E.KEY): _S.KEYED,
        (_S.KEYED, _E.CHECK): _S.AUTO_CHECKED,
        # While the batch is open a clerk may mend what the rules found.
        (_S.AUTO_CHECKED, _E.KEY): _S.KEYED,
        (_S.AUTO_CHECKED, _E.SAMPLE): _S.RECHECK_SAMPLED,
        (_S.AUTO_CHECKED, _E.ACCEPT_BATCH): _S.ACCEPTED,
        (_S.RECHECK_SAMPLED, _E.ACCEPT_BATCH): _S.ACCEPTED,
        (_S.AUTO_CHECKED, _E.REJECT_BATCH): _S.BATCH_REJECTED,
        (_S.RECHECK_SAMPLED, _E.REJECT_BATCH): _S.BATCH_REJECTED,
        (_S.BATCH_REJECTED, _E.KEY): _S.KEYED,
        (_S.ACCEPTED, _E.MATCH): _S.MATCHED,
        (_S.MATCHED, _E.SETTLE): _S.CLEAN,
        (_S.MATCHED, _E.CONTRADICT): _S.CONFLICT,
        (_S.CONFLICT, _E.CORRECT): _S.CORRECTION,
        (_S.CORRECTION, _E.RECHECK): _S.RECHECK,
        (_S.RECHECK, _E.SETTLE): _S.CLEAN,
        (_S.RECHECK, _E.CONTRADICT): _S.CONFLICT,
        (_S.CLEAN, _E.CONFIRM): _S.LIVE,
        (_S.LIVE, _E.CONFIRM): _S.LIVE,
        (_S.STALE, _E.CONFIRM): _S.LIVE,
        (_S.CLEAN, _E.AGE): _S.STALE,
        (_S.LIVE, _E.AGE): _S.STALE,
        (_S.CLEAN, _E.DOUBT): _S.CONFLICT,
        (_S.LIVE, _E.DOUBT): _S.CONFLICT,
        (_S.STALE, _E.DOUBT): _S.CONFLICT,
    }
)
advance, fold = TABLE.advance, TABLE.fold

CLEAN_STATES = frozenset({FormState.CLEAN, FormState.LIVE, FormState.STALE})


KEYED_BLINDLY = frozenset({FormState.AUTO_CHECKED, FormState.RECHECK_SAMPLED, FormState.BATCH_REJECTED})
"""Of these somebody may have to key again, without a word of what was keyed before."""


class BatchState(StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    SAMPLED = "sampled"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class BatchEvent(StrEnum):
    """What can happen to a batch."""

    OPEN = "open"
    DRAW = "draw"
    ACCEPT = "accept"
    REJECT = "reject"


BATCH_TABLE = StateTable[BatchState, BatchEvent](
    {
        (None, BatchEvent.OPEN): BatchState.OPEN,
        (BatchState.OPEN, BatchEvent.DRAW): BatchState.SAMPLED,
        (BatchState.SAMPLED, BatchEvent.ACCEPT): BatchState.ACCEPTED,
        (BatchState.SAMPLED, BatchEvent.REJECT): BatchState.REJECTED,
        # Only after every form of it was keyed again: invariant I14.
        (BatchState.REJECTED, BatchEvent.DRAW): BatchState.SAMPLED,
    }
)
advance_batch = BATCH_TABLE.advance


def require_other(officer: str, *former: str | None) -> None:
    """Raise SameOfficer for whoever did the work that is to be checked."""
    if officer in former:
        raise SameOfficer("somebody else checks this form")


def normalised(values: Values) -> dict[str, str]:
    """The texts in one Unicode form with single spaces, empty ones left out; raises FieldsRefused."""
    clean: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in values.items():
        text = " ".join(unicodedata.normalize("NFC", value).split())
        if name not in FIELDS or any(unicodedata.category(char).startswith("C") for char in text):
            faults[name[:40]] = "FIELD_CHARACTERS"
        elif len(text) > _MAX_TEXT:
            faults[name] = "FIELD_TOO_LONG"
        elif text:
            clean[name] = text
    if faults:
        raise FieldsRefused(faults)
    return clean


def differences(first: Values, second: Values) -> tuple[str, ...]:
    """The fields that say something else: 15/3/1990 and 15/03/1990, LAN and Lan, Hoà and Hòa say the same."""
    names = sorted(first.keys() | second.keys())
    return tuple(name for name in names if _meaning(first, name) != _meaning(second, name))


def _meaning(values: Values, name: str) -> str:
    text = values.get(name, "")
    born = read_form_date(text) if name in _DATES else None
    return born.text if born else str(_spelled(text))


def _spelled(text: str) -> list[tuple[str, int]]:
    """The words apart from case and from where a keyboard puts the tone; what is written y stays y."""
    return [split_tone(word) for word in _plain(text).split()]


@dataclass(frozen=True, slots=True)
class Form:
    """A form with what is keyed of it; ``checked_right`` is the blind check's say on the first keying.

    So many ``pages`` of its picture are kept here; ``scan`` names one that is kept outside. ``person`` is the
    number of the registry's entry whose form it is, once that is known.
    """

    id: str
    barcode: str
    unit: str
    state: FormState
    version: int
    batch: str | None = None
    collected_on: date | None = None
    pages: int = 0
    scan: str | None = None
    values: Values | None = None
    keyed_by: str | None = None
    keyed_round: int = 0
    findings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    checked_right: bool | None = None
    conflicts: tuple[str, ...] = ()
    corrected_by: str | None = None
    confirmed_on: date | None = None
    person: str | None = None

    @property
    def subject(self) -> str:
        """How recorded events name the form."""
        return f"dc01/{self.id}"

    @property
    def bears_own_number(self) -> bool:
        """Whether a citizen number is keyed."""
        return bool((self.values or {}).get("citizen_number"))

    @property
    def number(self) -> str | None:
        """The keyed number by which the form is found again: twelve digits, or an older card's nine."""
        for name, digits in (("citizen_number", 12), ("old_id", 9)):
            number = (self.values or {}).get(name, "")
            if len(number) == digits:
                return number
        return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Forms of one commune that are judged together; ``round`` counts its samples."""

    id: str
    unit: str
    state: BatchState
    version: int
    aql: str
    level: str
    severity: str
    round: int = 0
    sample_size: int | None = None
    acceptance: int | None = None
    wrong: int | None = None
    first_verdict: str | None = None

    @property
    def subject(self) -> str:
        """How recorded events name the batch."""
        return f"dc01-batch/{self.id}"


@dataclass(frozen=True, slots=True)
class Recheck:
    """The blind second keying of one form in one round of its batch."""

    form: str
    batch: str
    round: int
    first_clerk: str
    second_clerk: str | None = None
    second_values: Values | None = None
    differing: tuple[str, ...] = ()
    decided_by: str | None = None
    first_wrong: tuple[str, ...] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it is known which fields the first clerk read wrong."""
        return self.first_wrong is not None


def contradictions(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Names of the rules that a form cannot break and be right; a doubt is for an officer's eye only."""
    return tuple(
        finding.rule
        for finding in findings
        if finding.weight is Weight.FAULT and finding.measure is Measure.CLEAN
    )


def missing(values: Values) -> tuple[str, ...]:
    """What a form lacks to be complete, as reasons."""
    return tuple(f"MISSING:{name}" for name in missing_fields(values))


_COMPARED = ("full_name", "sex", "ethnicity", "place_of_origin", "father", "mother")


def registry_conflicts(values: Values, entry: RegistryPerson) -> tuple[str, ...]:
    """Where a form and the registry's entry for its number contradict each other."""
    conflicts = [
        f"REGISTRY_DIFFERS:{name}"
        for name in _COMPARED
        if values.get(name) and _spelled(values[name]) != _spelled(getattr(entry, name))
    ]
    born = read_form_date(values.get("date_of_birth", ""))
    # A form that knows the year alone does not contradict a whole date.
    if born is not None and not may_be_one_day(born, entry.birth):
        conflicts.append("REGISTRY_DIFFERS:date_of_birth")
    return tuple(conflicts)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
