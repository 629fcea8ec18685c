"""Tells a kit which of its captures were returned, sealed for it alone, so that it takes the items again."""

from __future__ import annotations

import os
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts, particulars
from issuance_backend.dossiers.domain import DossierEvent
from issuance_backend.dossiers.intake import kit_repository, repository
from issuance_backend.dossiers.intake.kit_requests import opening_key
from issuance_backend.dossiers.intake.steps import record_kit, subject
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.recorded_events import SYSTEM
from monitoring.database import Database
from verification.messages.commune_extract import ExtractRequest
from verification.messages.kit_refusals import (
    MAX_REFUSALS,
    KitRefusals,
    RefusedPacket,
    sign_refusals,
)
from verification.messages.kit_returns import (
    MAX_RETURNS,
    KitReturns,
    ReturnedCapture,
    SealedReturns,
    seal_returns,
)
from verification.messages.signing_key import SigningKey, thumbprint


class KitReturnsDesk:
    """Answers a kit's request with what it captured and has to take again; that anything left is recorded."""

    def __init__(self, database: Database, key: SigningKey, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock

    def seal(self, asked: ExtractRequest) -> SealedReturns:
        """The returns of the kit that asks, sealed to the key it names, and its refused packets.

        Raises KitUnknown and CommuneExtractRefused.
        """
        moment = self._clock()
        with self._database.reading() as connection:
            kit = kit_repository.kit(connection, asked.kit)
            opening = opening_key(connection, asked, moment)
            standing = repository.returned(connection, kit.id, MAX_RETURNS)
            returned = tuple(_returned(connection, dossier) for dossier in standing)
            refused = _refused(connection, kit.id)
        returns = KitReturns(kit.id, thumbprint(opening), rfc3339(moment), returned)
        token = seal_returns(returns, self._key, opening, os.urandom)
        if returned:
            self._record(kit.id, len(returned), moment)
        return SealedReturns(token, sign_refusals(KitRefusals(kit.id, refused), self._key))

    def _record(self, kit: str, count: int, moment: datetime) -> None:
        with self._database.writing() as connection:
            record_kit(connection, kit, "take_returns", kit, rfc3339(moment), dossiers=str(count))


def _refused(connection: Connection, kit: str) -> tuple[RefusedPacket, ...]:
    """What the centre will never open, by a case or because nothing in it can be."""
    packets = repository.refused(connection, kit, MAX_REFUSALS)
    steps = recorded_events.of_subjects(connection, [subject(each.packet) for each in packets])
    return tuple(
        RefusedPacket(each.packet, each.sequence, steps[subject(each.packet)][-1].at, each.code)
        for each in packets
    )


def _returned(connection: Connection, dossier: Dossier) -> ReturnedCapture:
    """What the last return says: the codes of the rules, or what an officer wrote."""
    steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
    last = next(step for step in reversed(steps) if step.event == DossierEvent.RETURN)
    items = dossier.returned.items if dossier.returned else ()
    is_written = dossier.returned is not None and last.actor != SYSTEM
    return ReturnedCapture(
        dossier=dossier.id,
        packet=dossier.packet_sha256,
        returned_at=last.at,
        items=items,
        fields=tuple(sorted(particulars.fields_of(items))),
        codes=tuple(code for code in last.detail.get("faults", "").split(",") if code),
        comment=dossier.returned.comment if dossier.returned and is_written else None,
        citizen_number=dossier.citizen_number,
        person=dossier.person,
    )
