"""Packets come in pieces, twice, and broken: the same receipt, and a dossier once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from issuance_backend.dossiers.intake.refusals import (
    IntakeKeyUnavailable,
    IntakeStorageUnavailable,
    PacketChunkRefused,
    PacketContentRefused,
    PacketIncomplete,
    PacketSequenceTaken,
    PacketSignerUnknown,
    PacketTooFarAhead,
    PacketUnknown,
)
from tests.support.packet_centre import VOUCHING, Centre, PlainDossiers
from tests.support.sealed_packets import MOMENT, Kit
from verification.errors import RegistryUnavailable
from verification.messages import enrollment_packet
from verification.messages.enrollment_packet import (
    CHUNK_BYTES,
    FIRST,
    CaptureException,
    Consent,
    SealedPacket,
)
from verification.messages.refusals import PacketAltered, PacketSignatureInvalid

LARGE = {"portrait": b"\xff\xd8" + b"p" * 150_000, "finger_02": b"\xff\xa0" + b"f" * 60_000}


def test_a_packet_comes_in_pieces_and_becomes_a_dossier(centre: Centre, kit: Kit) -> None:
    packet = kit.seal(blobs=LARGE)
    status = centre.intake.desk.announce(packet.metadata)
    assert (status.state, status.size) == ("announced", len(packet.content))
    assert status.missing == tuple(range(0, len(packet.content), CHUNK_BYTES))
    centre.send(packet, status.missing[1:])
    with pytest.raises(PacketIncomplete):
        centre.intake.desk.complete(packet.packet_hash)
    assert centre.intake.desk.announce(packet.metadata).missing == (0,), "announced again, it goes on"
    centre.send(packet, (0,))
    receipt = centre.intake.desk.complete(packet.packet_hash)
    said = centre.receipt(receipt)
    assert (said.packet, said.kit, said.sequence) == (packet.packet_hash, "kit-001", 1)
    assert centre.status(packet).state == "opened"
    assert centre.dossiers.opened == [packet.packet_hash]
    assert centre.recorded(packet) == "opened"


def test_the_same_packet_again_is_the_same_receipt(centre: Centre, kit: Kit) -> None:
    packet = kit.seal()
    first = centre.bring(packet)
    centre.pass_time(3600)
    assert centre.bring(packet) == first
    centre.send(packet, (0,))
    assert centre.intake.desk.complete(packet.packet_hash) == first
    assert centre.status(packet).receipt == first
    assert len(centre.dossiers.opened) == 1
    assert not list((centre.folder / "inbox").glob("*")), "a late chunk of an opened packet is not kept"


def test_completed_by_many_at_once_it_is_one_dossier_and_one_receipt(centre: Centre, kit: Kit) -> None:
    packet = kit.seal(blobs=LARGE)
    centre.send(packet, centre.intake.desk.announce(packet.metadata).missing)
    start = threading.Barrier(6)

    def complete(_number: int) -> str | None:
        desk = centre.again(centre.dossiers).desk
        start.wait()
        try:
            return desk.complete(packet.packet_hash)
        except PacketIncomplete:
            # Whoever comes when the chunks are a dossier already may be told to ask again.
            return None

    with ThreadPoolExecutor(6) as pool:
        receipts = set(pool.map(complete, range(6)))
    assert receipts - {None} == {centre.intake.desk.complete(packet.packet_hash)}
    assert centre.dossiers.opened == [packet.packet_hash]
    assert centre.recorded(packet) == "opened"


@pytest.mark.parametrize("offset", [1, -65536, CHUNK_BYTES * 99, CHUNK_BYTES - 1])
def test_a_chunk_has_its_place(centre: Centre, kit: Kit, offset: int) -> None:
    packet = kit.seal(blobs=LARGE)
    centre.intake.desk.announce(packet.metadata)
    chunk = packet.content[:CHUNK_BYTES]
    with pytest.raises(PacketChunkRefused):
        centre.intake.desk.put_chunk(packet.packet_hash, offset, hashlib.sha256(chunk).digest(), chunk)


def test_a_chunk_is_what_its_digest_says(centre: Centre, kit: Kit) -> None:
    packet = kit.seal(blobs=LARGE)
    centre.intake.desk.announce(packet.metadata)
    chunk = packet.content[:CHUNK_BYTES]
    for digest, content in ((b"", chunk), (hashlib.sha256(b"x").digest(), chunk)):
        with pytest.raises(PacketChunkRefused):
            centre.intake.desk.put_chunk(packet.packet_hash, 0, digest, content)
    with pytest.raises(PacketChunkRefused):
        centre.intake.desk.put_chunk(packet.packet_hash, 0, hashlib.sha256(chunk[:9]).digest(), chunk[:9])
    assert 0 in centre.status(packet).missing


def test_content_that_was_not_signed_is_sent_again(centre: Centre, kit: Kit) -> None:
    """The sender's own copy is broken: each chunk fits its digest, and yet it is not the packet."""
    packet = kit.seal(blobs=LARGE)
    broken = replace(packet, content=packet.content[:-1] + bytes([packet.content[-1] ^ 1]))
    with pytest.raises(PacketAltered):
        centre.bring(broken)
    status = centre.status(packet)
    assert (status.state, status.receipt) == ("announced", None)
    assert len(status.missing) == 4
    centre.receipt(centre.bring(packet))


