"""Anything in any order at a kit, over a line that loses questions and answers: the numbers never break."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import AT_THE_DESK, DraftState
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.kit_store import DRAFTS, PACKETS
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.refusals import CentreUnavailable
from enrollment_admin.station.sealing import Answering
from issuance_backend.schema import DOSSIERS
from tests.support.engines import Sqlite
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    ITEMS,
    NEIGHBOURS,
    PASSPHRASE,
    SIGNED,
    KitBench,
    declared,
    desk_of,
    fold,
    register,
)
from tests.support.packet_centre import SUPERVISOR, Centre, PlainDossiers, prepared_database
from verification.errors import VerificationError
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, FIRST
from verification.messages.packet_intake import PacketStatus

Answer = TypeVar("Answer")

ACTS = 280


class BadLine(CentreClient):
    """The centre itself, over a line that loses one question in seven, and one answer."""

    def __init__(self, centre: Centre, draw: random.Random, *, loses: bool = True) -> None:
        super().__init__("http://nowhere", "")
        self._desk, self._draw, self._loses = centre.intake.desk, draw, loses

    def announce(self, metadata: bytes) -> PacketStatus:
        return self._over(lambda: self._desk.announce(metadata))

    def put_chunk(self, packet: str, offset: int, chunk: bytes) -> None:
        self._over(lambda: self._desk.put_chunk(packet, offset, sha256(chunk).digest(), chunk))

    def complete(self, packet: str) -> str:
        return self._over(lambda: self._desk.complete(packet))

    def _over(self, ask: Callable[[], Answer]) -> Answer:
        self._may_be_cut()
        answered = ask()
        self._may_be_cut()
        return answered

    def _may_be_cut(self) -> None:
        if self._loses and self._draw.random() < 1 / 7:
            raise CentreUnavailable("cut")


class KitWalk:
    """One kit at which officers do whatever comes to their minds."""

    def __init__(self, bench: KitBench, centre: Centre, seed: int) -> None:
        self.bench, self.centre = bench, centre
        self.draw = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        self.kit = bench.make()
        register(centre, self.kit)
        self.line = BadLine(centre, self.draw)
        self.done: dict[str, int] = {}

    @property
    def desk(self) -> CaptureDesk:
        return desk_of(self.kit)

    def some(self, *states: DraftState) -> str:
        """A capture that stands where it should, mostly; else any in hand, or one that never was."""
        drafts = self.desk.drafts()
        right = [each.id for each in drafts if each.state in states]
        if right and self.draw.random() < 0.9:
            return self.draw.choice(right)
        return self.draw.choice([each.id for each in drafts] or ["kit-007-99"])

    def begin(self) -> None:
        wrong = {"full_name": "Nguyễn Văn Nhầm"} if self.draw.random() < 1 / 3 else {}
        self.desk.begin(declared(self.draw.choice(NEIGHBOURS), **wrong))

    def declare(self) -> None:
        self.desk.declare(self.some(DraftState.DRAFT), declared(self.draw.choice(NEIGHBOURS)))

    def keep(self) -> None:
        names = self.draw.choice((list(ITEMS), ["portrait", *FINGER_ITEMS], ["portrait"], FINGER_ITEMS))
        taken = [Captured(name, *ITEMS[name]) for name in names]
        self.desk.keep_all(self.some(DraftState.DRAFT), taken)

    def excuse(self) -> None:
        self.desk.state_exception(self.some(*AT_THE_DESK), "finger_05", "FINGER_WORN")

    def print_form(self) -> None:
        self.desk.print_form(self.some(DraftState.CAPTURED))

    def sign(self) -> None:
        self.desk.keep(self.some(DraftState.FORM_CHECKED), CITIZEN_SIGNATURE, "image/png", SIGNED)

    def seal(self) -> None:
        supervisor = Answering(CHIEF, CHIEFS_PASSPHRASE) if self.draw.random() < 0.7 else None
        self.desk.seal(self.some(DraftState.FORM_CHECKED), PASSPHRASE, "vi", supervisor)

    def withdraw(self) -> None:
        self.desk.withdraw(self.some(*AT_THE_DESK))

    def send(self) -> None:
        Outbox(self.kit).send(self.line)

    def export(self) -> None:
        Outbox(self.kit).export(self.bench.place)

    def start_anew(self) -> None:
        self.kit.database.close()
        self.kit = self.bench.open()

    def act(self) -> None:
        """One act; a refused one changes nothing."""
        often = [self.begin, self.keep, self.print_form, self.sign, self.seal]
        acts = [
            *often,
            *often,
            self.declare,
            self.excuse,
            self.withdraw,
            self.send,
            self.export,
            self.start_anew,
        ]
        act = self.draw.choice(acts)
        before = self.desk.drafts()
        try:
            act()
        except VerificationError:
            assert self.desk.drafts() == before, act.__name__
        else:
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def require_sound(self) -> None:
        with self.kit.database.reading() as connection:
            rows = connection.execute(select(DRAFTS.c.number, DRAFTS.c.state)).all()
            for number, state in rows:
                steps = self.kit.store.steps(connection, number)
                assert fold(event for event, _ in steps) == state
            packets = connection.execute(select(PACKETS).order_by(PACKETS.c.sequence)).all()
        assert [each.sequence for each in packets] == list(range(1, len(packets) + 1))
        assert [each.previous for each in packets] == [FIRST, *(each.packet for each in packets)][
            : len(packets)
        ]
        waiting = {each.packet for each in packets if each.receipt is None}
        assert {path.name for path in (self.kit.folder / "outbox").iterdir()} == {
            f"{packet}.packet" for packet in waiting
        }
        figures = self.desk.figures().by_state
        assert sum(figures.values()) == len(rows)
        assert figures[DraftState.SEALED] + figures[DraftState.IN_TRANSIT] == len(waiting)


@pytest.mark.slow
def test_whatever_happens_every_number_is_one_packet_and_one_dossier(tmp_path: Path) -> None:
    centre = Centre(prepared_database(Sqlite(tmp_path).new()), tmp_path / "centre", PlainDossiers())
    walk = KitWalk(KitBench(tmp_path, centre.intake.desk.key_list()), centre, seed=1)
    for _ in range(ACTS):
        walk.act()
        walk.require_sound()
    assert len(walk.done) == 11, "every act was done"
    assert Outbox(walk.kit).send(BadLine(centre, walk.draw, loses=False)).stopped is None
    walk.require_sound()
    with walk.kit.database.reading() as connection:
        sealed, _ = walk.kit.store.head(connection)
    assert sealed >= 8
    with centre.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(DOSSIERS)).scalar_one() == sealed
    told = centre.intake.kits.numbers(SUPERVISOR, walk.kit.profile.name)
    assert (told.settled, told.gaps, told.doubtful) == (sealed, (), ())
    assert not [each for each in walk.desk.drafts() if each.packet], "nothing that was sealed is in hand"
