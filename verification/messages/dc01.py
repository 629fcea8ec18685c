"""Population information forms DC01: units they name, their way through the office, and how good they are.

``officer`` is whoever acts, vouched for by the calling program that signed him in.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

FormText = Annotated[str, msgspec.Meta(max_length=200)]
UnitCode = Annotated[str, msgspec.Meta(max_length=20)]
UnitText = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Officer = Annotated[str, msgspec.Meta(max_length=40)]
ToldApartBy = Literal["papers_seen", "people_met"]

MAX_PAGES = 4
"""A form has two sides; what is glued to it may have as many again."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
MAX_FORM_BYTES = 8 * 1024 * 1024
"""All pages of a form together."""

MAX_SCAN_REQUEST_BYTES = MAX_FORM_BYTES * 4 // 3 + 64 * 1024
"""The pages as JSON: base64 makes them a third larger."""

MAX_PAGE_PIXELS = 36_000_000
"""A sheet of A4 at 600 pixels an inch."""

MIN_PAGE_SIDE = 1_000
"""Pixels of the shorter side: handwriting on a sheet of A4 is read from about 120 an inch on."""


class UnitEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One unit under one name; ``valid_to`` is the first day on which it was no more."""

    code: UnitCode
    level: Literal["province", "district", "commune"]
    name: UnitText
    valid_from: date
    legal_basis: UnitText
    valid_to: date | None = None


class SuccessionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On this day the unit passed, wholly or in part, into another."""

    code: UnitCode
    successor: UnitCode
    on: date
    legal_basis: UnitText


class UnitTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units and what became of them, to be added to the map."""

    units: tuple[UnitEntry, ...] = ()
    successions: tuple[SuccessionEntry, ...] = ()


class UnitView(msgspec.Struct, frozen=True):
    """One unit as it was on the day asked for."""

    code: str
    level: str
    name: str
    valid_from: date
    valid_to: date | None
    legal_basis: str


class LineOfUnit(msgspec.Struct, frozen=True):
    """Under which unit of a day a record stands that was filed under ``code``.

    ``is_its_own``: what the unit itself became, a unit of the same level, and not one that only holds it.
    """

    code: str
    on: date
    line: str
    name: str | None
    is_its_own: bool = False


class OfficerCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many regular officers serve in a commune."""

    counted_on: date
    officers: int
    officer: Officer


class StaffingGap(msgspec.Struct, frozen=True):
    """A commune with fewer officers than the rule asks; None where nobody counted."""

    code: str
    name: str
    officers: int | None
    least: int


class ResidentsListed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Forms to be collected in a commune: one barcode a resident."""

    unit: UnitCode
    barcodes: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(max_length=200)]


class ResidentList(ResidentsListed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom they were listed."""

    officer: Officer


class PaperCollected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The resident filled in and signed the paper on this day."""

    collected_on: date


class FormCollected(PaperCollected, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it was collected."""

    officer: Officer


class PaperScanned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The pictures of the paper's pages in their order, each a JPEG or PNG."""

    pages: Annotated[tuple[bytes, ...], msgspec.Meta(min_length=1, max_length=MAX_PAGES)]


