"""I15 at random: whatever is sealed, announced, brought and revoked in whatever order, over every signer.

Judged by what the test itself noted down: when a packet was first announced, what was revoked from when,
and for which packets somebody decided in a case. Run longer with ``REVOCATION_WALKS=200``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from issuance_backend.dossiers.intake.domain import Signer
from issuance_backend.moments import rfc3339
from tests.support.engines import Engine
from tests.support.issuance_office import NOW
from tests.support.packet_centre import SUPERVISOR, VOUCHING, Centre, PlainDossiers, prepared_database
from verification.errors import VerificationError
from verification.messages.enrollment_packet import SealedPacket, parse_packet
from verification.messages.packet_intake import GapClosing, PacketRelease, SignerRevocation

WALKS = int(os.environ.get("REVOCATION_WALKS", "4"))
STEPS = 150
CASE = "VV/2026-0117"


class Untrusted(AssertionError):
    """A packet became a dossier though its signer's word was worth nothing, and nobody decided."""


@dataclass
class Sealed:
    """A packet with what is known of it besides itself."""

    packet: SealedPacket
    happened_at: datetime
    signers: tuple[str, ...]
    announced_at: datetime | None = None


@dataclass
class Walk:
    """One centre, two kits with an officer each, and everything that may happen."""

    centre: Centre
    chance: random.Random
    sealed: list[Sealed] = field(default_factory=list)
    revoked: dict[str, datetime] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    judged: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.kits = [self.centre.kit("kit-001"), self.centre.kit("kit-002", officer="mai.capture")]
        for kit in self.kits:
            self.centre.register_supervisor(kit)

    def run(self, steps: int) -> None:
        """Take random steps, judging after each."""
        acts: tuple[Callable[[], object], ...] = (
            *(self.seal,) * 14, *(self.bring,) * 14, *(self.announce,) * 12, *(self.decide,) * 5, self.revoke,
            self.close_gap, self.close_gap, self.look_again,
        )  # fmt: skip
        for _ in range(steps):
            self.centre.pass_time(self.chance.choice((1, 600, 3600)))
            try:
                self.chance.choice(acts)()
            except VerificationError:
                self.refused += 1
            self.judge()

    def seal(self) -> None:
        """By the kit's clock, which may go wrong by hours."""
        kit = self.chance.choice(self.kits)
        happened = self.centre.now[0] + timedelta(seconds=self.chance.choice((-3600, -60, 0, 0, 72_000)))
        supervisor = VOUCHING if self.chance.random() < 0.3 else None
        packet = kit.seal(blobs={"portrait": b"p"}, supervisor=supervisor, happened_at=happened)
        signers = (kit.name, kit.officer) + ((supervisor,) if supervisor else ())
        self.sealed.append(Sealed(packet, happened, signers))

    def announce(self) -> None:
        self._announced(self.chance.choice(self.sealed or [self._first()]))

    def bring(self) -> None:
        """Mostly one of the oldest that did not come, as kits do."""
        waiting = [each for each in self.sealed if self.centre.recorded(each.packet) in {None, "announced"}]
        chosen = self.chance.choice(waiting[:2] or self.sealed or [self._first()])
        self._announced(chosen)
        self.centre.bring(chosen.packet)

    def revoke(self) -> None:
        """Now, or from a moment in the past."""
        kind, owner = self.chance.choice(
            [("kit", "kit-001"), ("kit", "kit-002"), ("officer", "lan.capture"), ("officer", VOUCHING)]
        )
        since = self.centre.now[0] - timedelta(seconds=self.chance.choice((0, 0, 30, 7200)))
        answer = self.centre.intake.kits.revoke(
            SUPERVISOR, SignerRevocation(kind, owner, rfc3339(since), CASE)
        )
        if owner not in self.revoked or since < self.revoked[owner]:
            self.revoked[owner] = since
            met = [each for each in self._opened() if self._is_doubtful(each, owner)]
            named = {each.packet.packet_hash[:16] for each in met}
            assert set(answer.dossiers) == named, "a revocation names what it throws doubt on"

    def decide(self) -> None:
        doubtful = [each for each in self.sealed if self.centre.recorded(each.packet) == "doubtful"]
        if doubtful:
            packet = self.chance.choice(doubtful).packet
            is_accepted = self.chance.random() < 0.5
            if is_accepted:
                self.accepted.add(packet.packet_hash)
            self.centre.intake.kits.decide(SUPERVISOR, packet.packet_hash, PacketRelease(CASE, is_accepted))

    def close_gap(self) -> None:
        number = self.chance.randint(1, 12)
        self.centre.intake.kits.close_gap(
            SUPERVISOR, self.chance.choice(self.kits).name, number, GapClosing(CASE)
        )

    def look_again(self) -> None:
        self.centre.intake.opening.open_waiting()

    def judge(self) -> None:
        """Every packet that became a dossier since the last look was trusted, or somebody decided."""
        opened = self.centre.dossiers.opened
        new, self.judged = set(opened[self.judged :]) - self.accepted, len(opened)
        for each in self.sealed:
            if each.packet.packet_hash in new:
                for signer in each.signers:
                    if self._is_doubtful(each, signer):
                        raise Untrusted(f"{signer}, revoked {self.revoked[signer]}")

    def _is_doubtful(self, each: Sealed, signer: str) -> bool:
        since = self.revoked.get(signer)
        if since is None or signer not in each.signers or each.announced_at is None:
            return False
        return each.happened_at >= since or each.announced_at >= since

    def _opened(self) -> list[Sealed]:
        opened = set(self.centre.dossiers.opened) - self.accepted
        return [each for each in self.sealed if each.packet.packet_hash in opened]

    def _announced(self, each: Sealed) -> None:
        self.centre.intake.desk.announce(each.packet.metadata)
        each.announced_at = each.announced_at or self.centre.now[0]

    def _first(self) -> Sealed:
        self.seal()
        return self.sealed[-1]


