"""Where an office makes the notice of a rejection, shows it and hands it over."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import older_cards
from issuance_backend.credentials.older_cards import Ended
from issuance_backend.dossiers import acts
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.dossiers.notices import domain, repository
from issuance_backend.dossiers.notices.domain import NoticeState
from issuance_backend.dossiers.notices.printed_notice import NoticeContent, as_pdf
from issuance_backend.dossiers.notices.refusals import NoticeAltered, NoticeHandedOver, NoticeUnknown
from issuance_backend.dossiers.notices.repository import Notice
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import Step
from issuance_backend.unit_names.registry_map import UnitMap, name_now
from monitoring.database import Database
from verification.encoding.dates import slashed
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import receipt_code

_COUNTERS = (Role.CAPTURE, Role.OFFICE)
"""Who hands papers over."""

_READERS = (*_COUNTERS, Role.APPROVER, Role.DISTRICT_CHIEF, Role.CENTRAL_APPROVER, Role.SUPERVISOR)


class NoticeDesk:
    """Officers of the office where the citizen applied."""

    def __init__(self, database: Database, clock: Clock, units: UnitMap | None = None) -> None:
        self._database = database
        self._clock = clock
        self._units = units

    def notice(self, officer: Officer, dossier_id: str) -> bytes:
        """The notice of a rejected dossier (PDF), made now if nobody asked for it before.

        Raises NoticeUnknown, NoticeAltered, ReportFontMissing.
        """
        officer.require(*_READERS)
        with self._database.reading() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            kept = repository.find(connection, dossier_id)
            if kept is not None:
                return _as_recorded(connection, kept)
            rejected_on = _rejected_on(connection, dossier)
        content = as_pdf(self._content(dossier, rejected_on))
        return self._kept(officer, dossier, content)

    def hand_over(self, officer: Officer, dossier_id: str) -> None:
        """The citizen has the notice, and the older card that was taken.

        Raises NoticeUnknown before it was made, and NoticeHandedOver.
        """
        officer.require(*_COUNTERS)
        moment = self._clock()
        at = rfc3339(moment)
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            notice = repository.find(connection, dossier.id)
            if notice is None:
                raise NoticeUnknown("nobody has made it")
            if not repository.hand_over(connection, dossier.id, at):
                raise NoticeHandedOver("handed over before")
            recorded_events.append(connection, _step(dossier, NoticeState.HANDED_OVER, officer, notice, at))
            ended = Ended(dossier.id, dossier.citizen_number, dossier.unit)
            older_cards.give_back(connection, ended, officer.id, moment)

    def _kept(self, officer: Officer, dossier: Dossier, content: bytes) -> bytes:
        """Keep what was made; where somebody was quicker, theirs is the notice."""
        at, sha256 = rfc3339(self._clock()), hashlib.sha256(content).hexdigest()
        made = Notice(dossier.id, content, sha256, at)
        with self._database.writing() as connection:
            if not repository.add(connection, made):
                return _as_recorded(connection, repository.find(connection, dossier.id))
            recorded_events.append(connection, _step(dossier, NoticeState.MADE, officer, made, at))
        return content

    def _content(self, dossier: Dossier, rejected_on: date) -> NoticeContent:
        rejection, person = dossier.rejection, dossier.person
        if rejection is None:
            raise NoticeUnknown("not rejected")
        return NoticeContent(
            dossier=dossier.id,
            receipt_code=receipt_code(dossier.packet_sha256),
            full_name=person.full_name,
            citizen_number=dossier.citizen_number,
            date_of_birth=slashed(date.fromisoformat(person.date_of_birth)),
            office=name_now(self._units, dossier.unit),
            captured_on=_day(dossier.created_at),
            rejected_on=rejected_on,
            reason=rejection.reason,
            legal_basis=rejection.legal_basis,
            comment=rejection.comment,
        )


def _rejected_on(connection: Connection, dossier: Dossier) -> date:
    """The day of the second officer's word; raises NoticeUnknown."""
    if dossier.state is not DossierState.REJECTED:
        raise NoticeUnknown("not rejected")
    steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
    return next(_day(step.at) for step in steps if step.event == DossierEvent.REJECT)


def _as_recorded(connection: Connection, kept: Notice | None) -> bytes:
    """What was kept, if it is what was recorded; raises NoticeAltered."""
    if kept is None:
        raise NoticeAltered("a notice was recorded and is not here")
    steps = recorded_events.of_subject(connection, domain.subject(kept.dossier))
    made = [step.detail["sha256"] for step in steps if step.state == NoticeState.MADE]
    if made != [hashlib.sha256(kept.content).hexdigest()]:
        raise NoticeAltered("another notice than was recorded")
    return kept.content


def _step(dossier: Dossier, state: NoticeState, officer: Officer, notice: Notice, at: str) -> Step:
    where = {"unit": dossier.unit} if dossier.unit else {}
    return domain.step(dossier.id, state, officer.id, at, {"sha256": notice.sha256, **where})


def _day(moment: str) -> date:
    return vietnam_date(datetime.fromisoformat(moment))
