"""The application office: its desks, and what everybody who works there can look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.biometric_search.refusals import CasePrintUnknown
from issuance_backend.credentials import older_cards
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.service import summary
from issuance_backend.dossiers import acts, repository
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.approval_desk import ApprovalDesk, ApprovalTerms
from issuance_backend.dossiers.approval_lists.service import ListDesk
from issuance_backend.dossiers.archive_desk import ArchiveDesk
from issuance_backend.dossiers.candidate_desk import CandidateDesk
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import CaptureDesk
from issuance_backend.dossiers.check_desk import CheckDesk
from issuance_backend.dossiers.counter.service import CounterDesk
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.dossiers.hand_photos import hand_photos
from issuance_backend.dossiers.legal_desk import LegalDesk, OrderEnded
from issuance_backend.dossiers.notices import domain as notices
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock
from issuance_backend.officers.certification import Certified
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.refusals import HandPhotoUnknown, PictureErased
from issuance_backend.schema import ERASED_PICTURE
from issuance_backend.statistics.clocks import Run
from issuance_backend.statistics.time_limits import time_limit
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.fingerprint.print_picture import shown_print
from verification.messages.asked_prints import SINGLE_FINGERS
from verification.messages.enrollment import (
    CANDIDATES,
    NOT_ALL_COMPARED,
    DossierSummary,
    DossierView,
    RecordedStep,
)
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import receipt_code

_LOCAL_DECISIONS = frozenset({Role.PROCESSOR, Role.APPROVER})
READERS = (
    Role.CAPTURE,
    Role.PROCESSOR,
    Role.APPROVER,
    Role.TEAM_LEADER,
    Role.DISTRICT_CHIEF,
    Role.ARCHIVE_CLERK,
    Role.CENTRAL_APPROVER,
    Role.PRODUCTION,
    Role.QUALITY,
    Role.OFFICE,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
"""Who may see a dossier. Examiners may not: they judge two pictures without knowing whose they are."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom the desks ask in their own transactions: about production and officers."""

    order_ended: OrderEnded
    certified: Certified