def test_what_cannot_be_opened_is_refused_for_good(centre: Centre, kit: Kit) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    lost = replace(kit, centre=stranger)
    packet = lost.seal()
    kit.sequence, kit.previous = lost.sequence, lost.previous
    for _ in range(2):
        with pytest.raises(PacketContentRefused):
            centre.bring(packet)
    assert centre.status(packet).code == "PACKET_ALTERED"
    assert centre.recorded(packet) == "refused"
    following = kit.seal()
    centre.bring(following)
    assert centre.status(following).state == "opened", "its number is decided: the kit goes on"


def test_only_registered_keys_of_the_right_kind_and_time(centre: Centre, kit: Kit) -> None:
    unknown = Kit(kit.centre, name="kit-001")
    swapped = replace(kit, officer_key=kit.kit_key, kit_key=kit.officer_key)
    other = replace(kit, officer="mai.capture")
    early = replace(kit)
    for packet in (
        unknown.seal(),
        swapped.seal(),
        other.seal(),
        early.seal(happened_at="2026-11-20T00:00:00Z"),
    ):
        with pytest.raises(PacketSignerUnknown):
            centre.intake.desk.announce(packet.metadata)


def test_only_a_registered_supervisor_co_signs(centre: Centre, kit: Kit) -> None:
    missing = (CaptureException("left_thumb", "AMPUTATED"),)
    claimed = replace(kit).seal(exceptions=missing, supervisor=VOUCHING)
    with pytest.raises(PacketSignerUnknown):
        centre.intake.desk.announce(claimed.metadata)
    centre.register_supervisor(kit)
    for other in ("mai.capture", kit.name):
        with pytest.raises(PacketSignerUnknown):
            centre.intake.desk.announce(replace(kit).seal(supervisor=other).metadata)
    centre.bring(kit.seal(exceptions=missing, supervisor=VOUCHING))
    assert len(centre.dossiers.opened) == 1


def test_metadata_that_were_signed_by_another_are_refused(centre: Centre, kit: Kit) -> None:
    one, two = kit.seal(), kit.seal()
    swapped = one.metadata.replace(
        one.metadata[one.metadata.rindex(b'"signature":"') :],
        two.metadata[two.metadata.rindex(b'"signature":"') :],
    )
    with pytest.raises(PacketSignatureInvalid):
        centre.intake.desk.announce(swapped)
    with pytest.raises(PacketUnknown):
        centre.status(one)


def test_a_number_is_one_packets(centre: Centre, kit: Kit) -> None:
    fork = replace(kit)
    centre.bring(kit.seal())
    second = replace(fork, previous=FIRST).seal(manual_portrait_reason="another")
    with pytest.raises(PacketSequenceTaken):
        centre.bring(second)


def test_numbers_do_not_run_away(centre: Centre, kit: Kit) -> None:
    kit.sequence, kit.previous = 10**6, "ab" * 32
    with pytest.raises(PacketTooFarAhead):
        centre.bring(kit.seal())


def test_a_registry_that_is_down_delays_the_dossier_and_not_the_receipt(centre: Centre, kit: Kit) -> None:
    centre.dossiers.is_up = RegistryUnavailable("down")
    packet = kit.seal()
    centre.receipt(centre.bring(packet))
    assert centre.status(packet).state == "received"
    assert centre.intake.opening.open_waiting() == 0
    centre.dossiers.is_up = None
    assert centre.intake.opening.open_waiting() == 1
    assert centre.recorded(packet) == "opened"
    assert centre.intake.opening.open_waiting() == 0


def test_a_disk_that_fails_acknowledges_nothing(centre: Centre, kit: Kit) -> None:
    packet = kit.seal()
    missing = centre.intake.desk.announce(packet.metadata).missing
    (centre.folder / "inbox").write_text("a file where the folder belongs")
    with pytest.raises(IntakeStorageUnavailable):
        centre.send(packet, missing)


