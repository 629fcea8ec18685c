"""kill -9 of a kit at every point of an answer to a return: it is answered once, and nothing is lost."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from enrollment_admin.station.kit import Kit
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.returns import Returns
from tests.support import dying_programs
from tests.support.engines import Engine
from tests.support.killing import Point, is_killed
from tests.support.kit_bench import (
    PASSPHRASE,
    KitBench,
    answer_at,
    captured,
    client,
    desk_of,
    fold,
    register,
    returned_capture,
    sealed_returns,
    served,
)
from tests.support.packet_centre import LEADER, Centre, PlainDossiers, prepared_database

pytestmark = pytest.mark.slow


def test_a_kit_that_is_killed_anywhere_answers_a_return_once(tmp_path: Path, database_engine: Engine) -> None:
    centre = Centre(prepared_database(database_engine.new()), tmp_path / "centre", PlainDossiers())
    seen = set()
    with served(centre.intake.desk) as url:
        # The kit is the same before both engines of the centre, and most points are the kit's.
        for number in count(1, 3 if database_engine.name == "sqlite" else 7):
            bench = KitBench(tmp_path, centre.intake.desk.key_list(), name=f"kit-{number:03}")
            kit = bench.make()
            register(centre, kit)
            stick = returned_on_a_stick(centre, kit, url)
            kit.database.close()
            point = Point(number, between_statements=False)
            if not is_killed(dying_programs.answer, bench, url, stick, point):
                break
            kit = bench.open()
            seen |= {draft.state for draft in desk_of(kit).drafts() if draft.answers} | {None}
            answer_at(bench, url, stick)
            require_answered_once(centre, kit)
            kit.database.close()
    assert number > 20, "commits, files and questions to the centre"
    assert len(seen) >= 3, "killed with no answer begun, and with it in several states"


def returned_on_a_stick(centre: Centre, kit: Kit, url: str) -> Path:
    """A capture of the kit's that the centre has, and its return on the way back."""
    desk = desk_of(kit)
    sealed = desk.seal(captured(desk), PASSPHRASE, "vi")
    assert Outbox(kit).send(client(url)).receipted == (1,)
    stick = kit.folder.parent / f"stick-{kit.profile.name}"
    stick.mkdir()
    token = sealed_returns(kit, centre.keys.receipts, returned_capture(kit, 0, sealed.packet))
    (stick / f"{kit.profile.name}-returns.jwe").write_text(token)
    return stick


def require_answered_once(centre: Centre, kit: Kit) -> None:
    """The kit sealed two packets: the capture and its answer, which the centre has; nothing is left to do."""
    assert Returns(kit).standing() == ()
    assert desk_of(kit).drafts() == ()
    assert Outbox(kit).waiting() == ()
    told = centre.intake.kits.numbers(LEADER, kit.profile.name)
    assert (told.settled, told.newest, told.gaps, told.doubtful) == (2, 2, (), ())
    with kit.database.reading() as connection:
        for number in (1, 2):
            row = kit.store.draft(connection, number)
            assert fold(event for event, _ in kit.store.steps(connection, number)) is row.state
        assert len(kit.claims.answered(connection)) == 1
