"""What papers and old databases say about the people of a nation, with every mistake labelled."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching.domain import Claim
from issuance_backend.population_registry.nation.people import NationPerson
from issuance_backend.population_registry.nation.spoiling import (
    NAME_MISTAKES,
    Mistake,
    in_units_of_2025,
    without_marks,
)
from issuance_backend.population_registry.nation.tables_of_names import Draw, pick
from verification.errors import MalformedDocument
from verification.identity.legacy_encodings import to_tcvn3, to_viqr, to_vni

_SHARES = {
    Mistake.CAPITALS: 0.20,
    Mistake.TONE_MOVED: 0.15,
    Mistake.I_FOR_Y: 0.08,
    Mistake.D_STROKE_LOST: 0.02,
    Mistake.MARKS_PARTLY_LOST: 0.03,
    Mistake.TONE_CONFUSED: 0.02,
    Mistake.LETTER_WRONG: 0.03,
    Mistake.WRITTEN_BY_EAR: 0.015,
    Mistake.MIDDLE_LOST: 0.02,
    Mistake.GIVEN_NAME_FIRST: 0.02,
    Mistake.SPACES_LOST: 0.01,
    Mistake.DECOMPOSED: 0.10,
}
_WHOLE_NAME = {Mistake.MARKS_LOST: 0.15, Mistake.TCVN3: 0.08, Mistake.VNI: 0.06, Mistake.VIQR: 0.01}
_BIRTH = {
    Mistake.YEAR_ONLY: 0.08,
    Mistake.MONTH_ONLY: 0.02,
    Mistake.FIRST_OF_JANUARY: 0.02,
    Mistake.DAY_MONTH_SWAPPED: 0.015,
    Mistake.DIGIT_WRONG: 0.02,
}
_PARENT_NAME_WRONG = 0.1
_ENCODERS: dict[Mistake, Callable[[str], str]] = {
    Mistake.TCVN3: to_tcvn3,
    Mistake.VNI: to_vni,
    Mistake.VIQR: to_viqr,
    Mistake.MARKS_LOST: without_marks,
}


@dataclass(frozen=True, slots=True)
class OldRecord:
    """A claim, whom it is about (None: nobody of the nation) and what is wrong with it."""

    claim: Claim
    about: str | None
    mistakes: tuple[Mistake, ...]


def old_records(people: Iterable[NationPerson], seed: int) -> Iterator[OldRecord]:
    """One record a person, with realistic mistakes."""
    # Not a secret: the same mistakes must come out again for the same seed.
    draw = random.Random(seed).random  # noqa: S311
    return (old_record(draw, person) for person in people)


def old_record(draw: Draw, person: NationPerson) -> OldRecord:
    """What a paper says about a person."""
    claim, mistakes = spoiled(draw, person.entry, person.former_residence)
    return OldRecord(claim, person.entry.citizen_number, mistakes)


def spoiled(draw: Draw, entry: RegistryPerson, former_residence: str) -> tuple[Claim, tuple[Mistake, ...]]:
    """The entry as a paper has it, and the mistakes on the way."""
    name, mistakes = _name(draw, entry.full_name)
    birth, wrong_birth = _birth(draw, entry.date_of_birth)
    sex, number = entry.sex, _number(draw, entry)
    origin, residence = entry.place_of_origin, entry.current_residence
    mistakes += wrong_birth
    if draw() < 0.005:
        sex, mistakes = "F" if sex == "M" else "M", [*mistakes, Mistake.SEX_WRONG]
    if number and draw() < 0.03:
        number, mistakes = _slip(draw, number), [*mistakes, Mistake.NUMBER_SLIP]
    if former_residence != residence and draw() < 0.5:
        residence, mistakes = former_residence, [*mistakes, Mistake.MOVED]
    if draw() < 0.3:
        origin, residence = in_units_of_2025(origin), in_units_of_2025(residence)
        mistakes.append(Mistake.NEW_UNITS)
    father, mother, lost = _parents(draw, entry)
    # An old program wrote all of its texts alike.
    encode = next((_ENCODERS[kind] for kind in mistakes if kind in _ENCODERS), str)
    claim = Claim(
        full_name=name,
        date_of_birth=birth,
        sex=sex,
        number=number,
        place_of_origin=encode(origin),
        residence=encode(residence),
        father=father and encode(father),
        mother=mother and encode(mother),
    )
    return claim, (*mistakes, *lost)


def _name(draw: Draw, name: str) -> tuple[str, list[Mistake]]:
    mistakes = [kind for kind, share in _SHARES.items() if draw() < share]
    chance = draw()
    for kind, share in _WHOLE_NAME.items():
        if 0 <= chance < share:
            # The encoding comes last: what is in it is no longer Vietnamese to a program.
            mistakes = [*(made for made in mistakes if made is not Mistake.DECOMPOSED), kind]
        chance -= share
    made: list[Mistake] = []
    for kind in mistakes:
        changed = NAME_MISTAKES[kind](draw, name)
        if changed != name:
            name, made = changed, [*made, kind]
    return name, made


def _birth(draw: Draw, born: date) -> tuple[BirthDate, list[Mistake]]:
    chance = draw()
    for kind, share in _BIRTH.items():
        if 0 <= chance < share:
            changed = _wrong_birth(draw, born, kind)
            return changed, [kind] if changed != BirthDate.of(born) else []
        chance -= share
    return BirthDate.of(born), []


def _wrong_birth(draw: Draw, born: date, kind: Mistake) -> BirthDate:
    if kind is Mistake.YEAR_ONLY:
        return BirthDate(born.year)
    if kind is Mistake.MONTH_ONLY:
        return BirthDate(born.year, born.month)
    if kind is Mistake.FIRST_OF_JANUARY:
        return BirthDate(born.year, 1, 1)
    if kind is Mistake.DAY_MONTH_SWAPPED:
        return BirthDate(born.year, born.day, born.month) if born.day <= 12 else BirthDate.of(born)
    return _digit_wrong(draw, born)


def _digit_wrong(draw: Draw, born: date) -> BirthDate:
    while True:
        digits = list(f"{born:%Y%m%d}")
        digits[2 + int(draw() * 6)] = str(int(draw() * 10))
        try:
            return BirthDate.from_number(int("".join(digits)))
        except MalformedDocument:
            continue


def _number(draw: Draw, entry: RegistryPerson) -> str | None:
    chance = draw()
    if chance < 0.1:
        return entry.citizen_number or None
    return entry.old_id if chance < 0.35 else None


def _slip(draw: Draw, number: str) -> str:
    at = int(draw() * len(number))
    return number[:at] + str((int(number[at]) + 1 + int(draw() * 9)) % 10) + number[at + 1 :]


def _parents(draw: Draw, entry: RegistryPerson) -> tuple[str | None, str | None, list[Mistake]]:
    lost: list[Mistake] = []
    father: str | None = entry.father
    mother: str | None = entry.mother
    if draw() < 0.1:
        father, lost = None, [*lost, Mistake.FATHER_LOST]
    if draw() < 0.07:
        mother, lost = None, [*lost, Mistake.MOTHER_LOST]
    return _parent_name(draw, father), _parent_name(draw, mother), lost


def _parent_name(draw: Draw, name: str | None) -> str | None:
    if name is None or draw() >= _PARENT_NAME_WRONG:
        return name
    kinds = (Mistake.MARKS_LOST, Mistake.LETTER_WRONG, Mistake.TONE_MOVED, Mistake.MIDDLE_LOST)
    return NAME_MISTAKES[pick(draw, kinds)](draw, name)
