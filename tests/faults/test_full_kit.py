"""A kit whose disk is full or broken says so, and keeps what it had acknowledged."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.refusals import KitStorageUnavailable, KitStoreAltered
from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from tests.support.killing import is_killed
from tests.support.kit_bench import PASSPHRASE, KitBench, captured, declared, desk_of
from verification.messages.enrollment_packet import MAX_ITEM_BYTES
from verification.messages.packet_intake import PacketKeyList

SPARE = 256 * 1024


@pytest.fixture
def bench(tmp_path: Path) -> KitBench:
    make_keys(tmp_path / "keys", "2026-11")
    centre = load_keys(tmp_path / "keys")
    return KitBench(tmp_path, PacketKeyList(centre.opening_jwk(), centre.receipts_jwk()))


def keep_too_much(desk: CaptureDesk) -> None:
    """A scan that the disk has no room for."""
    desk.keep("kit-007-1", "scan_1", "image/png", bytes(MAX_ITEM_BYTES))


def seal(desk: CaptureDesk) -> None:
    desk.seal("kit-007-1", PASSPHRASE, "vi")


def begin_on_a_full_disk(bench: KitBench, act: Callable[[CaptureDesk], None], room: int) -> None:
    """In a process of its own, no file of which may grow beyond ``room``."""
    kit = bench.open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    with pytest.raises(KitStorageUnavailable):
        act(desk_of(kit))


def largest_file(kit: Kit) -> int:
    return max(path.stat().st_size for path in kit.folder.rglob("*") if path.is_file())


def test_a_full_disk_is_said_plainly_and_takes_nothing_away(bench: KitBench) -> None:
    kit = bench.make()
    desk = desk_of(kit)
    before = desk.draft(captured(desk))
    room = largest_file(kit) + SPARE
    kit.database.close()
    assert not is_killed(begin_on_a_full_disk, bench, keep_too_much, room)
    again = desk_of(bench.open())
    assert again.drafts() == (before,)
    assert again.seal(before.id, PASSPHRASE, "vi").sequence == 1


def test_a_packet_that_has_no_room_takes_no_number(bench: KitBench) -> None:
    kit = bench.make()
    desk = desk_of(kit)
    before = desk.draft(captured(desk))
    kit.database.close()
    assert not is_killed(begin_on_a_full_disk, bench, seal, 32 * 1024)
    again = desk_of(bench.open())
    assert again.drafts() == (before,)
    assert again.seal(before.id, PASSPHRASE, "vi").sequence == 1


def test_a_broken_file_is_not_taken_for_an_empty_kit(bench: KitBench) -> None:
    kit = bench.make()
    desk_of(kit).begin(declared())
    kit.database.close()
    store = kit.folder / "store.db"
    store.write_bytes(b"no database".ljust(store.stat().st_size, b"."))
    with pytest.raises(KitStoreAltered):
        bench.open()
