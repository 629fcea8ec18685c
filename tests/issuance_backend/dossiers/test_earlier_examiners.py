"""Whoever examined one capture of an application takes no other part in a later capture of it (I4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from issuance_backend import recorded_events
from issuance_backend.biometric_search import case_repository
from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import SameOfficer
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.application_desk import LAN, MINH, SON, THU, capture_of, officer
from tests.support.deduplication_centre import Centre, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from tests.support.running import run_pending
from tests.support.search_bed import EXAMINERS, LEAD
from verification.messages.biometric_search import BaitCase, CaseDecision
from verification.messages.dossier_decisions import CaseHold
from verification.messages.enrollment import DossierReturn


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    return make_centre(tmp_path, database_engine)


def returned_by_examiners(centre: Centre) -> str:
    """A dossier whose picture two examiners could not judge."""
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    centre.decide(dossier, Finding.POOR_DATA, Finding.POOR_DATA)
    assert centre.desk.state(dossier) == "returned"
    return dossier


def test_who_examined_the_first_capture_has_no_part_in_the_second(centre: Centre) -> None:
    dossier = returned_by_examiners(centre)
    fresh = picture(999)
    centre.biometry.shown[fresh] = (0, 1)
    again = capture_of(citizens()[1], 77, portrait=fresh)
    former = [officer(examiner.id, *Role) for examiner in EXAMINERS[:2]]
    for examiner in former:
        with pytest.raises(SameOfficer):
            centre.desk.office.captures.recapture(examiner, dossier, again)
    centre.desk.office.captures.recapture(LAN, dossier, again)
    for examiner in former:
        with pytest.raises(SameOfficer):
            centre.desk.approve_locally(examiner, dossier)
    centre.desk.approve_locally(MINH, dossier)
    centre.run()
    (case,) = centre.cases(dossier)
    for examiner in EXAMINERS[2:4]:
        centre.bed.examiners.decide(examiner, case, CaseDecision(Finding.DIFFERENT_PERSONS.value))
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("dedup_1n", "clear")
    for examiner in former:
        with pytest.raises(SameOfficer):
            centre.desk.office.approvals.approve_centrally(examiner, dossier)
    centre.desk.office.approvals.approve_centrally(THU, dossier)


def test_over_a_case_of_a_former_capture_nobody_decides(centre: Centre) -> None:
    """Its search ended after the return; whoever captures again might examine the former capture."""
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    run_pending(centre.work)
    assert centre.desk.state(dossier) == "dedup_1n"
    centre.desk.office.approvals.send_back(THU, dossier, DossierReturn(("portrait",), "mờ"))
    run_pending(centre.bed.worker)
    (case,) = centre.cases(dossier)
    fresh = picture(999)
    centre.biometry.shown[fresh] = (0, 1)
    captor = officer(EXAMINERS[0].id, *Role)
    for examiner in EXAMINERS[:2]:
        assert centre.bed.examiners.next_case(examiner) is None
    centre.desk.office.captures.recapture(captor, dossier, capture_of(citizens()[1], 77, portrait=fresh))
    for examiner, refusal in zip(EXAMINERS, (SameOfficer, AdjudicationCaseUnknown), strict=False):
        assert centre.bed.examiners.next_case(examiner) is None
        with pytest.raises(refusal):
            centre.bed.examiners.decide(examiner, case, CaseDecision(Finding.SAME_PERSON.value))
    assert ended(centre, case) == ("superseded", "capture"), "its search found it only after the return"


def ended(centre: Centre, case: str) -> tuple[str, str | None]:
    """Where a case stands, and why it ended if nobody settled it."""
    with centre.desk.database.reading() as connection:
        found = case_repository.find(connection, case)
        steps = recorded_events.of_subject(connection, f"adjudication/{case}")
        recorded_events.verify(connection)
    assert found is not None
    return found.state.value, steps[-1].detail.get("reason")


def found(centre: Centre) -> tuple[str, str]:
    """A dossier before examiners, and its case."""
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    (case,) = centre.cases(dossier)
    return dossier, case


@pytest.mark.parametrize("decided", [0, 1])
def test_a_case_ends_with_its_application_and_is_counted(centre: Centre, decided: int) -> None:
    dossier, case = found(centre)
    bait = BaitCase(
        probe_encounter=centre.encounter(dossier), candidate_encounter="another", are_same_person=True
    )
    centre.bed.examiners.lay_bait(LEAD, bait)
    for examiner in EXAMINERS[:decided]:
        centre.bed.examiners.decide(examiner, case, CaseDecision(Finding.SAME_PERSON.value))
    assert ended(centre, case) == (("open", "one")[decided], None), "found for the capture that stands"
    centre.desk.office.captures.withdraw(LAN, dossier)
    assert ended(centre, case) == ("superseded", "withdraw")
    report = StatisticsOffice(centre.desk.database, lambda: centre.desk.now[0]).report(Asked())
    stock = {each.state: each.stock for each in report.stocks if each.kind == "adjudication"}
    assert sum(stock.get(state, 0) for state in ("open", "one", "differ")) == 1, "the bait, which stays one"
    told = report.total.to_date
    assert (told["adjudications"], told["adjudications_superseded"]) == (2, 1)


def test_a_case_that_the_dossier_has_not_heard_of_ends_with_its_return(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    run_pending(centre.work)
    run_pending(centre.bed.worker)
    (case,) = centre.cases(dossier)
    centre.desk.office.approvals.send_back(THU, dossier, DossierReturn(("portrait",), "mờ"))
    assert ended(centre, case) == ("superseded", "return")


def test_what_a_case_holds_waits_with_it(centre: Centre) -> None:
    dossier, case = found(centre)
    centre.desk.office.legal.suspend(SON, dossier, CaseHold("VV-1"))
    assert ended(centre, case) == ("open", None)
    centre.desk.office.legal.resume(SON, dossier, CaseHold("VV-1"))
    centre.decide(dossier, Finding.DIFFERENT_PERSONS, Finding.DIFFERENT_PERSONS)
    assert ended(centre, case) == ("decided", None)
