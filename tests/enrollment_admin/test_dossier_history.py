"""What a dossier's page tells of the acts before: an approver sees what a supervisor answered for."""

from __future__ import annotations

from flask import Flask

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import Step
from tests.support.issuance_office import NOW, Office
from tests.support.office_pages import captured, sign_in, text


def test_it_says_which_prints_were_the_best_there_were_and_which_are_of_ink(
    app: Flask, office: Office
) -> None:
    dossier = captured(app)
    received = Step(
        subject=acts.subject(dossier),
        event="receive",
        state="received",
        actor="lan.capture",
        at=rfc3339(NOW),
        detail={"best_available": "04 05", "ink_rescan": "06"},
    )
    with office.database.writing() as connection:
        recorded_events.append(connection, received)
    shown = text(sign_in(app, "minh.approve").get(f"/dossiers/{dossier}"))
    assert "có người giám sát chịu trách nhiệm: ngón nhẫn phải, ngón út phải" in shown
    assert "vân tay lăn mực rồi quét: ngón cái trái" in shown
    english = text(sign_in(app, "minh.approve", "en").get(f"/dossiers/{dossier}"))
    assert "for which a supervisor answers: right ring finger, right little finger" in english
