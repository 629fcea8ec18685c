from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend import recorded_events
from issuance_backend.biometric_search import adjudication, case_repository, cases
from issuance_backend.biometric_search.adjudication import (
    CaseEvent,
    CaseState,
    Finding,
    Judged,
    fold,
    record_of,
    wilson,
)
from issuance_backend.biometric_search.cases import Pair
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import RoleMissing, SameOfficer
from tests.support.running import run_pending
from tests.support.search_bed import EXAMINERS, LEAD, OFFICE, SearchBed, identify, officer
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.biometric_search import BaitCase, CaseDecision, CaseView

A, B, C, D = EXAMINERS
SAME, DIFFERENT, FRAUD, POOR = (CaseDecision(each.value) for each in Finding)


def put(bed: SearchBed, probe: str = "later-1", candidate: str = "dossier-1", **changes: object) -> str:
    """A case before the examiners; returns its id."""
    pair = Pair(probe_encounter=probe, candidate_encounter=candidate, **changes)  # type: ignore[arg-type]
    with bed.database.writing() as connection:
        assert cases.open_case(connection, pair, bed.now[0])
        found = {
            each.candidate_encounter: each.id for each in case_repository.of_encounter(connection, probe)
        }
    return found[candidate]


def state(bed: SearchBed, case: str) -> tuple[CaseState, Finding | None]:
    with bed.database.reading() as connection:
        found = case_repository.find(connection, case)
    assert found is not None
    return found.state, found.outcome


def test_a_hit_of_a_search_comes_before_two_examiners_who_agree(bed: SearchBed) -> None:
    bed.enrol(3)
    bed.desk.submit(OFFICE, identify(3))
    run_pending(bed.worker)
    case = bed.examiners.next_case(A)
    assert case is not None
    bed.examiners.decide(A, case.case_id, SAME)
    assert bed.examiners.next_case(A) is None
    assert not bed.settled
    assert bed.examiners.next_case(B) == case
    bed.examiners.decide(B, case.case_id, SAME)
    assert bed.settled == [("later-3", ("same_person",))]
    assert bed.examiners.next_case(C) is None


def test_the_same_pair_found_twice_is_one_case(bed: SearchBed) -> None:
    bed.enrol(3)
    bed.desk.submit(OFFICE, identify(3))
    bed.desk.submit(OFFICE, identify(3, task_id="identify-3-again"))
    run_pending(bed.worker)
    with bed.database.reading() as connection:
        assert len(case_repository.of_encounter(connection, "later-3")) == 1


def test_a_third_decides_where_two_differ(bed: SearchBed) -> None:
    case = put(bed)
    bed.examiners.decide(A, case, SAME)
    bed.examiners.decide(B, case, DIFFERENT)
    assert state(bed, case) == (CaseState.DIFFER, None)
    assert not bed.settled
    bed.examiners.decide(C, case, DIFFERENT)
    assert state(bed, case) == (CaseState.DECIDED, Finding.DIFFERENT_PERSONS)
    assert bed.settled == [("later-1", ("different_persons",))]


@pytest.mark.parametrize("findings", list(product(Finding, repeat=3)))
def test_whatever_stands_was_found_by_two(findings: tuple[Finding, ...]) -> None:
    if findings[0] is findings[1]:
        assert adjudication.outcome(findings[:2]) is findings[0]
        return
    stands = adjudication.outcome(findings)
    assert stands is Finding.POOR_DATA or findings.count(stands) == 2
    if len(set(findings)) == 3:
        assert stands is Finding.POOR_DATA


def test_an_application_waits_for_its_last_case(bed: SearchBed) -> None:
    first, second = put(bed), put(bed, candidate="dossier-2")
    for case, said in ((first, SAME), (second, DIFFERENT)):
        assert not bed.settled
        bed.examiners.decide(A, case, said)
        bed.examiners.decide(B, case, said)
    ((encounter, findings),) = bed.settled
    assert (encounter, set(findings)) == ("later-1", {"same_person", "different_persons"})


def test_nobody_sees_what_another_decided(bed: SearchBed) -> None:
    """A case looks the same before and after another examiner decided it, bytes and all."""
    case = put(bed)
    before = msgspec.json.encode(bed.examiners.view(B, case))
    bed.examiners.decide(A, case, FRAUD)
    assert msgspec.json.encode(bed.examiners.view(B, case)) == before
    bed.examiners.decide(B, case, DIFFERENT)
    # The third is not told that there were two.
    third = bed.examiners.view(C, case)
    assert msgspec.json.encode(third) == before
    assert set(CaseView.__struct_fields__) == {"case_id", "opened_at", "my_decision", "prints"}


