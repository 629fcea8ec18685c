"""A capture that was sealed earlier takes no dossier with which anybody has worked since (F21)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from issuance_backend.storage import ISSUANCE_MIGRATIONS
from tests.support.application_desk import CHIEF, CLERK, MINH
from tests.support.cheap_prints import cheap_prints
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.packet_centre import prepared_database
from tests.support.twin_stand import Stand, stand_on
from verification.messages.dossier_decisions import LookupAnswer, LookupRequest
from verification.messages.enrollment import DossierReturn


def sent_back(stand: Stand, dossier: str) -> None:
    """An officer looked at it and said what is wrong."""
    stand.desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))


def looked_up(stand: Stand, dossier: str) -> None:
    """The archive answered; the dossier stands where the rules had put it."""
    archive = stand.desk.office.archive
    archive.ask(MINH, dossier, LookupRequest("no_data"))
    archive.approve(CHIEF, dossier)
    archive.answer(CLERK, dossier, LookupAnswer("agrees"))


def captured_again(stand: Stand, dossier: str) -> None:
    """The portrait came back, and the kit took it again."""
    sent_back(stand, dossier)
    again = stand.kits[2].seal(blobs={"portrait": picture(8)}, dossier=dossier)
    stand.centre.bring(again)
    assert stand.state(again) == ("opened", None)


@pytest.fixture
def stand(tmp_path: Path, database_engine: Engine) -> Stand:
    return stand_on(prepared_database(database_engine.migrated(ISSUANCE_MIGRATIONS)), tmp_path / "centre")


@pytest.mark.parametrize("work", [sent_back, looked_up, captured_again])
def test_what_an_officer_has_worked_with_stands(stand: Stand, work: Callable[[Stand, str], None]) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    dossier = stand.dossier(late)
    work(stand, dossier)
    stands = stand.standing()
    stand.centre.bring(early)
    assert stand.state(early) == ("doubtful", "DOSSIER_ALREADY_OPEN")
    assert stand.standing() == stands
    assert stand.state(late)[0] == "opened"


@pytest.mark.parametrize("is_answered", [False, True])
def test_what_the_rules_returned_gives_way_until_it_was_captured_again(
    stand: Stand, is_answered: bool
) -> None:
    prints = cheap_prints()
    blobs = {"portrait": picture(1), **{name: prints[name] for name in list(prints)[:9]}}
    late = stand.kits[0].seal(citizens()[0], blobs, happened_at=NOW + timedelta(hours=2))
    early = stand.sealed(1, 1)
    stand.centre.bring(late)
    dossier = stand.dossier(late)
    assert stand.desk.state(dossier) == "returned", "a finger is missing, the rules say"
    if is_answered:
        missing = {name: prints[name] for name in list(prints)[9:]}
        stand.centre.bring(stand.kits[0].seal(blobs=missing, dossier=dossier))
        assert stand.desk.state(dossier) == "validated"
    stand.centre.bring(early)
    assert stand.desk.state(dossier) == ("validated" if is_answered else "withdrawn")
    assert stand.state(early)[0] == ("doubtful" if is_answered else "opened")
