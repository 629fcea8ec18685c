"""Before anything is captured: is this declaration right, as far as a kit without a network can know?

What the extract holds of the unit's own people outranks what the digits of a number tell. Of everybody else
the kit knows only that they are known. A stop is put right before the citizen leaves, or answered for by a
supervisor's coded exception; a notice lets the capture go on.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from verification.encoding.dates import is_partly_known
from verification.errors import CitizenNumberMalformed, MalformedDocument
from verification.identity.citizen_number import CitizenNumber, NumberDoubt
from verification.identity.person_name import mrz_name, normalized_name
from verification.identity.vietnamese_syllable import canonical_word
from verification.messages.commune_extract import (
    CommuneExtract,
    ExtractedPerson,
    name_key,
    number_key,
)
from verification.messages.person_query import LifeStatus


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody at the counter says of themselves; no number is a person who says to have none."""

    citizen_number: str | None
    full_name: str
    date_of_birth: date
    sex: str

    def __post_init__(self) -> None:
        if self.sex not in {"M", "F"}:
            raise ValueError("sex is M or F")


class GateCode(StrEnum):
    """Why a declaration is stopped or noticed; each is a fault code."""

    EXTRACT_EXPIRED = "COMMUNE_EXTRACT_EXPIRED"
    NUMBER_MALFORMED = "GATE_NUMBER_MALFORMED"
    NAME_MALFORMED = "GATE_NAME_MALFORMED"
    BORN_LATER = "GATE_BORN_LATER"
    NO_RECORD = "GATE_NO_POPULATION_RECORD"
    HAS_NUMBER = "GATE_HAS_A_NUMBER"
    NUMBER_MERGED = "GATE_NUMBER_MERGED"
    NAME_DIFFERS = "GATE_NAME_DIFFERS"
    BIRTH_DATE_DIFFERS = "GATE_BIRTH_DATE_DIFFERS"
    BIRTH_DATE_PARTIAL = "GATE_BIRTH_DATE_PARTIAL"
    SEX_DIFFERS = "GATE_SEX_DIFFERS"
    DECEASED = "GATE_PERSON_DECEASED"
    MISSING = "GATE_PERSON_MISSING"
    NUMBER_OF_NO_PROVINCE = "GATE_NUMBER_OF_NO_PROVINCE"
    NUMBER_OF_OTHER_YEAR = "GATE_NUMBER_OF_OTHER_YEAR"
    NUMBER_OF_OTHER_SEX = "GATE_NUMBER_OF_OTHER_SEX"
    NOBODY_OF_THIS_NAME = "GATE_NOBODY_OF_THIS_NAME"
    NOT_OF_THIS_COMMUNE = "GATE_NOT_OF_THIS_COMMUNE"
    DOSSIER_OPEN = "GATE_DOSSIER_OPEN"


class Stop(msgspec.Struct, frozen=True):
    """What must be put right first, and at which field it shows."""

    code: GateCode
    field: str


class GateAnswer(msgspec.Struct, frozen=True):
    """What stands against a capture; ``person`` is the registry's entry: it pre-fills, or explains a stop."""

    stops: tuple[Stop, ...]
    notices: tuple[GateCode, ...] = ()
    person: ExtractedPerson | None = None

    @property
    def is_open(self) -> bool:
        """Whether the capture may begin."""
        return not self.stops

    @property
    def needs_exception(self) -> bool:
        """Whether a supervisor must say, with a code, why the particulars could not be checked."""
        return GateCode.NOT_OF_THIS_COMMUNE in self.notices


NUMBER, NAME, BIRTH_DATE, SEX = "citizen_number", "full_name", "date_of_birth", "sex"

_DOUBTS = {
    NumberDoubt.PROVINCE_UNKNOWN: GateCode.NUMBER_OF_NO_PROVINCE,
    NumberDoubt.BIRTH_YEAR_DIFFERS: GateCode.NUMBER_OF_OTHER_YEAR,
    NumberDoubt.SEX_DIFFERS: GateCode.NUMBER_OF_OTHER_SEX,
}


def judge(declaration: Declaration, extract: CommuneExtract, today: date) -> GateAnswer:
    """What the extract says of a declaration."""
    stops = _faults_in_itself(declaration, extract, today)
    if stops:
        return GateAnswer(stops)
    number = declaration.citizen_number
    if number is None:
        return _declared_new(declaration, extract)
    kept = extract.person(extract.merged.get(number, number))
    if kept is not None:
        return _of_this_commune(declaration, kept)
    return _of_elsewhere(declaration, CitizenNumber(number), extract)


