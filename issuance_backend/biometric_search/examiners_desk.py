"""Where examiners work: one case at a time, each alone with it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.biometric_search import adjudication, cases
from issuance_backend.biometric_search import case_repository as repository
from issuance_backend.biometric_search.adjudication import CaseKind, CaseState, Finding, Record
from issuance_backend.biometric_search.case_repository import Case, Decision
from issuance_backend.biometric_search.cases import Pair
from issuance_backend.biometric_search.finger_modality import FINGER
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown, CasePrintUnknown
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import SameOfficer
from issuance_backend.steps import Step
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused, Unavailable, VerificationError
from verification.messages.biometric_search import BaitCase, CaseDecision, CaseView, ExaminerFigures

Stands = Callable[[Connection, str], bool]
"""Whether an application still waits with this encounter. Captured again it is another one, which its new
captor may examine as little as who captured it first: over a case of the former nobody decides any more."""

TookPart = Callable[[Connection, str], Collection[str]]
"""Who worked on the application of an encounter otherwise than as an examiner, as of now."""

Fingers = Callable[[Connection, str], Collection[int]]
"""The positions (ISO/IEC 19794-4, 1 to 10) of the single prints that an encounter has."""

_MAX_COMMENT = 500
_SIDES = ("probe_encounter", "candidate_encounter")
_MAX_ENCOUNTER = 63
"""A column's width, less what marks the row of a bait."""


