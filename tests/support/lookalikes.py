"""People who are not registered and resemble somebody who is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.nation.households import surname_of
from issuance_backend.population_registry.nation.people import NationPerson
from issuance_backend.population_registry.nation.tables_of_names import Draw, Names


def sibling_of(draw: Draw, person: NationPerson, names: Names, *, is_twin: bool) -> RegistryPerson:
    """Somebody who is not registered: same parents, home and origin, another given name."""
    entry = person.entry
    days = 0 if is_twin else int((2 + draw() * 6) * 365)
    born = entry.date_of_birth - timedelta(days=days)
    surname = surname_of(entry.full_name)
    while True:
        name = names.full_name(draw, surname, (entry.sex, born.year), None)
        # Parents give no child a brother's name.
        if name.split()[-1] != entry.full_name.split()[-1]:
            return replace(entry, full_name=name, date_of_birth=born, citizen_number="", old_id=None)


def namesake_of(draw: Draw, entry: RegistryPerson, other: RegistryPerson) -> RegistryPerson:
    """``other`` under the name, sex and year of birth of ``entry``."""
    born = entry.date_of_birth if draw() < 0.2 else date(entry.date_of_birth.year, 1 + int(draw() * 12), 15)
    return replace(
        other,
        full_name=entry.full_name,
        sex=entry.sex,
        date_of_birth=born,
        father=f"{entry.full_name.split()[0]} {other.father.partition(' ')[2]}",
        citizen_number="",
        old_id=None,
    )
