"""The ceremony's log: whatever is changed in it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import Process
from pathlib import Path

import pytest

from issuance_backend.csca.ceremony_log import FOUNDED, OPENED, SEALED, CeremonyLog, _hash, _line
from issuance_backend.refusals import IssuingRecordsBroken
from tests.support import pki

CSCA = pki.quick_issuer().csca
FOREIGN = pki.rogue(pki.P256).csca


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ceremony.log"


@pytest.fixture
def log(path: Path) -> CeremonyLog:
    """A founding ceremony and one session after it, both sealed."""
    log = CeremonyLog(path)
    log.append(pki.CEREMONY, FOUNDED, custodians=["lan", "minh"])
    log.append(pki.CEREMONY, "certificate issued", file="csca.der", sha256="00" * 32)
    log.seal(pki.CEREMONY, CSCA)
    log.append(pki.SIGNED, OPENED, custodians=["hoa", "lan"])
    log.append(pki.SIGNED, "revocation list issued", file="csca.crl", number=2)
    log.seal(pki.SIGNED, CSCA)
    return log


def verified(log: CeremonyLog) -> tuple[int, int]:
    findings = log.verify([CSCA.certificate])
    return findings.lines, findings.sealed


def chained_anew(entries: list[dict[str, object]]) -> bytes:
    """What somebody without the CSCA's key can write: every hash right, no seal made."""
    previous, lines = "0" * 64, []
    for number, entry in enumerate(entries, 1):
        entry.update(sequence=number, previous=previous)
        previous = entry["hash"] = _hash(entry)
        lines.append(_line(entry) + b"\n")
    return b"".join(lines)


def entries_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_intact_log_is_verified(log: CeremonyLog) -> None:
    assert verified(log) == (6, 6)


def test_what_comes_after_the_last_seal_is_told_apart(log: CeremonyLog) -> None:
    log.append(pki.NOW, "master list issued", file="masterlist.ml")
    assert verified(log) == (7, 6)


def test_every_byte_changed_once_is_refused(log: CeremonyLog, path: Path) -> None:
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes((content[position] ^ 1,)) + content[position + 1 :])
        with pytest.raises(IssuingRecordsBroken):
            log.verify([CSCA.certificate])


@pytest.mark.parametrize("number", range(6))
def test_a_line_that_is_missing_doubled_or_moved_is_refused(
    log: CeremonyLog, path: Path, number: int
) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    moved = [*lines[:number], *lines[number + 1 :], lines[number]]
    for altered in (
        [*lines[:number], *lines[number + 1 :]] if number < 5 else lines[:2],
        [*lines[: number + 1], *lines[number:]],
        moved if number < 5 else lines[::-1],
    ):
        path.write_bytes(b"".join(altered))
        with pytest.raises(IssuingRecordsBroken):
            log.verify([CSCA.certificate])


def test_a_line_that_was_cut_off_is_refused(log: CeremonyLog, path: Path) -> None:
    content = path.read_bytes()
    for kept in (1, 40, len(content) - 1):
        path.write_bytes(content[:kept])
        with pytest.raises(IssuingRecordsBroken):
            log.append(pki.NOW, "event")


def rewritten(path: Path) -> Iterator[bytes]:
    """Forgeries with every hash right: what was issued is hidden or another."""
    changed = entries_of(path)
    changed[1]["sha256"] = "11" * 32
    yield chained_anew(changed)
    removed = entries_of(path)
    del removed[1]
    yield chained_anew(removed)
    yield chained_anew([entry for entry in entries_of(path) if entry["event"] != SEALED])
    without_first_seal = entries_of(path)
    del without_first_seal[2]
    yield chained_anew(without_first_seal)
    yield chained_anew([{"event": FOUNDED, "at": "2026-01-01"}])


def test_a_chain_written_anew_lacks_the_seals_of_the_csca(log: CeremonyLog, path: Path) -> None:
    forgeries = list(rewritten(path))
    assert len(forgeries) == 5
    for forgery in forgeries:
        path.write_bytes(forgery)
        with pytest.raises(IssuingRecordsBroken, match="seal"):
            log.verify([CSCA.certificate])


def test_the_seal_of_another_csca_does_not_count(log: CeremonyLog) -> None:
    log.seal(pki.NOW, FOREIGN)
    with pytest.raises(IssuingRecordsBroken, match="another CSCA"):
        log.verify([CSCA.certificate])
    assert log.verify([CSCA.certificate, FOREIGN.certificate]).lines == 7


def test_an_older_log_lacks_the_head_that_was_written_down(log: CeremonyLog, path: Path) -> None:
    earlier = path.read_bytes()
    earlier_head = log.verify([CSCA.certificate]).head
    log.append(pki.NOW, OPENED)
    log.seal(pki.NOW, CSCA)
    head = log.verify([CSCA.certificate]).head
    assert log.verify([CSCA.certificate], earlier_head).head == head
    path.write_bytes(earlier)
    with pytest.raises(IssuingRecordsBroken, match="written down"):
        log.verify([CSCA.certificate], head)


def test_a_session_that_crashed_is_known(log: CeremonyLog) -> None:
    assert not log.has_unsealed_session()
    log.append(pki.NOW, "master list issued")
    assert not log.has_unsealed_session()
    log.append(pki.NOW, OPENED)
    assert log.has_unsealed_session()
    assert verified(log) == (8, 6)


def test_what_is_not_json_or_not_ours_is_our_own_error(log: CeremonyLog, path: Path) -> None:
    good = path.read_bytes()
    for line in (b"\n", b"[]\n", b"{}\n", b'"x"\n', b"\xff\n", b"[" * 100_000 + b"\n", b'{"a":NaN}\n'):
        path.write_bytes(good + line)
        with pytest.raises(IssuingRecordsBroken):
            log.entries()


def append_many(path: Path, count: int) -> None:
    log = CeremonyLog(path)
    for number in range(count):
        log.append(pki.NOW + timedelta(seconds=number), "event")


def test_processes_do_not_break_each_others_lines(log: CeremonyLog, path: Path) -> None:
    writers = [Process(target=append_many, args=(path, 25)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert verified(log) == (106, 6)