def test_a_chunk_that_was_half_written_is_missing_and_one_that_was_acknowledged_stays(
    centre: Centre, kit: Kit
) -> None:
    """The power went in the middle of writing: what fits its digest is there, and nothing else."""
    packet = kit.seal(blobs=LARGE)
    desk = centre.intake.desk
    last = desk.announce(packet.metadata).missing[-1]
    centre.send(packet, (0, last))
    file = centre.folder / "inbox" / packet.packet_hash
    whole = file.read_bytes()
    for damaged in (
        whole[:-1],
        whole[:-1] + bytes([whole[-1] ^ 1]),
        whole[: CHUNK_BYTES + 32],
    ):
        file.write_bytes(damaged)
        assert desk.status(packet.packet_hash).missing == (CHUNK_BYTES, 2 * CHUNK_BYTES, last)
        with pytest.raises(PacketIncomplete):
            desk.complete(packet.packet_hash)
    other = bytes(CHUNK_BYTES)
    with pytest.raises(PacketChunkRefused):
        desk.put_chunk(packet.packet_hash, 0, hashlib.sha256(other).digest(), other)
    centre.send(packet, (0, CHUNK_BYTES, 2 * CHUNK_BYTES, last))
    centre.receipt(desk.complete(packet.packet_hash))


def test_every_acknowledged_chunk_was_synced_and_so_was_its_files_name(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = kit.seal(blobs=LARGE)
    missing = centre.intake.desk.announce(packet.metadata).missing
    inbox, synced = centre.folder / "inbox", list[str]()
    for name in ("fsync", "fdatasync"):
        original = getattr(os, name)

        def sync(descriptor: int, original: Callable[[int], None] = original) -> None:
            original(descriptor)
            synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

        monkeypatch.setattr(os, name, sync)
    for count, offset in enumerate(missing, start=1):
        centre.send(packet, (offset,))
        assert synced.count(packet.packet_hash) == count
        assert {centre.folder.name, inbox.name} <= set(synced)
    synced.clear()
    centre.intake = centre.again(centre.dossiers)
    centre.send(packet, (0,))
    assert synced == [inbox.name, packet.packet_hash], "another program does not trust that the first one did"


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"is_signed": False}, "PACKET_CITIZEN_SIGNATURE_MISSING"),
        ({"exceptions": (CaptureException("left_thumb", "AMPUTATED"),)}, "PACKET_SUPERVISOR_MISSING"),
        ({"consent": Consent("vi", MOMENT, "cd" * 32)}, "PACKET_CONSENT_INVALID"),
    ],
)
def test_what_a_careless_kit_seals_is_refused_with_its_code(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch, missing: dict[str, Any], code: str
) -> None:
    with monkeypatch.context() as careless:
        for check in ("_require_answered_for", "_require_agreed"):
            careless.setattr(enrollment_packet, check, lambda *_: None)
        packet = kit.seal(**missing)
    with pytest.raises(PacketContentRefused):
        centre.bring(packet)
    assert (centre.recorded(packet), centre.status(packet).code) == ("refused", code)
    assert centre.dossiers.opened == []


def test_chunks_that_a_killed_program_left_are_swept(centre: Centre, kit: Kit) -> None:
    packet, waiting = kit.seal(), kit.seal()
    centre.bring(packet)
    centre.intake.desk.announce(waiting.metadata)
    centre.send(waiting, (0,))
    left = centre.folder / "inbox" / packet.packet_hash
    left.write_bytes(b"left")
    assert centre.intake.opening.sweep() == 1
    assert not left.exists()
    assert 0 not in centre.status(waiting).missing


def test_an_older_key_of_the_centre_still_opens(centre: Centre, kit: Kit) -> None:
    packet = kit.seal()
    make_keys(centre.folder / "keys", "2027-01")
    centre.keys = load_keys(centre.folder / "keys")
    assert len(centre.keys.opening) == 2
    centre.intake = centre.again(centre.dossiers)
    assert centre.intake.desk.key_list().opening != {}
    centre.receipt(centre.bring(packet))
    assert centre.status(packet).state == "opened"
    kit.centre = centre.keys.opening[centre.keys.newest].public_key()
    centre.bring(kit.seal())
    assert len(centre.dossiers.opened) == 2


def test_keys_are_made_once_and_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(IntakeKeyUnavailable):
        load_keys(tmp_path)
    make_keys(tmp_path / "k", "a")
    receipts = (tmp_path / "k" / "receipts.pem").read_bytes()
    make_keys(tmp_path / "k", "b")
    assert (tmp_path / "k" / "receipts.pem").read_bytes() == receipts
    assert (tmp_path / "k" / "opening-a.pem").stat().st_mode & 0o777 == 0o600
    for name in ("a", "../x", ""):
        with pytest.raises(ValueError, match="key"):
            make_keys(tmp_path / "k", name)
    (tmp_path / "k" / "opening-b.pem").write_text("junk")
    with pytest.raises(IntakeKeyUnavailable):
        load_keys(tmp_path / "k")


def test_nobody_opens_what_was_opened(centre: Centre, kit: Kit) -> None:
    packets: list[SealedPacket] = [kit.seal() for _ in range(3)]
    for packet in packets:
        centre.bring(packet)
    other = PlainDossiers()
    assert centre.again(other).opening.open_waiting() == 0
    assert other.opened == []
    assert centre.dossiers.opened == [packet.packet_hash for packet in packets]
