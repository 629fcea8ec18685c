"""Whoever answered for what was not captured had a part in the capture: they approve nothing of it (4.8)."""

from __future__ import annotations

import pytest

from issuance_backend.officers.domain import Role
from issuance_backend.refusals import SameOfficer
from tests.support.application_desk import MINH, THU, UNIT, make_desk, officer, packet_of
from tests.support.engines import Engine
from verification.messages.enrollment import DossierReturn

ANSWERS = officer("answers", *Role)


def test_they_approve_neither_here_nor_at_the_centre(database_engine: Engine) -> None:
    desk = make_desk(database_engine)
    dossier = desk.received(packet_of(supervisor=ANSWERS.id, unit=UNIT))
    assert desk.view(dossier).steps[0].detail["answered_by"] == ANSWERS.id
    with pytest.raises(SameOfficer):
        desk.approve_locally(ANSWERS, dossier)
    desk.approve_locally(MINH, dossier)
    with pytest.raises(SameOfficer):
        desk.office.approvals.approve_centrally(ANSWERS, dossier)
    desk.office.approvals.approve_centrally(THU, dossier)


def test_whoever_approved_it_does_not_answer_for_the_next_capture(database_engine: Engine) -> None:
    desk = make_desk(database_engine)
    dossier = desk.received(packet_of())
    desk.approve_locally(MINH, dossier)
    desk.office.approvals.send_back(THU, dossier, DossierReturn(("identification",), "thiếu"))
    with pytest.raises(SameOfficer):
        desk.received(packet_of(number=2, answers=dossier, portrait=b"", supervisor=MINH.id))