class ApplicationOffice:
    """The desks, over one database."""

    def __init__(
        self,
        database: Database,
        checks: CaptureChecks,
        pictures: Pictures,
        clock: Clock,
        *,
        neighbours: Neighbours,
        terms: ApprovalTerms = ApprovalTerms(),  # noqa: B008 - frozen
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._clock = clock
        self.captures = CaptureDesk(database, checks, pictures, clock, neighbours.certified)
        self.counter = CounterDesk(database, self.captures, checks, pictures, clock)
        self.packets = PacketDesk(checks, pictures)
        self.approvals = ApprovalDesk(database, checks, clock, neighbours.certified, terms)
        self.checks = CheckDesk(database, clock)
        self.lists = ListDesk(database)
        self.candidates = CandidateDesk(database, checks, clock)
        self.archive = ArchiveDesk(database, clock)
        self.legal = LegalDesk(database, clock, neighbours.order_ended)

    def complete(self, connection: Connection, dossier_id: str, officer: str, moment: datetime) -> None:
        """Close the dossier whose card was handed over, in the hand-over's own transaction.

        Raises TransitionRefused for a dossier that a case holds: its card is not handed over.
        """
        act = Act(connection, acts.found(connection, dossier_id), moment)
        take_step(act, DossierEvent.COMPLETE, officer)

    def work_list(
        self, officer: Officer, state: str, asked: PageAsked, *, unchecked: bool = False
    ) -> Page[DossierSummary]:
        """Dossiers of the officer's area in one state, or all for an empty text; raises FieldsRefused.

        ``unchecked`` are those of them that wait for a processor's check: there are such in one state alone.
        """
        officer.require(*READERS)
        if state and state not in set(DossierState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        if unchecked and state != DossierState.VALIDATED:
            raise FieldsRefused({"unchecked": "FIELD_CHARACTERS"})
        chosen = DossierState(state) if state else None
        with self._database.reading() as connection:
            found = repository.listed(connection, chosen, officer.area, asked, unchecked=unchecked)
            summaries = tuple(_summary(connection, each, officer) for each in found.entries)
        return Page(summaries, found.cursor)

    def view(self, officer: Officer, dossier_id: str) -> DossierView:
        """A whole dossier; raises DossierUnknown, also outside the officer's area."""
        officer.require(*READERS)
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            return _view(connection, acts.found(connection, dossier_id, officer), today)

    def portrait(self, officer: Officer, dossier_id: str) -> bytes:
        """The captured picture (JPEG); raises PictureErased."""
        officer.require(*READERS)
        with self._database.reading() as connection:
            name = acts.found(connection, dossier_id, officer).portrait
        return self._pictures.read(name)

    def hand_photo(self, officer: Officer, dossier_id: str, item: str) -> bytes:
        """The photograph of a hand (JPEG); raises HandPhotoUnknown and PictureErased."""
        officer.require(*READERS)
        with self._database.reading() as connection:
            name = hand_photos(connection, acts.found(connection, dossier_id, officer).id).get(item)
        if name is None:
            raise HandPhotoUnknown("no photograph of this hand")
        return self._pictures.read(name)

    def picture(self, encounter: str) -> bytes:
        """The captured picture of an encounter, for a desk of ours that has decided who may see it."""
        with self._database.reading() as connection:
            name = acts.found(connection, repository.dossier_of_encounter(encounter)).portrait
        return self._pictures.read(name)

    def finger(self, encounter: str, position: int) -> bytes:
        """Its captured print of one position (PNG), for the same; raises CasePrintUnknown, PictureErased."""
        with self._database.reading() as connection:
            dossier = acts.found(connection, repository.dossier_of_encounter(encounter))
            name = repository.prints(connection, dossier.id).get(position)
        if dossier.portrait == ERASED_PICTURE:
            raise PictureErased("its time was over")
        if name is None or position not in SINGLE_FINGERS:
            raise CasePrintUnknown("no print of this position")
        return shown_print(self._pictures.read(name))


def _summary(connection: Connection, dossier: Dossier, reader: Officer) -> DossierSummary:
    card = cards.of_dossier(connection, dossier.id)
    return DossierSummary(
        id=dossier.id,
        state=dossier.state.value,
        citizen_number=dossier.citizen_number,
        full_name=dossier.person.full_name,
        captured_by=dossier.captured_by,
        updated_at=dossier.updated_at,
        unit=dossier.unit,
        search=dossier.search.value if dossier.search else None,
        credential=card.id if card else None,
        credential_state=card.state.value if card else None,
        checked_by=dossier.checked_by,
        warns_of_others=_decides_on(dossier, reader) and _warns_of_others(connection, dossier),
    )


def _decides_on(dossier: Dossier, reader: Officer) -> bool:
    return dossier.state is DossierState.VALIDATED and not reader.roles.isdisjoint(_LOCAL_DECISIONS)


def _warns_of_others(connection: Connection, dossier: Dossier) -> bool:
    """Whether the newest validation found others who are likely the applicant, or could not ask about all."""
    steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
    validations = (step.detail for step in reversed(steps) if step.event == DossierEvent.VALIDATE)
    said = next(validations, {})
    return said.get(CANDIDATES, "0") != "0" or NOT_ALL_COMPARED in said


def _view(connection: Connection, dossier: Dossier, today: date) -> DossierView:
    card = cards.of_dossier(connection, dossier.id)
    limit = time_limit(connection, acts.subject(dossier.id))
    steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
    return DossierView(
        id=dossier.id,
        state=dossier.state.value,
        citizen_number=dossier.citizen_number,
        person=dossier.person,
        captured_by=dossier.captured_by,
        approved_by=dossier.approved_by,
        created_at=dossier.created_at,
        updated_at=dossier.updated_at,
        portrait_check=dossier.portrait_check,
        steps=steps,
        card=summary(card, dossier.person.full_name, today) if card else None,
        card_steps=recorded_events.of_subject(connection, f"card/{card.id}") if card else (),
        returned=dossier.returned,
        credential=card.id if card else None,
        credential_state=card.state.value if card else None,
        unit=dossier.unit,
        search=dossier.search.value if dossier.search else None,
        held_in=dossier.held_in.value if dossier.held_in else None,
        rejection=dossier.rejection,
        lookup=dossier.lookup,
        prints=len(repository.prints(connection, dossier.id)),
        hand_photos=tuple(sorted(hand_photos(connection, dossier.id))),
        receipt_code=receipt_code(dossier.packet_sha256),
        due_on=limit.due_on.isoformat() if limit and limit.run is Run.RUNNING else None,
        checked_by=dossier.checked_by,
        notice=_notice(connection, dossier),
        old_card=older_cards.fate_of(connection, dossier.id).value,
        erased_on=next((_day_of(step) for step in steps if step.event == DossierEvent.ERASE), None),
    )


def _notice(connection: Connection, dossier: Dossier) -> str | None:
    """Where the notice of a rejection is."""
    if dossier.state is not DossierState.REJECTED:
        return None
    return notices.state_of(recorded_events.of_subject(connection, notices.subject(dossier.id))).value


def _day_of(step: RecordedStep) -> str:
    return vietnam_date(datetime.fromisoformat(step.at)).isoformat()
