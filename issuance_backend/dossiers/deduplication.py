"""No card for somebody who has one under another name: applications go through the search and come back.

A program does this, never the officer who waits: making templates takes longer than a button. Each
step is its own transaction. Who did what meanwhile is seen from the dossier's version, so that any
number of these programs may run and each dossier is searched once for each of its captures.

Two applications may be under way at once. Each is therefore among those who are compared before its own
search looks, as a *pending member*, and stays there without a gap until its applicant is enrolled. Of two
searches that both found nobody, each would have looked before the other's member was there, and so before
its own: that cannot be. An application that is returned or ends without a card is forgotten again, also
where its applicant was enrolled meanwhile: a rejected capture must not stand for the holder of its number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.biometric_search.domain import Outcome
from issuance_backend.biometric_search.refusals import SearchTaskReplayed
from issuance_backend.dossiers import acts, case_parts, particulars, repository
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.approval_lists.service import require_listed
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.dossiers.forms.catalogue import required_on
from issuance_backend.dossiers.intake import repository as packets
from issuance_backend.dossiers.particulars import BIOMETRIC_ITEMS
from issuance_backend.dossiers.print_quality import (
    are_unreadable,
    finger_quality,
    finger_templates,
    misplaced_faults,
    plain_quality,
    prints_brought,
    quality_faults,
    sent_back,
    slap_faults,
    twin_faults,
)
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, parse_moment
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.refusals import BlobAltered, BlobUnknown
from monitoring.database import Database
from verification.encoding.dates import full_years
from verification.errors import (
    FaceNotVerified,
    FingerQualityInsufficient,
    MalformedDocument,
    TransitionRefused,
    UntrustedDocument,
)
from verification.fingerprint.quality_limits import limits_on
from verification.fingerprint.ten_prints import Pair
from verification.messages.asked_prints import FINGERPRINTS, asked_slaps
from verification.messages.biometric_search import SampleMessage
from verification.messages.enrollment import DossierReturn
from verification.messages.national_time import vietnam_date

_Subject = TypeVar("_Subject")

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Dossiers of one kind that are read before the next kind has its turn."""

PUT_OFF_FOR = timedelta(minutes=10)
"""How long pictures that gave nothing are left alone: another engine or a whole store may be here then."""


@dataclass(frozen=True, slots=True, repr=False)
class Biometrics:
    """What was captured of somebody: names of stored pictures. Never logged."""

    portrait: str
    prints: dict[int, str]


@dataclass(frozen=True, slots=True, repr=False)
class Slaps:
    """The templates of the fingers in slaps, and a fault code for each slap that cannot be cut."""

    templates: Mapping[int, bytes]
    uncut: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Queued:
    """A search in the queue."""

    task_id: str
    gallery: str


class Deduplication(Protocol):
    """The search of duplicates as dossiers see it."""

    @property
    def reads_fingers(self) -> bool:
        """Whether an engine here makes templates of prints."""
        ...

    def repeated(self, templates: Mapping[int, bytes], same_finger: float) -> tuple[Pair, ...]:
        """The pairs of positions whose prints are of one finger, from this score on."""
        ...

    def slaps(self, prints: Mapping[int, str]) -> Slaps:
        """What the slaps among the ``prints`` show."""
        ...

    def misplaced(
        self, slaps: Slaps, templates: Mapping[int, bytes], same_finger: float
    ) -> Mapping[int, int]:
        """The positions whose print is of another finger, and of which, by these slaps."""
        ...

    def confirmed(self, slaps: Slaps, templates: Mapping[int, bytes], same_finger: float) -> frozenset[int]:
        """The positions whose finger in these slaps is the one of its single print."""
        ...

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        """Templates of what was captured; takes long.

        Raises DeduplicationUnavailable, FaceNotVerified or MalformedDocument for pictures that give none.
        """
        ...

    def search(
        self,
        connection: Connection,
        dossier: Dossier,
        samples: tuple[SampleMessage, ...],
        officers: Sequence[str],
        moment: datetime,
    ) -> Queued:
        """Queue the comparison with everybody who is enrolled or applies, in the caller's transaction.

        The application's encounter is a pending member before the comparison is made.
        """
        ...

    def enrol(
        self, connection: Connection, dossier: Dossier, samples: tuple[SampleMessage, ...], moment: datetime
    ) -> None:
        """Queue the enrolment of an approved applicant, in the caller's transaction."""
        ...

    def forget(self, connection: Connection, member: str, moment: datetime) -> None:
        """Queue the removal of a pending member, in the caller's transaction, after all queued before."""
        ...

    def remove(self, connection: Connection, dossier: Dossier, moment: datetime) -> None:
        """Queue the removal of what ``enrol`` enrolled; other dossiers of the person stay enrolled."""
        ...


