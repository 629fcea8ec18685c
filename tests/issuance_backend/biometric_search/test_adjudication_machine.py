"""Whatever examiners do in whatever order: two eyes pairs, nobody twice, state is the fold of events."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from issuance_backend import recorded_events
from issuance_backend.biometric_search import case_repository, cases
from issuance_backend.biometric_search.adjudication import CaseEvent, CaseState, Finding, fold, outcome
from issuance_backend.biometric_search.cases import Pair
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown
from issuance_backend.refusals import SameOfficer
from tests.support.engines import Sqlite
from tests.support.search_bed import EXAMINERS, SearchBed, make_bed
from verification.errors import TransitionRefused
from verification.messages.biometric_search import CaseDecision

PAIRS = 3


class Examination(RuleBasedStateMachine):
    bed: SearchBed
    ids: list[str]

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.bed = make_bed(Path(self.folder.name), Sqlite(Path(self.folder.name)))
        with self.bed.database.writing() as connection:
            for number in range(PAIRS):
                took_part = (EXAMINERS[number].id,)
                pair = Pair(probe_encounter="later", candidate_encounter=f"d-{number}", took_part=took_part)
                cases.open_case(connection, pair, self.bed.now[0])
            self.ids = [each.id for each in case_repository.of_encounter(connection, "later")]

    @rule(
        examiner=st.sampled_from(EXAMINERS),
        number=st.integers(0, PAIRS - 1),
        finding=st.sampled_from(Finding),
    )
    def decide(self, examiner: object, number: int, finding: Finding) -> None:
        try:
            self.bed.examiners.decide(examiner, self.ids[number], CaseDecision(finding.value))  # type: ignore[arg-type]
        except (TransitionRefused, SameOfficer, AdjudicationCaseUnknown):
            return

    @rule(number=st.integers(0, PAIRS - 1))
    def find_again(self, number: int) -> None:
        pair = Pair(probe_encounter="later", candidate_encounter=f"d-{number}")
        with self.bed.database.writing() as connection:
            assert not cases.open_case(connection, pair, self.bed.now[0])

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "bed"):
            return
        over = 0
        with self.bed.database.reading() as connection:
            for case_id in self.ids:
                case = case_repository.find(connection, case_id)
                assert case is not None
                decisions = case_repository.decisions(connection, case_id)
                names = [each.examiner for each in decisions]
                assert len(set(names)) == len(names) <= 3
                assert not set(names) & set(case.took_part)
                steps = recorded_events.of_subject(connection, f"adjudication/{case_id}")
                assert fold(CaseEvent(step.event) for step in steps) is case.state
                if case.state is CaseState.DECIDED:
                    over += 1
                    assert case.outcome is outcome([each.finding for each in decisions])
                else:
                    assert case.outcome is None
            recorded_events.verify(connection)
        assert len(self.bed.settled) == int(over == PAIRS)

    def teardown(self) -> None:
        if hasattr(self, "bed"):
            self.bed.database.close()
            self.folder.cleanup()


Examination.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
TestExamination = Examination.TestCase
