"""Somebody who applies under an enrolled person's number: a renewal, or somebody else's card.

The question before the examiners is the other way round here: this pair *should* be one person.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.refusals import HitStillOpen
from issuance_backend.schema import CREDENTIALS
from tests.support.application_desk import SON, THU
from tests.support.deduplication_centre import EXCHANGED, Centre, make_centre
from tests.support.engines import Engine
from verification.errors import TransitionRefused
from verification.messages.dossier_decisions import RejectionReason

OWNER, IMPOSTOR = 0, 5
FRAUD = RejectionReason("fraud", "Luật 26/2023/QH15", "Không phải chủ số định danh")


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    return make_centre(tmp_path, database_engine)


def second_application(centre: Centre, person: int) -> str:
    """A later application under the owner's number that the search does not find to be the owner."""
    first = centre.enrolled(0, OWNER)
    with centre.desk.database.writing() as connection:
        centre.desk.office.complete(connection, first, "office.hand", centre.desk.now[0])
        # In the owner's hands: nothing but the examiners stands between the next application and a card.
        connection.execute(update(CREDENTIALS).values(state="active"))
    dossier = centre.apply(0, person, touch=2, number=9, terms=EXCHANGED)
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("adjudication", "hit")
    return dossier


def test_whom_examiners_hold_to_be_another_than_the_owner_gets_no_card(centre: Centre) -> None:
    dossier = second_application(centre, IMPOSTOR)
    centre.decide(dossier, Finding.DIFFERENT_PERSONS, Finding.DIFFERENT_PERSONS)
    with pytest.raises((HitStillOpen, TransitionRefused)):
        centre.desk.office.approvals.approve_centrally(THU, dossier)
    centre.desk.office.legal.propose_rejection(THU, dossier, FRAUD)
    centre.desk.office.legal.confirm_rejection(SON, dossier)
    assert centre.desk.state(dossier) == "rejected"


def test_whom_examiners_hold_to_be_the_owner_gets_the_card(centre: Centre) -> None:
    dossier = second_application(centre, IMPOSTOR)
    centre.decide(dossier, Finding.SAME_PERSON, Finding.SAME_PERSON)
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("dedup_1n", "clear")
    centre.desk.office.approvals.approve_centrally(THU, dossier)