class FormScanned(PaperScanned, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it was scanned."""

    officer: Officer


class PaperIndexed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The picture is that of the barcode, and the form joins a batch."""

    batch: Annotated[str, msgspec.Meta(max_length=16)]


class FormIndexed(PaperIndexed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it was indexed."""

    officer: Officer


class PaperRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a clerk read off the picture, by field; what is not filled in is left out."""

    values: dict[str, FormText]


class FormKeyed(PaperRead, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it was read."""

    officer: Officer


class FormDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the paper says in the fields that two clerks keyed differently."""

    values: dict[str, FormText]
    officer: Officer


class CorrectionReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether another officer finds a correction right.

    ``told_apart_by`` says what showed that whoever the form is like is another person: the papers of both
    were seen, or both people were met.
    """

    is_right: bool
    told_apart_by: ToldApartBy | None = None


class FormReview(CorrectionReview, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it was looked at."""

    officer: Officer


class BatchWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch of forms of one commune, judged by its acceptance quality limit in percent."""

    unit: UnitCode
    aql: Literal["0.10", "0.15", "0.25", "0.40", "0.65", "1.0", "1.5", "2.5", "4.0", "6.5"] = "1.0"
    level: Literal["I", "II", "III"] = "II"


class BatchOpened(BatchWanted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same, by whom it is opened."""

    officer: Officer


class Acting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whoever acts, where nothing else is to be said."""

    officer: Officer


class FormView(msgspec.Struct, frozen=True):
    """Where a form stands; nothing of what is written on it.

    ``findings`` are told to who keyed it, and to everybody once nobody keys it blindly any more. So many
    ``pages`` of its picture are kept here; ``scan`` names one that is kept outside by its SHA-256.
    ``registered`` says whether the registry has the entry whose form it is.
    """

    id: str
    barcode: str
    unit: str
    state: str
    batch: str | None
    pages: int
    scan: str | None
    findings: tuple[str, ...]
    conflicts: tuple[str, ...]
    registered: bool = False


class FormPerson(msgspec.Struct, frozen=True):
    """Whose form it is: the number under which the registry holds the person."""

    citizen_number: str


class FormValues(msgspec.Struct, frozen=True):
    """What is keyed of a form now and what is wrong with it, for whoever mends, corrects or reviews it.

    ``alike_persons`` are the numbers of those who ``LIKE_PERSON`` among the conflicts speaks of.
    """

    values: dict[str, str]
    findings: tuple[str, ...]
    conflicts: tuple[str, ...]
    alike_persons: tuple[str, ...] = ()


class SecondKeying(msgspec.Struct, frozen=True):
    """A form to be keyed again by somebody who does not see what was keyed first."""

    form: str
    barcode: str
    unit: str
    pages: int
    scan: str | None


class KeyingDifference(msgspec.Struct, frozen=True):
    """One field as each of two clerks read it, in no order that tells who was who."""

    field: str
    readings: tuple[str, str]


class OpenDifference(msgspec.Struct, frozen=True):
    """A form for a third person to decide."""

    form: str
    barcode: str
    unit: str
    pages: int
    scan: str | None
    differences: tuple[KeyingDifference, ...]


class BatchView(msgspec.Struct, frozen=True):
    """A batch, its plan once the sample is drawn, and its verdict once that is known."""

    id: str
    unit: str
    state: str
    round: int
    aql: str
    level: str
    severity: str
    forms: int
    sample_size: int | None = None
    acceptance_number: int | None = None
    checked: int = 0
    wrong: int | None = None
    """Known when the verdict is: before it, a count would tell the clerks how the sample goes."""
    low: float | None = None
    high: float | None = None
    """Of the share of wrong forms that was found: its exact 95 % interval."""
    states: dict[str, int] = {}
    """How many of its forms stand where."""
    unregistered: int = 0
    """How many of its clean forms are of nobody whom the registry holds."""


class FormsWaiting(msgspec.Struct, frozen=True):
    """How many forms of an area stand in each state; what has none is left out."""

    states: dict[str, int]


class FormWork(msgspec.Struct, frozen=True):
    """A step that an officer may take, and for how many forms of the area; of blind steps whether for any."""

    step: str
    forms: int


class ClerkRate(msgspec.Struct, frozen=True):
    """How many of a clerk's blindly re-keyed forms were wrong, with the 95 % confidence interval."""

    clerk: str
    forms: int
    wrong_forms: int
    rate: float
    low: float
    high: float
    wrong_fields: int


class QualityIndex(msgspec.Struct, frozen=True):
    """One index of one unit as of a day; ``value`` is None where there is nothing to measure."""

    unit: str
    index: str
    definition: str
    numerator: int
    denominator: int
    value: float | None
    as_of: date


class FailingForm(msgspec.Struct, frozen=True):
    """A form that an index counts against, and why."""

    form: str
    barcode: str
    unit: str
    reasons: tuple[str, ...]
