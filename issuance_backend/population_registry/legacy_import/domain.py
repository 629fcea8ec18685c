"""One line of an archive of older cards, and what it means for the registry.

linked      the registry's person has this number and agrees        the identity is valid
conflict    the number is the person's and the rest is not,          an officer decides
            or one person has this name, and of the birth
            the archive knows the year or the month alone
unknown     nobody in the registry                                   to be collected by form DC01
ambiguous   several people of that name and birth                   an officer decides
malformed   the line is no record                                    back to the archive
repeated    imported before                                          nothing happens
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum

import msgspec

from issuance_backend.population_registry.birth import BirthDate, may_be_one_day, read_birth_date
from issuance_backend.population_registry.domain import RegistryPerson, same_text
from issuance_backend.population_registry.identities.domain import IdentityKind
from verification.errors import MalformedDocument
from verification.identity.legacy_encodings import unicode_text
from verification.identity.person_name import normalized_name

COLUMNS = (*("kind", "number", "full_name", "date_of_birth", "sex", "issued_on", "barcode", "scan_quality"),)
RECAPTURE_BELOW = 40
"""Scans of fingerprints and portraits worse than this (0 to 100) are taken again at the next visit."""

_DIGITS = {IdentityKind.CMND_9: 9, IdentityKind.BARCODE_CARD: 12}
_MAX_NAME = 120
_Z_95 = 1.959964


class Outcome(StrEnum):
    """What became of a line."""

    LINKED = "linked"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    MALFORMED = "malformed"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyRecord:
    """An older card as its archive holds it; of the birth often the year alone is known."""

    kind: IdentityKind
    number: str
    full_name: str
    date_of_birth: BirthDate
    sex: str
    issued_on: date | None
    scan_quality: int | None

    @property
    def needs_recapture(self) -> bool:
        """Whether its pictures are missing or too bad to be compared."""
        return self.scan_quality is None or self.scan_quality < RECAPTURE_BELOW

    @property
    def digest(self) -> str:
        """Equal for equal records, whatever file they come in."""
        content = asdict(self) | {"date_of_birth": self.date_of_birth.text}
        return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()

    def agrees_with(self, person: RegistryPerson) -> bool:
        """Whether the registry says the same of this person, as far as the date is known."""
        return (
            same_text(self.full_name, person.full_name)
            and may_be_one_day(self.date_of_birth, person.birth)
            and self.sex == person.sex
        )


class LineMalformed(ValueError):
    """A line is no record; the message is the name of the column and nothing of its content."""


@dataclass(slots=True)
class Tally:
    """How the lines of a file came out; ``recapture`` counts records whose pictures must be taken again."""

    lines: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    recapture: int = 0


def parse(line: Mapping[str | None, str | list[str] | None], today: date) -> LegacyRecord:
    """The record of one line, its name in Unicode whatever the archive wrote.

    Raises LineMalformed, also for a birth before 1850 or after ``today``.
    """
    texts = {name: (line.get(name) or "") for name in COLUMNS}
    if None in line or not all(isinstance(text, str) for text in texts.values()):
        raise LineMalformed("columns")
    values = {name: str(text).strip() for name, text in texts.items()}
    kind = _kind(values["kind"])
    number = values["number"]
    if not (number.isascii() and number.isdigit() and len(number) == _DIGITS[kind]):
        raise LineMalformed("number")
    # The bar code of the card of 2016 holds its twelve digits: another one is another card.
    if kind is IdentityKind.BARCODE_CARD and values["barcode"] not in {"", number}:
        raise LineMalformed("barcode")
    if values["sex"] not in {"M", "F"}:
        raise LineMalformed("sex")
    born = _birth(values["date_of_birth"])
    if born.first_day > today:
        raise LineMalformed("date_of_birth")
    return LegacyRecord(
        kind=kind,
        number=number,
        full_name=_name(values["full_name"]),
        date_of_birth=born,
        sex=values["sex"],
        issued_on=_issued_on(values["issued_on"]) if values["issued_on"] else None,
        scan_quality=_quality(values["scan_quality"]),
    )


def interval(count: int, lines: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen ``count`` times in ``lines`` (Wilson)."""
    if lines == 0:
        return 0.0, 1.0
    share, square = count / lines, _Z_95**2
    centre = (share + square / (2 * lines)) / (1 + square / lines)
    spread = _Z_95 / (1 + square / lines) * math.sqrt(share * (1 - share) / lines + square / (4 * lines**2))
    return max(0.0, centre - spread), min(1.0, centre + spread)


def report_lines(tally: Tally, whole: int | None = None) -> list[str]:
    """The tally in words; for a sample of ``whole`` lines, how many of each the whole would have (95 %)."""
    amounts = {outcome.value: tally.outcomes[outcome] for outcome in Outcome}
    amounts |= {"to be captured again": tally.recapture}
    lines = [f"{tally.lines} lines"]
    for name, amount in amounts.items():
        text = f"{name}: {amount}"
        if whole is not None:
            low, high = interval(amount, tally.lines)
            text += f", of {whole}: {math.floor(low * whole)} to {math.ceil(high * whole)}"
        lines.append(text)
    lines += [f"malformed {column}: {amount}" for column, amount in sorted(tally.faults.items())]
    return lines


def _kind(text: str) -> IdentityKind:
    found = next((kind for kind in _DIGITS if kind.value == text), None)
    if found is None:
        raise LineMalformed("kind")
    return found


def _name(text: str) -> str:
    name = normalized_name(unicode_text(text)[0])
    if not 2 <= len(name) <= _MAX_NAME or any(char.isdigit() or not char.isprintable() for char in name):
        raise LineMalformed("full_name")
    return name


def _birth(text: str) -> BirthDate:
    try:
        whole = _iso_date(text)
        return read_birth_date(text) if whole is None else BirthDate.of(whole)
    except MalformedDocument:
        raise LineMalformed("date_of_birth") from None


def _issued_on(text: str) -> date:
    day = _iso_date(text)
    if day is None:
        raise LineMalformed("issued_on")
    return day


def _iso_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _quality(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
        raise LineMalformed("scan_quality")
    return int(text)
