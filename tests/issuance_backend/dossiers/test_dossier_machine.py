"""Officers with every role, in any order: nobody has two parts, and no card is ordered without all parts."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from issuance_backend import recorded_events
from issuance_backend.dossiers.acts import subject
from issuance_backend.dossiers.domain import PARTS, DossierEvent, Part, fold
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import DossierUnknown, HitStillOpen, RoleMissing, SameOfficer
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import UNIT, Desk, capture_of, desk_on, officer
from tests.support.engines import Sqlite
from tests.support.issuance_office import citizens, picture
from verification.errors import DossierAlreadyOpen, FieldsRefused, TransitionRefused
from verification.messages.dossier_decisions import CaseHold, LookupAnswer, LookupRequest, RejectionReason
from verification.messages.enrollment import DossierReturn

REFUSED = (
    TransitionRefused,
    SameOfficer,
    FieldsRefused,
    HitStillOpen,
    RoleMissing,
    DossierUnknown,
    DossierAlreadyOpen,
)
# Every role each: only what they did before keeps one of them from the next part.
OFFICERS = tuple(officer(f"officer.{letter}", *Role, unit=UNIT) for letter in "abcde")
WHO = st.sampled_from(OFFICERS)
PLACE = st.sampled_from([0, 1])
CASES = st.sampled_from([CaseHold("case-1"), CaseHold("case-2")])
FRAUD = RejectionReason("fraud", "Luật 26/2023/QH15", "Giấy tờ giả")


class Office(RuleBasedStateMachine):
    """Two citizens, five officers, and every button of every desk."""

    desk: Desk
    dossiers: dict[int, str]

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        database = Database(Sqlite(Path(self.folder.name)).new())
        database.migrate(ISSUANCE_MIGRATIONS)
        self.desk = desk_on(database)
        self.dossiers, self.seen, self.number = {}, [], 0

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.database.close()
            self.folder.cleanup()

    def at(self, place: int) -> str:
        return self.dossiers.get(place, "0" * 16)

    @rule(who=WHO, place=PLACE)
    def capture(self, who: object, place: int) -> None:
        self.number += 1
        with contextlib.suppress(*REFUSED):
            capture = capture_of(citizens()[place], self.number)
            self.dossiers[place] = self.desk.office.captures.capture(who, capture)
            self.seen.append(self.dossiers[place])

    @rule(who=WHO, place=PLACE, again=st.booleans())
    def capture_again(self, who: object, place: int, again: bool) -> None:
        self.number += 1
        portrait = picture(self.number % 3) if again else b""
        with contextlib.suppress(*REFUSED):
            capture = capture_of(citizens()[place], self.number, portrait=portrait)
            self.desk.office.captures.recapture(who, self.at(place), capture)

    @rule(who=WHO, place=PLACE, item=st.sampled_from(["portrait", "form", "identification"]))
    def send_back(self, who: object, place: int, item: str) -> None:
        with contextlib.suppress(*REFUSED):
            self.desk.office.approvals.send_back(who, self.at(place), DossierReturn((item,), "làm lại"))

    @rule(who=WHO, place=PLACE, step=st.sampled_from(["ask", "approve", "answer"]))
    def archive(self, who: object, place: int, step: str) -> None:
        more = {"ask": [LookupRequest("no_data")], "approve": [], "answer": [LookupAnswer("agrees")]}
        with contextlib.suppress(*REFUSED):
            getattr(self.desk.office.archive, step)(who, self.at(place), *more[step])

    @rule(who=WHO, place=PLACE)
    def approve_locally(self, who: object, place: int) -> None:
        with contextlib.suppress(*REFUSED):
            self.desk.approve_locally(who, self.at(place))

    @rule(who=WHO, place=PLACE)
    def approve_centrally(self, who: object, place: int) -> None:
        with contextlib.suppress(*REFUSED):
            self.desk.office.approvals.approve_centrally(who, self.at(place))

    @rule(who=WHO, place=PLACE, confirms=st.booleans())
    def reject(self, who: object, place: int, confirms: bool) -> None:
        legal = self.desk.office.legal
        with contextlib.suppress(*REFUSED):
            if confirms:
                legal.confirm_rejection(who, self.at(place))
            else:
                legal.propose_rejection(who, self.at(place), FRAUD)

    @rule(who=WHO, place=PLACE, case=CASES, resumes=st.booleans())
    def hold(self, who: object, place: int, case: CaseHold, resumes: bool) -> None:
        legal = self.desk.office.legal
        with contextlib.suppress(*REFUSED):
            (legal.resume if resumes else legal.suspend)(who, self.at(place), case)

    @invariant()
    def nobody_has_two_parts_and_the_state_is_what_was_recorded(self) -> None:
        ordered = self.desk.orders()
        for dossier in self.seen:
            with self.desk.database.reading() as connection:
                steps = recorded_events.of_subject(connection, subject(dossier))
            assert fold(DossierEvent(step.event) for step in steps) == self.desk.view(dossier).state
            parts: dict[str, set[Part]] = {}
            for step in steps:
                part = PARTS.get(DossierEvent(step.event))
                if part is not None:
                    parts.setdefault(step.actor, set()).add(part)
            assert all(len(each) == 1 for each in parts.values()), parts
            approved = [step for step in steps if step.event == DossierEvent.APPROVE_CENTRALLY]
            assert ordered.count(dossier) == len(approved) <= 1
            if approved:
                assert {Part.CAPTURE, Part.LOCAL_APPROVAL, Part.CENTRAL_APPROVAL} <= set().union(
                    *parts.values()
                )
            rejected = [step for step in steps if step.event == DossierEvent.REJECT]
            assert all(step.actor != step.detail["proposed_by"] for step in rejected)


Office.TestCase.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
TestOffice = Office.TestCase