def _faults_in_itself(declaration: Declaration, extract: CommuneExtract, today: date) -> tuple[Stop, ...]:
    """What is wrong whoever it is."""
    found = {
        Stop(GateCode.EXTRACT_EXPIRED, NUMBER): extract.is_over(today),
        Stop(GateCode.NUMBER_MALFORMED, NUMBER): not _is_number(declaration.citizen_number),
        Stop(GateCode.NAME_MALFORMED, NAME): not _has_letters(declaration.full_name),
        Stop(GateCode.BORN_LATER, BIRTH_DATE): declaration.date_of_birth > today,
    }
    return tuple(stop for stop, is_wrong in found.items() if is_wrong)


def _declared_new(declaration: Declaration, extract: CommuneExtract) -> GateAnswer:
    known = [who for who in _who(declaration) if extract.names.holds(name_key(*who))]
    if not known:
        return GateAnswer(())
    namesakes = (extract.namesake(*who) for who in known)
    return GateAnswer((Stop(GateCode.HAS_NUMBER, NUMBER),), person=next(filter(None, namesakes), None))


def _of_this_commune(declaration: Declaration, person: ExtractedPerson) -> GateAnswer:
    """Field by field against the registry's entry; after a correction it is right, and the digits are not."""
    entry, born = person.person, declaration.date_of_birth.isoformat()
    found = {
        Stop(GateCode.NUMBER_MERGED, NUMBER): declaration.citizen_number != person.citizen_number,
        Stop(GateCode.SEX_DIFFERS, SEX): declaration.sex != entry.sex,
        Stop(GateCode.BIRTH_DATE_DIFFERS, BIRTH_DATE): not born.startswith(entry.date_of_birth),
        Stop(GateCode.BIRTH_DATE_PARTIAL, BIRTH_DATE): is_partly_known(entry.date_of_birth),
        Stop(GateCode.NAME_DIFFERS, NAME): _spelling(declaration.full_name) != _spelling(entry.full_name),
        Stop(GateCode.DECEASED, NUMBER): person.life_status == LifeStatus.DECEASED,
        Stop(GateCode.MISSING, NUMBER): person.life_status == LifeStatus.MISSING,
    }
    return GateAnswer(
        tuple(stop for stop, is_wrong in found.items() if is_wrong),
        # What was returned to be captured again is in the list of returns, and not in the extract.
        notices=(GateCode.DOSSIER_OPEN,) if person.open_dossier else (),
        person=person,
    )


def _of_elsewhere(declaration: Declaration, number: CitizenNumber, extract: CommuneExtract) -> GateAnswer:
    """Nothing to compare with: what the digits tell, and whether anybody has the number, or the name."""
    is_known = extract.numbers.holds(number_key(number.digits))
    doubts = number.doubts(birth_year=declaration.date_of_birth.year, sex=declaration.sex)
    # A number that the registry knows may begin with a country's code, of which no table is published.
    stops = [
        Stop(_DOUBTS[doubt], NUMBER)
        for doubt in doubts
        if not (is_known and doubt is NumberDoubt.PROVINCE_UNKNOWN)
    ]
    if not is_known:
        stops.append(Stop(GateCode.NO_RECORD, NUMBER))
    elif not any(extract.names.holds(name_key(*who)) for who in _who(declaration)):
        stops.append(Stop(GateCode.NOBODY_OF_THIS_NAME, NAME))
    return GateAnswer(tuple(stops), notices=(GateCode.NOT_OF_THIS_COMMUNE,) if is_known else ())


def _who(declaration: Declaration) -> list[tuple[str, str, str]]:
    """Under whom somebody may stand: by the day of birth, or by as much of it as the registry knows."""
    born = declaration.date_of_birth.isoformat()
    return [(declaration.full_name, text, declaration.sex) for text in (born, born[:7], born[:4])]


def _is_number(citizen_number: str | None) -> bool:
    try:
        return citizen_number is None or bool(CitizenNumber(citizen_number))
    except CitizenNumberMalformed:
        return False


def _has_letters(full_name: str) -> bool:
    try:
        return bool(mrz_name(full_name))
    except MalformedDocument:
        return False


def _spelling(full_name: str) -> list[str]:
    """The name apart from habits: case, composed letters, where a tone stands, i or y; no mark may miss."""
    return [canonical_word(word) for word in normalized_name(full_name).split()]