def walk(engine: Engine, folder: Path, seed: int) -> Walk:
    folder.mkdir()
    centre = Centre(prepared_database(engine.new()), folder, PlainDossiers(), [NOW])
    made = Walk(centre, random.Random(seed))  # noqa: S311 - a path, not a secret
    made.run(STEPS)
    return made


def test_nothing_of_a_revoked_signer_is_opened_without_a_case(
    database_engine: Engine, tmp_path: Path
) -> None:
    walks = [walk(database_engine, tmp_path / str(seed), seed) for seed in range(WALKS)]
    assert sum(len(each.centre.dossiers.opened) for each in walks) > 8 * WALKS
    assert sum(len(each.accepted) for each in walks) > 0
    assert any(each.revoked for each in walks)
    states = {each.centre.recorded(one.packet) for each in walks for one in each.sealed}
    assert {"opened", "doubtful", "refused"} <= states


@pytest.mark.parametrize("believed", ["happened_at", "announced_at"])
def test_a_centre_that_believes_either_moment_alone_is_found_out(
    database_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, believed: str
) -> None:
    is_trusted = Signer.is_trusted

    def credulous(signer: Signer, happened_at: str, announced_at: str) -> bool:
        moment = happened_at if believed == "happened_at" else announced_at
        return is_trusted(signer, moment, moment)

    monkeypatch.setattr(Signer, "is_trusted", credulous)
    with pytest.raises(AssertionError):  # noqa: PT012 - the first of some walks that meets it
        for seed in range(20):
            walk(database_engine, tmp_path / str(seed), seed)


def test_the_walk_reads_a_packet_as_the_centre_does(database_engine: Engine, tmp_path: Path) -> None:
    """What the walk noted of a packet is what stands in it."""
    made = walk(database_engine, tmp_path / "one", 3)
    for each in made.sealed:
        envelope = parse_packet(each.packet.metadata).envelope
        assert datetime.fromisoformat(envelope.happened_at) == each.happened_at
        assert {envelope.kit, envelope.officer} | ({envelope.supervisor} - {None}) == set(each.signers)
