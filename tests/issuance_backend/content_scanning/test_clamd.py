"""A scanner is asked as clamd is, and nothing but its word that nothing was found lets a content through."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuance_backend.content_scanning.clamd import PIECE_BYTES, ClamdScanner, tcp_socket, unix_socket
from issuance_backend.content_scanning.domain import UNSCANNED
from issuance_backend.content_scanning.place import scanner_at
from issuance_backend.content_scanning.refusals import (
    ContentInfected,
    ContentNotScanned,
    ContentScannerUnavailable,
)
from monitoring import metrics
from monitoring.environment import ConfigurationFault
from tests.support.malware_scanner import MALWARE, MOST, Clamd, free_port, running_clamd, scripted_clamd

CLEAN, FOUND = b"stream: OK\0", b"stream: Win.Test.EICAR_HDB-1 FOUND\0"


@pytest.fixture(scope="module")
def clamd() -> Iterator[Clamd]:
    with running_clamd() as started:
        yield started


def counted(result: str) -> float:
    return float(metrics.CONTENT_SCANS.labels(result)._value.get())


# -- the real one


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_the_real_clamd_finds_what_it_knows_wherever_it_stands(clamd: Clamd, way: str) -> None:
    scanner = scanner_at(clamd.address if way == "unix" else f"tcp:127.0.0.1:{clamd.port}")
    assert scanner.answers()
    before = counted("clean"), counted("infected")
    scanner.require_clean([b"\xff\xd8 a picture", b"", bytes(3 * PIECE_BYTES)])
    for content in (MALWARE, b"\xff\xd8" + bytes(PIECE_BYTES - 30) + MALWARE + bytes(PIECE_BYTES)):
        with pytest.raises(ContentInfected):
            scanner.require_clean([b"good", content])
    assert (counted("clean"), counted("infected")) == (before[0] + 4, before[1] + 2)


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_what_is_longer_than_the_real_clamd_takes_is_not_let_through(clamd: Clamd, way: str) -> None:
    connect = unix_socket(clamd.path) if way == "unix" else tcp_socket("127.0.0.1", clamd.port)
    ClamdScanner(connect).require_clean([bytes(MOST)])
    with pytest.raises(ContentNotScanned):
        ClamdScanner(connect).require_clean([bytes(MOST + PIECE_BYTES)])


# -- broken ones


@pytest.mark.parametrize(
    "answer",
    [
        b"stream: OK",
        b"stream: OK ERROR\0",
        b"stream: ok\0",
        b"OK\0",
        b"PONG\0",
        b"\0",
        b"stream: Can't allocate memory ERROR\0",
        b"stream: OK\nstream: X FOUND\0",
        b"stream: \xff\xfe\0",
        b"x" * 5000,
        b"stream: " + b"x" * 5000 + b" FOUND\0",
    ],
)
def test_an_answer_that_is_none_lets_nothing_through(tmp_path: Path, answer: bytes) -> None:
    before = counted("clean")
    with scripted_clamd(tmp_path, [answer]) as scanner, pytest.raises(ContentScannerUnavailable):
        scanner.require_clean([b"content"])
    assert counted("clean") == before


def test_the_words_that_count(tmp_path: Path) -> None:
    with scripted_clamd(tmp_path, [CLEAN, FOUND, CLEAN + b"stream: X FOUND\0"]) as scanner:
        scanner.require_clean([b"content"])
        with pytest.raises(ContentInfected):
            scanner.require_clean([b"content"])
        scanner.require_clean([b"content"])


def test_a_scanner_that_says_nothing_is_waited_for_no_longer_than_its_time(tmp_path: Path) -> None:
    with scripted_clamd(tmp_path, [b""]) as scanner:
        began = time.monotonic()
        with pytest.raises(ContentScannerUnavailable):
            scanner.require_clean([b"content"])
        assert 0.4 < time.monotonic() - began < 3


def test_a_scanner_that_reads_nothing_is_not_waited_for_either(tmp_path: Path) -> None:
    silent = scripted_clamd(tmp_path, [b""], reads=False)
    with silent as scanner, pytest.raises(ContentScannerUnavailable):
        scanner.require_clean([bytes(4 * 1024 * 1024)])


def test_a_scanner_that_is_not_there(tmp_path: Path) -> None:
    before = counted("unavailable")
    for connect in (unix_socket(tmp_path / "nothing"), tcp_socket("127.0.0.1", free_port())):
        assert not ClamdScanner(connect).answers()
        with pytest.raises(ContentScannerUnavailable):
            ClamdScanner(connect).require_clean([b"content"])
    assert counted("unavailable") == before + 2


def test_each_content_is_sent_in_pieces_under_their_lengths() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    sent = bytes(range(256)) * 300
    with theirs:
        theirs.sendall(CLEAN)
        ClamdScanner(lambda _: ours).require_clean([sent])
        received = b""
        while piece := theirs.recv(1 << 20):
            received += piece
    command, rest, content = received[:10], received[10:], b""
    while (length := int.from_bytes(rest[:4], "big")) > 0:
        assert length <= PIECE_BYTES
        content, rest = content + rest[4 : 4 + length], rest[4 + length :]
    assert (command, content, rest) == (b"zINSTREAM\0", sent, bytes(4))


# -- the setting


def test_no_scanner_is_named_as_such() -> None:
    assert scanner_at("none") is UNSCANNED
    UNSCANNED.require_clean([MALWARE])


@pytest.mark.parametrize(
    "place",
    ["", "unix:", "unix:clamd", "tcp:", "tcp:host", "tcp:host:0", "tcp:host:70000", "tcp::3310", "no"],
)
def test_a_setting_that_names_no_scanner_stops_the_program(place: str) -> None:
    with pytest.raises(ConfigurationFault, match="CONTENT_SCANNER: unix"):
        scanner_at(place)
