"""Whoever examined one capture of an application takes no other part in a later capture of it (I4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.biometric_search.refusals import AdjudicationCaseUnknown
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import SameOfficer
from tests.support.application_desk import LAN, MINH, THU, capture_of, officer
from tests.support.deduplication_centre import Centre, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from tests.support.running import run_pending
from tests.support.search_bed import EXAMINERS
from verification.messages.biometric_search import CaseDecision
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
            centre.desk.office.approvals.approve_locally(examiner, dossier)
    centre.desk.office.approvals.approve_locally(MINH, dossier)
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
    for examiner in EXAMINERS[:2]:
        assert centre.bed.examiners.next_case(examiner) is None
        with pytest.raises(AdjudicationCaseUnknown):
            centre.bed.examiners.decide(examiner, case, CaseDecision(Finding.SAME_PERSON.value))
