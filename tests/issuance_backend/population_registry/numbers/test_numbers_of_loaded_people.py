"""Numbers that people brought with them are passed by when their turn in the block's order comes (I3)."""

from __future__ import annotations

import os
from itertools import islice

from sqlalchemy import update

from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.numbers.domain import NumberRequest, serials
from issuance_backend.population_registry.numbers.issuing import Issuing
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.tables import PERSONS
from tests.support.issuance_office import citizens
from tests.support.registry_office import NOW, RegistryWorld

PREFIX, KEY = "001090", bytes(range(32))


def test_no_number_is_drawn_that_a_loaded_person_or_an_older_card_has(registry: RegistryWorld) -> None:
    order = [f"{PREFIX}{serial:06d}" for serial in islice(serials(KEY, 0), 6)]
    with registry.database.writing() as connection:
        # Loaded after the block's order was settled, and never drawn: only the registry knows them.
        holder = PERSONS.c.citizen_number == citizens()[0].citizen_number
        connection.execute(update(PERSONS).where(holder).values(citizen_number=order[1]))
        assert issuing.adopt(Issuing(connection, "import", NOW, os.urandom), order[2])
    office = NumberOffice(registry.database, registry.clock, lambda _: KEY)
    drawn = office.reserve_all("office", [NumberRequest(f"request-{n:010d}", PREFIX) for n in range(3)])
    assert [each.citizen_number for each in drawn] == [order[0], order[3], order[4]]