class DeduplicationDesk:
    """Leads dossiers through the search; ``run_once`` may be called by any number of programs."""

    def __init__(self, database: Database, search: Deduplication, clock: Clock) -> None:
        self._database = database
        self._search = search
        self._clock = clock
        self._enrolled_after = ""
        """Where enrolling goes on: those that cannot be enrolled do not keep the others from it."""
        self._searched_after = ("", "")
        """The same for searching."""
        self._put_off: dict[str, datetime] = {}
        """Until when captures wait whose pictures gave nothing: nobody else waits for them."""

    def run_once(self) -> int:
        """Take some of what is ready a step further; raises DeduplicationUnavailable, nothing is lost."""
        with self._database.reading() as connection:
            approved = repository.oldest(
                connection, DossierState.LOCAL_APPROVED, AT_ONCE, self._searched_after
            )
            ended = case_parts.ended_searches(connection, AT_ONCE)
            examined = case_parts.examined(connection, AT_ONCE)
            due = repository.due_for_enrolment(connection, self._enrolled_after, AT_ONCE)
            needless = repository.with_needless_member(connection, AT_ONCE)
        done = sum(_is_done(self._settle_search, each) for each in ended)
        done += sum(_is_done(self._settle_cases, each) for each in examined)
        done += sum(self._is_made(self._enrol, each) for each in due)
        self._enrolled_after = due[-1].id if len(due) == AT_ONCE else ""
        is_more = len(approved) == AT_ONCE
        self._searched_after = (approved[-1].updated_at, approved[-1].id) if is_more else ("", "")
        done += sum(_is_done(self._forget, each) for each in needless)
        return done + sum(self._is_made(self._begin_search, each) for each in approved)

    def _is_made(self, step: Callable[[Dossier], None], dossier: Dossier) -> bool:
        """As ``_is_done``, for a step that makes templates; a search also needs the list of the approval."""
        now = self._clock()
        if self._put_off.get(dossier.encounter, now) > now:
            return False
        try:
            return _is_done(step, dossier)
        except (FaceNotVerified, MalformedDocument, UntrustedDocument, BlobUnknown, BlobAltered) as fault:
            logger.warning("dossier put off", extra={"code": fault.code, "dossier": dossier.id})
            self._put_off[dossier.encounter] = now + PUT_OFF_FOR
            return False

    def _begin_search(self, dossier: Dossier) -> None:
        try:
            samples = self._templates(dossier)
        except (FaceNotVerified, MalformedDocument, BlobAltered) as fault:
            self._return_biometrics(dossier, fault.code)
            return
        limits, prints = limits_on(self._came_on(dossier)), self._prints(dossier)
        slaps = self._search.slaps(prints) if limits else Slaps({}, {})
        faults = self._print_faults(dossier, samples, slaps) if self._search.reads_fingers else {}
        if faults:
            # A card would carry what matches nobody; what cannot be taken has its coded reason at the kit.
            self._return_prints(dossier, faults)
            return
        same_finger = limits.same_finger if limits else 0
        proven = self._search.confirmed(slaps, finger_templates(samples), same_finger)
        with self._database.writing() as connection:
            require_listed(connection, dossier)
            moment = self._clock()
            if dossier.pending_member is not None:
                # Of a capture that was returned since: it would be found as somebody else.
                self._search.forget(connection, dossier.pending_member, moment)
            officers = sorted(acts.took_part(connection, dossier))
            queued = self._search.search(connection, dossier, samples, officers, moment)
            searched = replace(dossier, search_task=queued.task_id, pending_member=dossier.encounter)
            act = Act(connection, searched, moment)
            said = {"gallery": queued.gallery, "task": queued.task_id, **finger_quality(samples, prints)}
            said |= plain_quality(slaps.templates, proven)
            take_step(act, DossierEvent.SEARCH, SYSTEM, said)

    def _settle_search(self, ended: case_parts.EndedSearch) -> None:
        if ended.failure is not None:
            self._return_biometrics(ended.dossier, ended.failure)
            return
        found = ended.outcome is Outcome.ADJUDICATION
        event = DossierEvent.FIND_SOMEBODY if found else DossierEvent.FIND_NOBODY
        with self._database.writing() as connection:
            take_step(Act(connection, ended.dossier, self._clock()), event, SYSTEM)

    def _settle_cases(self, dossier: Dossier) -> None:
        with self._database.reading() as connection:
            findings = case_parts.findings(connection, dossier.encounter)
            examiners = sorted(case_parts.examiners(connection, [dossier.id]).get(dossier.id, ()))
        event = verdict(findings)
        found_by = {"examiners": ",".join(examiners)}
        if event is DossierEvent.RETURN:
            self._return_biometrics(dossier, Finding.POOR_DATA.value, found_by)
            return
        with self._database.writing() as connection:
            take_step(Act(connection, dossier, self._clock()), event, SYSTEM, found_by)

    def _enrol(self, dossier: Dossier) -> None:
        samples = self._templates(dossier)
        with self._database.writing() as connection:
            repository.save(connection, replace(dossier, enrolment_due=False, pending_member=None))
            moment = self._clock()
            self._search.enrol(connection, dossier, samples, moment)
            if dossier.pending_member is not None:
                # Enrolled first: there is no moment at which nobody would be found.
                self._search.forget(connection, dossier.pending_member, moment)

    def _forget(self, dossier: Dossier) -> None:
        with self._database.writing() as connection:
            repository.save(connection, replace(dossier, pending_member=None))
            moment = self._clock()
            if dossier.pending_member == dossier.citizen_number:
                self._search.remove(connection, dossier, moment)
            else:
                self._search.forget(connection, str(dossier.pending_member), moment)

    def _print_faults(
        self, dossier: Dossier, samples: Sequence[SampleMessage], slaps: Slaps
    ) -> dict[str, str]:
        """What is wrong with the prints, by finger; those of a day without limits are readable or not.

        The day is that on which they came, by our clock: a kit's own might be before there were limits.
        """
        day, prints = self._came_on(dossier), self._prints(dossier)
        limits = limits_on(day)
        if limits is None:
            return {FINGERPRINTS: FingerQualityInsufficient.code} if are_unreadable(samples, prints) else {}
        with self._database.reading() as connection:
            answered_for = repository.prints_answered_for(connection, dossier.id)
        templates = finger_templates(samples)
        born = particulars.birth_day(dossier.person)
        age = None if born is None else full_years(born, day)
        faults = quality_faults(templates, prints, answered_for, limits, age)
        faults |= misplaced_faults(self._search.misplaced(slaps, templates, limits.same_finger))
        asked = asked_slaps(required_on(day).prints, born, day)
        faults |= {item: code for item, code in slap_faults(slaps.uncut).items() if item in asked}
        return faults | twin_faults(self._search.repeated(templates, limits.same_finger))

    def _came_on(self, dossier: Dossier) -> date:
        """The day of the last capture that brought prints, at a kit or a counter.

        A finger that is taken again is judged as the kit or the counter judged it. A packet came when it was
        received, however long it waited for a case.
        """
        with self._database.reading() as connection:
            steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
            captured = prints_brought(steps)
            packet = packets.find(connection, captured.detail.get("content_sha256", "")) if captured else None
        at = captured.at if captured else dossier.created_at
        return vietnam_date(parse_moment(packet.received_at if packet and packet.received_at else at))

    def _return_prints(self, dossier: Dossier, faults: Mapping[str, str]) -> None:
        """Exactly the fingers that are wrong come back."""
        items = sent_back(faults, self._prints(dossier))
        comment = ", ".join(f"{item}: {code}" for item, code in sorted(faults.items()))
        self._return(dossier, items, ",".join(sorted(set(faults.values()))), comment=comment)

    def _templates(self, dossier: Dossier) -> tuple[SampleMessage, ...]:
        return self._search.templates(Biometrics(dossier.portrait, self._prints(dossier)))

    def _prints(self, dossier: Dossier) -> dict[int, str]:
        with self._database.reading() as connection:
            return repository.prints(connection, dossier.id)

    def _return_biometrics(
        self, dossier: Dossier, reason: str, detail: Mapping[str, str] | None = None
    ) -> None:
        items = BIOMETRIC_ITEMS if self._prints(dossier) else BIOMETRIC_ITEMS[:1]
        self._return(dossier, items, reason, detail)

    def _return(
        self,
        dossier: Dossier,
        items: tuple[str, ...],
        reason: str,
        detail: Mapping[str, str] | None = None,
        comment: str | None = None,
    ) -> None:
        with self._database.writing() as connection:
            returned = DossierReturn(items=items, comment=comment or reason)
            act = Act(connection, replace(dossier, returned=returned), self._clock())
            said = {"items": ",".join(items), "faults": reason, **(detail or {})}
            take_step(act, DossierEvent.RETURN, SYSTEM, said)


def _is_done(step: Callable[[_Subject], None], subject: _Subject) -> bool:
    try:
        step(subject)
    except (TransitionRefused, SearchTaskReplayed):  # an officer, or another of these programs, was quicker
        return False
    return True


def verdict(findings: Sequence[Finding]) -> DossierEvent:
    """What the cases of an application come to together: one person found is enough.

    Raises TransitionRefused without any: a hit that nobody has examined is not settled.
    """
    if not findings:
        raise TransitionRefused("no case was decided")
    if not {Finding.SAME_PERSON, Finding.FRAUD}.isdisjoint(findings):
        return DossierEvent.CONFIRM
    return DossierEvent.RETURN if Finding.POOR_DATA in findings else DossierEvent.DIFFERENT
