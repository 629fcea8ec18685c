"""Whether two forms, or a form and an entry of the registry, may speak of one person who bears no number.

Compared are name, date of birth, sex and parents, each in the canonical form of demographic matching. What
one side does not know speaks against nothing: a year of birth agrees with every day of it.
"""

from __future__ import annotations

from issuance_backend.population_registry.birth import may_be_one_day
from issuance_backend.population_registry.dc01.domain import Values
from issuance_backend.population_registry.matching.domain import Comparable
from issuance_backend.population_registry.matching.keys import index_keys
from issuance_backend.population_registry.matching.name import (
    Name,
    NameLevel,
    compare_names,
    prepare_name,
)
from issuance_backend.population_registry.matching.place import read_place
from issuance_backend.population_registry.rules.form_date import read_form_date

_SAME_NAME = frozenset(
    {NameLevel.SAME, NameLevel.MARKS_MISSING, NameLevel.TONE_CONFUSED, NameLevel.SPACES_DIFFER}
)
_NOWHERE = read_place("")


def comparable(values: Values) -> Comparable:
    """What is keyed of a form, prepared for comparing; of places and numbers nothing is asked."""
    born = read_form_date(values.get("date_of_birth", ""))
    name, father, mother = (
        prepare_name(values.get(field, "")) for field in ("full_name", "father", "mother")
    )
    return Comparable(
        name=name,
        born=born.number if born else 0,
        sex=values.get("sex", ""),
        citizen_number="",
        old_id="",
        origin=_NOWHERE,
        residence=_NOWHERE,
        father=father,
        mother=mother,
    )


def likeness_key(values: Values) -> int:
    """Under which a form is found by whoever is alike: letters of the name with the year of birth.

    The matching index keeps persons under the same (``whole_year``). 0 for a form that names nobody,
    without a name or a year.
    """
    return index_keys(comparable(values)).whole_year


def may_be_one(one: Comparable, other: Comparable) -> bool:
    """Whether nothing that both sides know tells two persons apart; both have a name and a year of birth."""
    births = one.birth, other.birth
    return (
        (not one.sex or not other.sex or one.sex == other.sex)
        and compare_names(one.name, other.name).level in _SAME_NAME
        and births[0] is not None
        and births[1] is not None
        and may_be_one_day(births[0], births[1])
        and _may_be_one_name(one.father, other.father)
        and _may_be_one_name(one.mother, other.mother)
    )


def _may_be_one_name(one: Name, other: Name) -> bool:
    return not one.bare or not other.bare or compare_names(one, other).level in _SAME_NAME