def test_the_record_binds_a_finding_before_it_tells_it(bed: SearchBed) -> None:
    case = put(bed)
    bed.examiners.decide(A, case, CaseDecision("fraud", "vân tay bị mài"))
    with bed.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"adjudication/{case}")
        (decision,) = case_repository.decisions(connection, case)
    assert set(steps[-1].detail) == {"seal"}
    nonce = bytes.fromhex(decision.nonce)
    assert steps[-1].detail["seal"] == adjudication.seal(Finding.FRAUD, "vân tay bị mài", nonce)
    for other in set(Finding) - {Finding.FRAUD}:
        assert steps[-1].detail["seal"] != adjudication.seal(other, "vân tay bị mài", nonce)
    bed.examiners.decide(B, case, FRAUD)
    with bed.database.reading() as connection:
        last = recorded_events.of_subject(connection, f"adjudication/{case}")[-1]
        assert last.detail["outcome"] == "fraud"
        recorded_events.verify(connection)


def test_whoever_took_part_in_the_application_does_not_examine_it(bed: SearchBed) -> None:
    case = put(bed, took_part=(A.id, "lan.capture"))
    assert bed.examiners.next_case(A) is None
    for act in (
        lambda: bed.examiners.view(A, case),
        lambda: bed.examiners.picture(A, case, "probe"),
        lambda: bed.examiners.decide(A, case, SAME),
    ):
        with pytest.raises(SameOfficer):
            act()
    assert bed.examiners.next_case(B) is not None


def test_nobody_decides_twice_and_the_same_again_changes_nothing(bed: SearchBed) -> None:
    case = put(bed)
    first = bed.examiners.decide(A, case, SAME)
    assert bed.examiners.decide(A, case, SAME) == first
    with pytest.raises(TransitionRefused):
        bed.examiners.decide(A, case, DIFFERENT)
    assert state(bed, case)[0] is CaseState.ONE


def test_a_case_that_is_over_is_closed_to_others(bed: SearchBed) -> None:
    case = put(bed)
    bed.examiners.decide(A, case, SAME)
    bed.examiners.decide(B, case, SAME)
    with pytest.raises(AdjudicationCaseUnknown):
        bed.examiners.decide(C, case, SAME)
    with pytest.raises(AdjudicationCaseUnknown):
        bed.examiners.view(C, case)
    assert bed.examiners.view(A, case).my_decision == "same_person"


def test_all_at_once_only_two_decisions_count_when_they_agree(bed: SearchBed) -> None:
    case = put(bed)

    def decide(number: int) -> bool:
        try:
            bed.examiners.decide(EXAMINERS[number % 4], case, SAME)
        except (TransitionRefused, AdjudicationCaseUnknown):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(decide, range(8)))
    with bed.database.reading() as connection:
        decisions = case_repository.decisions(connection, case)
    assert len({each.examiner for each in decisions}) == len(decisions) == 2
    assert bed.settled == [("later-1", ("same_person",))]


def test_a_picture_is_asked_by_case_and_side_only(bed: SearchBed) -> None:
    case = put(bed)
    assert bed.examiners.picture(A, case, "probe") == b"later-1"
    assert bed.examiners.picture(A, case, "candidate") == b"dossier-1"
    with pytest.raises(AdjudicationCaseUnknown):
        bed.examiners.picture(A, case, "other")


def test_only_examiners_examine_and_only_the_lead_sees_figures(bed: SearchBed) -> None:
    case = put(bed)
    approver = officer("minh", Role.APPROVER, Role.CAPTURE, Role.PRODUCTION)
    bait = BaitCase(probe_encounter="x", candidate_encounter="y", are_same_person=True)
    for act in (
        lambda: bed.examiners.next_case(approver),
        lambda: bed.examiners.decide(approver, case, SAME),
        lambda: bed.examiners.lay_bait(A, bait),
        lambda: bed.examiners.figures(A),
    ):
        with pytest.raises(RoleMissing):
            act()
    with pytest.raises(FieldsRefused):
        bed.examiners.decide(A, case, CaseDecision("reject"))
    with pytest.raises(FieldsRefused):
        bed.examiners.decide(A, case, CaseDecision("fraud", "x" * 501))
    with pytest.raises(AdjudicationCaseUnknown):
        bed.examiners.view(A, "0" * 16)


