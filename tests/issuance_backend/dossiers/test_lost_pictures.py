"""Pictures that the store lost or that somebody altered: they are taken again, and nobody else waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from issuance_backend.dossiers import acts
from issuance_backend.dossiers.deduplication import PUT_OFF_FOR
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.refusals import BlobAltered, BlobUnknown
from tests.support.application_desk import LAN, MINH, THU, capture_of
from tests.support.deduplication_centre import Centre, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from verification.errors import VerificationError


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    return make_centre(tmp_path, database_engine)


@pytest.fixture
def spoil(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, VerificationError], list[str]]:
    """Makes a dossier's picture unreadable; the answer grows with every attempt to read it."""
    read = Pictures.read

    def spoil(dossier: str, fault: VerificationError) -> list[str]:
        with centre.desk.database.reading() as connection:
            bad, attempts = acts.found(connection, dossier).portrait, []

        def guarded(pictures: Pictures, name: str) -> bytes:
            if name == bad:
                attempts.append(name)
                raise fault
            return read(pictures, name)

        monkeypatch.setattr(Pictures, "read", guarded)
        return attempts

    return spoil


def test_an_altered_picture_is_taken_again_and_holds_nobody_up(
    centre: Centre, spoil: Callable[[str, VerificationError], list[str]]
) -> None:
    altered, next_one = centre.apply(0, 0), centre.apply(1, 1)
    spoil(altered, BlobAltered("not what was put there"))
    centre.run()
    view = centre.desk.view(altered)
    assert (centre.desk.state(altered), view.steps[-1].detail["faults"]) == ("returned", BlobAltered.code)
    assert (centre.desk.state(next_one), centre.desk.view(next_one).search) == ("dedup_1n", "clear")

    fresh = picture(999)
    centre.biometry.shown[fresh] = (0, 1)
    centre.desk.office.captures.recapture(LAN, altered, capture_of(citizens()[0], 77, portrait=fresh))
    centre.desk.approve_locally(MINH, altered)
    centre.run()
    assert centre.desk.view(altered).search == "clear"


def test_a_lost_picture_waits_for_the_store_and_holds_nobody_up(
    centre: Centre,
    spoil: Callable[[str, VerificationError], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost, next_one = centre.apply(0, 0), centre.apply(1, 1)
    attempts = spoil(lost, BlobUnknown("no such object"))
    for _ in range(5):
        centre.run()
    assert (centre.desk.state(lost), len(attempts)) == ("local_approved", 1)
    assert centre.desk.view(next_one).search == "clear"

    monkeypatch.undo()
    centre.desk.now[0] += PUT_OFF_FOR
    centre.run()
    assert centre.desk.view(lost).search == "clear"


def test_who_cannot_be_enrolled_is_not_tried_at_every_turn(
    centre: Centre, spoil: Callable[[str, VerificationError], list[str]]
) -> None:
    dossier = centre.apply(0, 0)
    centre.run()
    centre.desk.office.approvals.approve_centrally(THU, dossier)
    attempts = spoil(dossier, BlobAltered("not what was put there"))
    for _ in range(5):
        centre.run()
    assert len(attempts) == 1
    centre.desk.now[0] += PUT_OFF_FOR
    centre.run()
    assert len(attempts) == 2