@dataclass(frozen=True, slots=True)
class Applications:
    """What is asked of applications in the transactions of this desk."""

    stands: Stands
    took_part: TookPart
    fingers: Fingers


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of an encounter: its portrait (JPEG), and its print of a position (PNG).

    Each raises where there is none.
    """

    portrait: Callable[[str], bytes]
    finger: Callable[[str, int], bytes]


class ExaminersDesk:
    """Cases for examiners, baits and figures for whoever leads them.

    Nobody examines a pair of which they worked on either application: whoever captured or approved the one
    that stands would judge their own work in the other one's case.
    """

    def __init__(
        self, database: Database, clock: Clock, pictures: Pictures, *, applications: Applications
    ) -> None:
        self._database = database
        self._clock = clock
        self._pictures = pictures
        self._applications = applications

    def next_case(self, examiner: Officer) -> CaseView | None:
        """The case that waited longest of those that this examiner may decide; None when there is none."""
        examiner.require(Role.EXAMINER)
        with self._database.reading() as connection:
            waiting = repository.waiting_for(connection, examiner.id)
            case = next((each for each in waiting if self._may_decide(connection, examiner, each)), None)
            return self._view(connection, case, None) if case else None

    def view(self, examiner: Officer, case_id: str) -> CaseView:
        """A case; raises AdjudicationCaseUnknown, SameOfficer."""
        examiner.require(Role.EXAMINER)
        with self._database.reading() as connection:
            case, earlier = self._before(connection, examiner, case_id)
            return self._view(connection, case, _own(earlier, examiner))

    def picture(self, examiner: Officer, case_id: str, side: str) -> bytes:
        """The portrait of one side, ``probe`` or ``candidate``; raises as ``view`` does.

        Each look is recorded before it is answered.
        """
        examiner.require(Role.EXAMINER)
        with self._database.reading() as connection:
            case, _ = self._before(connection, examiner, case_id)
        shown = self._pictures.portrait(_encounter(case, side))
        self._note_look(examiner, case, f"{side} portrait")
        return shown

    def finger(self, examiner: Officer, case_id: str, position: int, side: str) -> bytes:
        """The print of one side; as ``picture``, and raises CasePrintUnknown unless both sides have one."""
        examiner.require(Role.EXAMINER)
        with self._database.reading() as connection:
            case, _ = self._before(connection, examiner, case_id)
            has_pair = position in self._pairs(connection, case)
        # Where a picture is gone, it says so itself.
        shown = self._pictures.finger(_encounter(case, side), position)
        if not has_pair:
            raise CasePrintUnknown("the other side has no print of this position")
        self._note_look(examiner, case, f"{side} print {position}")
        return shown

    def decide(self, examiner: Officer, case_id: str, said: CaseDecision) -> CaseView:
        """Record what an examiner found; the same again changes nothing.

        Raises FieldsRefused, AdjudicationCaseUnknown, SameOfficer and TransitionRefused.
        """
        examiner.require(Role.EXAMINER)
        finding = _finding(said)
        moment = self._clock()
        with self._database.writing() as connection:
            if repository.find_held(connection, case_id) is None:
                raise AdjudicationCaseUnknown("no case with this id")
            case, earlier = self._before(connection, examiner, case_id)
            own = _own(earlier, examiner)
            if own is not None:
                if own.finding is not finding:
                    raise TransitionRefused("this examiner has decided otherwise")
                return self._view(connection, case, own)
            decision = cases.new_decision(
                case, examiner.id, finding, said.comment.strip(), place=len(earlier) + 1, moment=moment
            )
            decided = cases.decide(connection, case, decision, earlier)
            return self._view(connection, decided, decision)

    def lay_bait(self, lead: Officer, bait: BaitCase) -> None:
        """Put a pair before the examiners of which the truth is known.

        Whoever lays it in does not examine: the lead takes part in every bait. Raises FieldsRefused, also for
        what has no picture: nobody could decide it, and everybody would know it for a bait.
        """
        lead.require(Role.ADJUDICATION_LEAD)
        _require_encounters(bait)
        self._require_pictures(bait)
        pair = Pair(
            probe_encounter=bait.probe_encounter,
            candidate_encounter=bait.candidate_encounter,
            kind=CaseKind.BAIT,
            took_part=(lead.id,),
            truth=bait.are_same_person,
        )
        with self._database.writing() as connection:
            if not cases.open_case(connection, pair, self._clock()):
                raise TransitionRefused("this pair is a case already")

    def _require_pictures(self, bait: BaitCase) -> None:
        faults = {}
        for field in _SIDES:
            try:
                self._pictures.portrait(getattr(bait, field))
            except Unavailable:
                raise
            except VerificationError as fault:
                faults[field] = fault.code
        if faults:
            raise FieldsRefused(faults)

    def figures(self, lead: Officer) -> list[ExaminerFigures]:
        """How every examiner works, in the order of their ids."""
        lead.require(Role.ADJUDICATION_LEAD)
        with self._database.reading() as connection:
            judged = repository.judged(connection)
        names = sorted({each.examiner for each in judged})
        return [_figures(adjudication.record_of(name, judged)) for name in names]

    def _view(self, connection: Connection, case: Case, own: Decision | None) -> CaseView:
        return CaseView(
            case_id=case.id,
            opened_at=case.opened_at,
            my_decision=own.finding.value if own else None,
            prints=_best_first(case, self._pairs(connection, case)),
        )

    def _pairs(self, connection: Connection, case: Case) -> set[int]:
        """The positions of which both sides have a print."""
        fingers = self._applications.fingers
        return set(fingers(connection, case.probe_encounter)).intersection(
            fingers(connection, case.candidate_encounter)
        )

    def _note_look(self, examiner: Officer, case: Case, picture: str) -> None:
        look = Step(
            subject=f"look/{case.id}",
            event="look",
            state="looked_at",
            actor=examiner.id,
            at=rfc3339(self._clock()),
            detail={"picture": picture},
        )
        with self._database.writing() as connection:
            recorded_events.append(connection, look)

    def _before(
        self, connection: Connection, examiner: Officer, case_id: str
    ) -> tuple[Case, tuple[Decision, ...]]:
        case = repository.find(connection, case_id)
        if case is None:
            raise AdjudicationCaseUnknown("no case with this id")
        if self._took_part(connection, examiner, case):
            raise SameOfficer("the examiner took part in one of these applications")
        earlier = tuple(repository.decisions(connection, case_id))
        if _own(earlier, examiner) is None and not self._is_open(connection, case):
            raise AdjudicationCaseUnknown("the case is over")
        return case, earlier

    def _may_decide(self, connection: Connection, examiner: Officer, case: Case) -> bool:
        return self._is_open(connection, case) and not self._took_part(connection, examiner, case)

    def _took_part(self, connection: Connection, examiner: Officer, case: Case) -> bool:
        took_part = self._applications.took_part
        return examiner.id in case.took_part or any(
            examiner.id in took_part(connection, encounter)
            for encounter in (case.probe_encounter, case.candidate_encounter)
        )

    def _is_open(self, connection: Connection, case: Case) -> bool:
        if case.state in {CaseState.DECIDED, CaseState.SUPERSEDED}:
            return False
        return case.truth is not None or self._applications.stands(connection, case.probe_encounter)


def _own(decisions: tuple[Decision, ...], examiner: Officer) -> Decision | None:
    return next((each for each in decisions if each.examiner == examiner.id), None)


def _encounter(case: Case, side: str) -> str:
    sides = {"probe": case.probe_encounter, "candidate": case.candidate_encounter}
    if side not in sides:
        raise AdjudicationCaseUnknown("a case has two sides")
    return sides[side]


def _best_first(case: Case, positions: Collection[int]) -> tuple[int, ...]:
    """The positions in the order of their likeness, those that were not compared last.

    Of a bait none were: they come in an order that is as little that of the hand, and that nobody can work
    out who does not know whose prints they are.
    """
    likeness = {each.position: each.decibans for each in case.likenesses if each.modality == FINGER}

    def place(position: int) -> tuple[float, bytes]:
        pair = f"{case.probe_encounter} {case.candidate_encounter} {position}"
        return -likeness.get(position, -math.inf), hashlib.sha256(pair.encode()).digest()

    return tuple(sorted(positions, key=place))


def _finding(said: CaseDecision) -> Finding:
    faults = {}
    if said.decision not in set(Finding):
        faults["decision"] = "FIELD_CHARACTERS"
    if len(said.comment) > _MAX_COMMENT:
        faults["comment"] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)
    return Finding(said.decision)


def _require_encounters(bait: BaitCase) -> None:
    faults = {
        field: "FIELD_CHARACTERS" for field in _SIDES if not 0 < len(getattr(bait, field)) <= _MAX_ENCOUNTER
    }
    if bait.probe_encounter == bait.candidate_encounter:
        faults["candidate_encounter"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def _figures(record: Record) -> ExaminerFigures:
    share, low, high = record.miss_rate or (None, None, None)
    return ExaminerFigures(
        examiner=record.examiner,
        decided=record.decided,
        baits=record.baits,
        missed=record.missed,
        false_alarms=record.false_alarms,
        miss_rate=share,
        miss_rate_low=low,
        miss_rate_high=high,
        agreed=record.agreed,
        compared=record.compared,
    )