def test_a_bait_cannot_be_told_from_a_case_and_leads_to_nothing(bed: SearchBed) -> None:
    real = put(bed)
    bed.examiners.lay_bait(
        LEAD, BaitCase(probe_encounter="later-7", candidate_encounter="dossier-7", are_same_person=True)
    )
    bed.examiners.decide(A, real, DIFFERENT)
    bait = bed.examiners.next_case(A)
    assert bait is not None
    shape = {name: type(value) for name, value in msgspec.structs.asdict(bait).items()}
    assert shape == {
        name: type(value) for name, value in msgspec.structs.asdict(bed.examiners.view(B, real)).items()
    }
    with pytest.raises(SameOfficer):
        bed.examiners.decide(LEAD, bait.case_id, SAME)
    bed.examiners.decide(A, bait.case_id, DIFFERENT)
    bed.examiners.decide(B, bait.case_id, SAME)
    bed.examiners.decide(C, bait.case_id, SAME)
    assert not bed.settled
    figures = {each.examiner: each for each in bed.examiners.figures(LEAD)}
    assert (figures[A.id].baits, figures[A.id].missed, figures[A.id].miss_rate) == (1, 1, 1.0)
    assert (figures[B.id].baits, figures[B.id].missed) == (1, 0)
    assert figures[A.id].miss_rate_low is not None
    assert 0 < figures[A.id].miss_rate_low < 1


def test_a_bait_of_two_persons_catches_whoever_says_same(bed: SearchBed) -> None:
    bed.examiners.lay_bait(
        LEAD, BaitCase(probe_encounter="a", candidate_encounter="b", are_same_person=False)
    )
    case = bed.examiners.next_case(A)
    assert case is not None
    bed.examiners.decide(A, case.case_id, SAME)
    bed.examiners.decide(B, case.case_id, DIFFERENT)
    figures = {each.examiner: each for each in bed.examiners.figures(LEAD)}
    assert (figures[A.id].false_alarms, figures[B.id].false_alarms) == (1, 0)
    assert figures[A.id].miss_rate is None
    with pytest.raises(TransitionRefused):
        bed.examiners.lay_bait(
            LEAD, BaitCase(probe_encounter="a", candidate_encounter="b", are_same_person=False)
        )
    for probe in ("", "b", "x" * 64):
        with pytest.raises(FieldsRefused):
            bed.examiners.lay_bait(
                LEAD, BaitCase(probe_encounter=probe, candidate_encounter="b", are_same_person=True)
            )


@given(st.integers(1, 400), st.data())
def test_the_interval_of_a_share_holds_it(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    share, low, high = wilson(count, of)
    assert 0 <= low <= share <= high <= 1


def test_the_interval_is_wilsons() -> None:
    """Wilson 1927 for 10 of 50, as every statistics text computes it: 0.1124 to 0.3304."""
    assert wilson(10, 50) == pytest.approx((0.2, 0.1124, 0.3304), abs=5e-4)


def test_figures_count_each_thing_once() -> None:
    judged = [
        Judged("a", Finding.SAME_PERSON, Finding.SAME_PERSON, None),
        Judged("a", Finding.FRAUD, Finding.SAME_PERSON, None),
        Judged("a", Finding.SAME_PERSON, None, None),
        Judged("a", Finding.POOR_DATA, None, True),
        Judged("a", Finding.FRAUD, None, True),
        Judged("a", Finding.FRAUD, None, False),
        Judged("b", Finding.DIFFERENT_PERSONS, None, True),
    ]
    record = record_of("a", judged)
    assert (record.decided, record.baits, record.missed, record.false_alarms) == (6, 3, 1, 1)
    assert (record.agreed, record.compared) == (1, 2)


def test_the_events_fold_to_the_state() -> None:
    assert fold([CaseEvent.OPEN, CaseEvent.DECIDE, CaseEvent.DIFFER, CaseEvent.SETTLE]) is CaseState.DECIDED
    for events in (
        [CaseEvent.DECIDE],
        [CaseEvent.OPEN, CaseEvent.AGREE],
        [CaseEvent.OPEN, CaseEvent.SETTLE],
        [CaseEvent.OPEN, CaseEvent.DECIDE, CaseEvent.AGREE, CaseEvent.SETTLE],
    ):
        with pytest.raises(TransitionRefused):
            fold(events)
