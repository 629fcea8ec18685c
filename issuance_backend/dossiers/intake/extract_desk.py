"""Seals for a registered kit what it needs to know of its commune's people while it has no network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace
from sqlalchemy import Connection

from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.extract_source import ExtractSource
from issuance_backend.dossiers.intake.kit_repository import Kit
from issuance_backend.dossiers.intake.kit_requests import opening_key
from issuance_backend.dossiers.intake.refusals import CommuneExtractRefused, CommuneExtractTooLarge
from issuance_backend.dossiers.intake.steps import record_kit
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers import certificate_repository as certificates
from issuance_backend.unit_codes import is_unit, province_of
from monitoring.database import Database
from verification.messages.certified_officers import CertifiedOfficer, CertifiedOfficers, sign_officers
from verification.messages.commune_extract import (
    MAX_PEOPLE,
    CommuneExtract,
    ExtractedPerson,
    ExtractRequest,
    Resident,
    SealedExtract,
    seal_extract,
)
from verification.messages.national_time import vietnam_date
from verification.messages.registry_access import Purpose, ReadingFor
from verification.messages.signing_key import SigningKey

RELIED_UPON = timedelta(days=14)
"""Who was registered, died or moved meanwhile is stopped or let through wrongly."""

_ASKED_AT_ONCE = 500


class KitExtractDesk:
    """Gives a kit the extract of the commune it is registered for, and records that it did."""

    def __init__(self, database: Database, key: SigningKey, source: ExtractSource, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._source = source
        self._clock = clock

    def seal(self, asked: ExtractRequest) -> SealedExtract:
        """The extract for the kit that asks, sealed to the key it names, and who may seal there.

        Raises KitUnknown, CommuneExtractRefused, UnitUnknown, CommuneExtractTooLarge, RegistryUnavailable.
        """
        moment = self._clock()
        with self._database.reading() as connection:
            kit = kit_repository.kit(connection, asked.kit)
            opening = opening_key(connection, asked, moment)
            officers = _certified(connection, kit, moment)
        extract = self._made(kit, moment)
        token = seal_extract(extract, self._key, opening, os.urandom)
        with self._database.writing() as connection:
            detail = {"unit": extract.unit, "people": str(len(extract.people)), "as_of": extract.as_of}
            record_kit(connection, kit.id, "take_extract", kit.id, rfc3339(moment), **detail)
        return SealedExtract(token, sign_officers(officers, self._key))

    def _made(self, kit: Kit, moment: datetime) -> CommuneExtract:
        if kit.unit is None or not is_unit(kit.unit):
            raise CommuneExtractRefused("the kit is registered for no commune")
        commune, filters = self._source.commune(kit.unit), self._source.filters()
        until = rfc3339(moment + RELIED_UPON)
        reading = ReadingFor(purpose=Purpose.COMMUNE_EXTRACT, kit=kit.id, until=until)
        found = list(islice(self._source.residents(kit.unit, reading), MAX_PEOPLE + 1))
        if len(found) > MAX_PEOPLE:
            raise CommuneExtractTooLarge("more people than any commune has")
        return CommuneExtract(
            unit=kit.unit,
            unit_name=commune.name,
            as_of=filters.as_of,
            expires_at=until,
            people=tuple(self._with_open_dossiers(found)),
            merged={alias: each.entry.citizen_number for each in found for alias in each.aliases},
            numbers=filters.numbers,
            names=filters.names,
        )

    def _with_open_dossiers(self, found: Sequence[Resident]) -> Iterator[ExtractedPerson]:
        entries = [each.entry for each in found]
        for start in range(0, len(entries), _ASKED_AT_ONCE):
            some = entries[start : start + _ASKED_AT_ONCE]
            with self._database.reading() as connection:
                waiting = dossiers.open_dossiers(connection, [entry.citizen_number for entry in some])
            for entry in some:
                yield replace(entry, open_dossier=waiting.get(entry.citizen_number))


def _certified(connection: Connection, kit: Kit, moment: datetime) -> CertifiedOfficers:
    """Those of the kit's province, and of no unit, who may capture from today on."""
    province, today = province_of(kit.unit) if kit.unit else None, vietnam_date(moment).isoformat()
    held = certificates.for_capture(connection, province, today)
    named = (CertifiedOfficer(each.officer, each.valid_from, each.valid_until) for each in held)
    return CertifiedOfficers(kit.id, rfc3339(moment), tuple(named))
