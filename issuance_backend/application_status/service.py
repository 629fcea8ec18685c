"""Where whoever holds a receipt code asks; the answer says where things stand and never whose they are."""

from __future__ import annotations

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.application_status import domain
from issuance_backend.credentials import repository as cards
from issuance_backend.dossiers import acts, repository
from issuance_backend.dossiers.intake import repository as packets
from issuance_backend.dossiers.notices import domain as notices
from issuance_backend.dossiers.notices.domain import NoticeState
from issuance_backend.moments import Clock
from issuance_backend.refusals import ReceiptUnknown
from issuance_backend.statistics.time_limits import time_limit
from monitoring.database import Database
from verification.messages.application_status import ApplicationStatus, Stage
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import read_receipt_code

_NOBODYS = "-"
"""Looked for in place of what is no code, so that the answer takes as long."""


class StatusDesk:
    """Answers by receipt code."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of_receipt(self, typed: str) -> ApplicationStatus:
        """Where the application of a slip stands; raises ReceiptUnknown, alike for what is no code at all."""
        code = read_receipt_code(typed) or _NOBODYS
        with self._database.reading() as connection:
            dossier = repository.dossier_of_receipt(connection, code)
            packet = packets.of_receipt(connection, code)
            if dossier is not None:
                return self.of_dossier(connection, dossier)
        if packet is None:
            raise ReceiptUnknown("no slip with this code, or not yet")
        state, unit = packet
        return ApplicationStatus(stage=domain.stage_of_packet(state), unit=unit)

    def of_dossier(self, connection: Connection, dossier_id: str) -> ApplicationStatus:
        """Where an application stands; raises DossierUnknown."""
        dossier, card = acts.found(connection, dossier_id), cards.of_dossier(connection, dossier_id)
        if card is None:
            stage, unit = domain.stage_of(dossier.state, held_in=dossier.held_in), dossier.unit
        else:
            was_packed = card.box is not None
            stage = domain.stage_of(dossier.state, card.state, was_packed=was_packed, held_in=dossier.held_in)
            unit = card.unit or dossier.unit
        items = dossier.returned.items if dossier.returned and stage is Stage.CAPTURE_AGAIN else ()
        waits = stage is Stage.REFUSED and _notice_waits(connection, dossier_id)
        status = ApplicationStatus(stage=stage, unit=unit, items=items, notice_waits=waits)
        limit = time_limit(connection, acts.subject(dossier_id))
        return domain.with_limit(status, limit, vietnam_date(self._clock()))


def _notice_waits(connection: Connection, dossier_id: str) -> bool:
    steps = recorded_events.of_subject(connection, notices.subject(dossier_id))
    return notices.state_of(steps) is not NoticeState.HANDED_OVER
