"""A small nation, one unit's extract of it, and declarations with one mistake each."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from enrollment_admin.station.gate import Declaration
from issuance_backend.population_registry import domain
from issuance_backend.population_registry.nation.people import NationPerson, NationPlan, make_nation
from issuance_backend.population_registry.nation.spoiling import NAME_MISTAKES, Mistake
from verification.identity.vietnamese_syllable import canonical_word
from verification.messages.commune_extract import CommuneExtract, FilterMaker, name_key, number_key
from verification.messages.enrollment import PersonExtract
from verification.messages.person_query import LifeStatus

TODAY = date(2026, 11, 22)
AS_OF, EXPIRES_AT = "2026-11-20T17:00:00Z", "2026-12-04T17:00:00Z"
SALT = bytes(range(16))


@dataclass(frozen=True, slots=True)
class Citizen:
    """Somebody of the nation, and who else lives under the same roof."""

    entry: PersonExtract
    others: tuple[PersonExtract, ...]

    @property
    def declared(self) -> Declaration:
        """What they say of themselves when nothing goes wrong."""
        person = self.entry.person
        born = date.fromisoformat(person.date_of_birth)
        return Declaration(self.entry.citizen_number, person.full_name, born, person.sex)


def citizens(people: int, seed: int = 23) -> list[Citizen]:
    """A nation of this many, household by household."""
    nation = make_nation(NationPlan(people=people, seed=seed, today=TODAY))
    return [citizen for _, members in groupby(nation, _household) for citizen in _under_one_roof(members)]


def extract_of(nation: list[Citizen], people: list[Citizen], **changes: object) -> CommuneExtract:
    """The extract of these people, with everybody else in the filters."""
    numbers, names = FilterMaker(len(nation), SALT), FilterMaker(len(nation), SALT)
    for citizen in nation:
        person = citizen.entry.person
        numbers.add(number_key(citizen.entry.citizen_number))
        names.add(name_key(person.full_name, person.date_of_birth, person.sex))
    values = {
        "unit": "001.02.00013",
        "unit_name": "Phường Trúc Bạch, Quận Ba Đình, Thành phố Hà Nội",
        "as_of": AS_OF,
        "expires_at": EXPIRES_AT,
        "people": tuple(sorted((each.entry for each in people), key=lambda entry: entry.citizen_number)),
        "merged": {},
        "numbers": numbers.made(),
        "names": names.made(),
    }
    return CommuneExtract(**{**values, **changes})


Injection = Callable[[random.Random, Citizen], Declaration | None]
"""One mistake put into what a citizen says; None for a citizen who cannot make it."""


def _changed(citizen: Citizen, **fields: object) -> Declaration:
    said = citizen.declared
    values = {name: getattr(said, name) for name in said.__struct_fields__}
    return Declaration(**{**values, **fields})


def _misnamed(*mistakes: Mistake) -> Injection:
    def inject(draw: random.Random, citizen: Citizen) -> Declaration | None:
        name = citizen.entry.person.full_name
        wrong = NAME_MISTAKES[draw.choice(mistakes)](draw.random, name)
        return None if spelling(wrong) == spelling(name) else _changed(citizen, full_name=wrong)

    return inject


def _unregistered(draw: random.Random, citizen: Citizen) -> Declaration:
    """Twelve digits of the right province, sex and year that nobody has, as far as one can draw them."""
    return _changed(citizen, citizen_number=f"{citizen.entry.citizen_number[:6]}{draw.randrange(10**6):06d}")


def _swapped(_draw: random.Random, citizen: Citizen) -> Declaration | None:
    born = citizen.declared.date_of_birth
    if born.day > 12 or born.day == born.month:
        return None
    swapped = born.replace(day=born.month, month=born.day)
    return _changed(citizen, date_of_birth=swapped) if swapped <= TODAY else None


def _day_off(draw: random.Random, citizen: Citizen) -> Declaration:
    born = citizen.declared.date_of_birth
    wrong = born.replace(day=draw.choice([day for day in range(1, 29) if day != born.day]))
    return _changed(citizen, date_of_birth=min(wrong, TODAY))


def _year_off(draw: random.Random, citizen: Citizen) -> Declaration:
    born = citizen.declared.date_of_birth
    return _changed(citizen, date_of_birth=date(born.year - draw.choice((1, 9, 10)), born.month, 1))


def _of_the_household(draw: random.Random, citizen: Citizen) -> Declaration | None:
    if not citizen.others:
        return None
    return _changed(citizen, citizen_number=draw.choice(citizen.others).citizen_number)


def _other_sex(_draw: random.Random, citizen: Citizen) -> Declaration:
    return _changed(citizen, sex="F" if citizen.declared.sex == "M" else "M")


def _new(_draw: random.Random, citizen: Citizen) -> Declaration:
    return _changed(citizen, citizen_number=None)


def _new_without_marks(draw: random.Random, citizen: Citizen) -> Declaration:
    bare = NAME_MISTAKES[Mistake.MARKS_LOST](draw.random, citizen.declared.full_name)
    return _changed(citizen, citizen_number=None, full_name=bare)


ERRORS: dict[str, Injection] = {
    "no population record": _unregistered,
    "12-digit declared as new": _new,
    "declared as new, without tone marks": _new_without_marks,
    "other sex": _other_sex,
    "day and month swapped": _swapped,
    "another day": _day_off,
    "another year": _year_off,
    "letter wrong in the name": _misnamed(Mistake.LETTER_WRONG, Mistake.WRITTEN_BY_EAR),
    "word of the name lost or moved": _misnamed(Mistake.MIDDLE_LOST, Mistake.GIVEN_NAME_FIRST),
    "tone marks lost or confused": _misnamed(
        Mistake.MARKS_LOST, Mistake.MARKS_PARTLY_LOST, Mistake.TONE_CONFUSED
    ),
    "number of another member of the household": _of_the_household,
}

HABITS: tuple[Mistake, ...] = (Mistake.DECOMPOSED, Mistake.CAPITALS, Mistake.TONE_MOVED, Mistake.I_FOR_Y)
"""Ways of writing a name that are no mistakes."""


def injected(kind: str, people: list[Citizen], amount: int, seed: int = 5) -> Iterator[Declaration]:
    """So many declarations with this mistake, of living people drawn again and again."""
    draw = random.Random(seed)  # noqa: S311 - the same trial every time
    while amount:
        citizen = draw.choice(people)
        declaration = None if is_dead(citizen) else ERRORS[kind](draw, citizen)
        if declaration is not None:
            amount -= 1
            yield declaration


def right(people: list[Citizen], amount: int, seed: int = 6) -> Iterator[Declaration]:
    """So many right declarations of living people, their names written as anybody's habit is."""
    draw = random.Random(seed)  # noqa: S311 - the same trial every time
    while amount:
        citizen = draw.choice(people)
        name = citizen.entry.person.full_name
        written = NAME_MISTAKES[draw.choice(HABITS)](draw.random, name)
        # Thùy is never written Thùi: there the i is another vowel.
        if not is_dead(citizen) and spelling(written) == spelling(name):
            amount -= 1
            yield _changed(citizen, full_name=written)


def is_dead(citizen: Citizen) -> bool:
    """Whether the registry says that this citizen died."""
    return citizen.entry.life_status != LifeStatus.ALIVE


def spelling(name: str) -> list[str]:
    """A name apart from the habits of writing it."""
    return [canonical_word(word) for word in unicodedata.normalize("NFC", name).split()]


def _household(person: NationPerson) -> int:
    return person.household


def _under_one_roof(members: Iterator[NationPerson]) -> list[Citizen]:
    entries = [domain.extract(member.entry) for member in members]
    return [Citizen(entry, tuple(other for other in entries if other is not entry)) for entry in entries]
