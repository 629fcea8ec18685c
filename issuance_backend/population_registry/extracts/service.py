"""The desk that hands out what kits take along: a commune's people, and the filters of everybody."""

from __future__ import annotations

import os
from datetime import timedelta

import msgspec

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry import domain as registry
from issuance_backend.population_registry.extracts import domain, repository
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.units.service import UnitOffice
from monitoring.database import Database
from verification.messages.commune_extract import (
    SALT_BYTES,
    Commune,
    FilterMaker,
    KnownFilters,
    Resident,
    name_key,
    number_key,
)

RENEWED_AFTER, KEPT = timedelta(hours=24), timedelta(hours=48)
"""Housekeeping renews the filters before anybody who asks would have to wait for it."""


class ExtractDesk:
    """Owns the transactions around extracts of the registry."""

    def __init__(self, database: Database, clock: Clock, units: UnitOffice) -> None:
        self._database = database
        self._clock = clock
        self._units = units

    def commune(self, code: str) -> Commune:
        """A commune by its last names; raises UnitUnknown."""
        return Commune(code, domain.commune_name(self._units.register(), code))

    def residents(self, code: str, asked: PageAsked) -> Page[Resident]:
        """A page of a commune's people in order of their numbers; raises UnitUnknown.

        They are found by the index for matching: one that was never made is made first.
        """
        if not asked.after:
            MatchingDesk(self._database, self._clock).begin()
        with self._database.reading() as connection:
            homes = sorted(domain.homes(self._units.register_in(connection), code))
            after = asked.after[0] if asked.after else ""
            people = repository.residents(connection, homes, after, asked.limit + 1)
            leading = repository.aliases(connection, [person.citizen_number for person in people])
        of_number: dict[str, list[str]] = {}
        for alias, kept in sorted(leading.items()):
            of_number.setdefault(kept, []).append(alias)
        found = [
            Resident(registry.extract(person), tuple(of_number.get(person.citizen_number, ())))
            for person in people
        ]
        return page_of(found, asked, lambda resident: (resident.entry.citizen_number,))

    def filters(self) -> bytes:
        """``KnownFilters`` as JSON; made in one pass over everybody where those kept are too old."""
        return self._kept(KEPT) or self._make()[0]

    def renew(self) -> int:
        """Make the filters anew once a day; how many people they hold then, 0 where nothing was to do."""
        return 0 if self._kept(RENEWED_AFTER) else self._make()[1]

    def _kept(self, age: timedelta) -> bytes | None:
        with self._database.reading() as connection:
            return repository.newest_filters(connection, rfc3339(self._clock() - age))

    def _make(self) -> tuple[bytes, int]:
        """New filters, which are kept, and of how many people; of two made at once one is made in vain."""
        as_of = rfc3339(self._clock())
        with self._database.reading() as connection:
            people, salt = repository.count(connection), os.urandom(SALT_BYTES)
            numbers, names = FilterMaker(people, salt), FilterMaker(people, salt)
            for person in repository.everybody(connection):
                numbers.add(number_key(person.citizen_number))
                names.add(name_key(person.full_name, person.date_of_birth, person.sex))
        content = msgspec.json.encode(KnownFilters(as_of, numbers.made(), names.made()))
        with self._database.writing() as connection:
            repository.replace_filters(connection, as_of, content)
        return content, people
