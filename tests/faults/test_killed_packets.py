"""kill -9 of the intake at every point of a packet's way: no chunk, receipt or dossier is lost or doubled."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuance_backend.dossiers.twin_captures import CAPTURED_EARLIER
from issuance_backend.schema import DOSSIERS
from monitoring.database import Database
from tests.support import dying_programs
from tests.support.engines import Engine
from tests.support.issuance_office import NOW
from tests.support.killing import Point, is_killed, require_sound
from tests.support.packet_centre import Centre, PlainDossiers, prepared_database
from tests.support.twin_stand import centre_on, stand_on

pytestmark = pytest.mark.slow

LARGE = {"portrait": b"p" * 150_000}


def test_a_packet_that_takes_another_s_place_does_so_whole_or_not_at_all(
    tmp_path: Path, database_engine: Engine
) -> None:
    first = stand_on(prepared_database(database_engine.new()), tmp_path / "first")
    late, early = first.sealed(0, 2), first.sealed(1, 1)
    first.centre.bring(late)
    first.database.close()
    stood = set()
    # The files are those of any packet: what is new is one transaction.
    for number in count(1, 1 if database_engine.name == "sqlite" else 2):
        folder, url = tmp_path / str(number), database_engine.copy(first.database.url)
        shutil.copytree(tmp_path / "first", folder)
        point = Point(number, between_statements=False)
        if not is_killed(dying_programs.bring_twin, url, folder, early, point):
            break
        stand = centre_on(Database(url), folder)
        require_sound(stand.database)
        stood.update(stand.standing())
        stand.centre.bring(early)
        assert stand.standing() == [early.packet_hash]
        assert stand.state(late) == ("doubtful", CAPTURED_EARLIER)
        require_sound(stand.database)
        stand.database.close()
    assert stood == {late.packet_hash, early.packet_hash}, "killed before and after it stood"


def test_a_packet_whose_intake_is_killed_anywhere_becomes_one_dossier_with_one_receipt(
    tmp_path: Path, database_engine: Engine
) -> None:
    first = Centre(prepared_database(database_engine.new()), tmp_path / "first", PlainDossiers())
    kit = first.kit()
    packet, following = kit.seal(blobs=LARGE), kit.seal()
    first.database.close()
    chunks_seen, receipts = set(), set()
    # The files are the same on both engines, and most points are theirs.
    for number in count(1, 1 if database_engine.name == "sqlite" else 2):
        folder, url = tmp_path / str(number), database_engine.copy(first.database.url)
        shutil.copytree(tmp_path / "first", folder)
        point = Point(number, between_statements=False)
        if not is_killed(dying_programs.bring, url, folder, packet, NOW, point):
            break
        centre = Centre(Database(url), folder, PlainDossiers())
        require_sound(centre.database)
        chunks_seen.add(len(centre.intake.desk.announce(packet.metadata).missing))
        receipt = centre.bring(packet)
        receipts.add(centre.receipt(receipt).packet)
        assert centre.bring(packet) == receipt, "the same receipt, to the byte"
        centre.intake.opening.open_waiting()
        assert centre.recorded(packet) == "opened"
        centre.bring(following)
        assert centre.recorded(following) == "opened", "the order of the kit goes on"
        with centre.database.reading() as connection:
            assert connection.execute(select(func.count()).select_from(DOSSIERS)).scalar_one() == 2
        require_sound(centre.database)
        centre.pass_time(7 * 86_400)
        centre.intake.opening.sweep()
        assert not [path for path in (folder / "inbox").rglob("*") if path.is_file()], number
        centre.database.close()
    assert chunks_seen == {0, 1, 2, 3}, "killed with every number of chunks acknowledged"
    assert receipts == {packet.packet_hash}
