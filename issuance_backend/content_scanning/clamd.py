"""A scanner that is clamd (ClamAV): its command INSTREAM over a socket, as ``man clamd`` describes it.

Each content is one connection, sent in pieces under their lengths, so that clamd stops reading where its own
limit is. Whatever it answers but a finding or that nothing was found lets nothing through.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from issuance_backend.content_scanning.refusals import (
    ContentInfected,
    ContentNotScanned,
    ContentScannerUnavailable,
)
from monitoring import metrics

SCAN_SECONDS = 10.0
"""How long one content may take; clamd itself gives up on a file after two minutes."""

PING_SECONDS = 2.0
PIECE_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 1024

_LENGTH_BYTES = 4
_CLEAN = b"stream: OK"
_FOUND = re.compile(rb"stream: [^\0\r\n]+ FOUND")
_TOO_LONG = b"INSTREAM size limit exceeded. ERROR"

Connect = Callable[[float], socket.socket]
"""A new connection to clamd, made within these seconds; raises OSError."""


class ClamdScanner:
    """One clamd, at a socket."""

    def __init__(self, connect: Connect, seconds: float = SCAN_SECONDS) -> None:
        self._connect = connect
        self._seconds = seconds

    def require_clean(self, contents: Iterable[bytes]) -> None:
        """Ask for each content; raises ContentInfected, ContentNotScanned and ContentScannerUnavailable."""
        for content in contents:
            if content:
                _judge(self._asked(content))

    def answers(self) -> bool:
        """Whether clamd answers a ping."""
        try:
            with self._link(PING_SECONDS) as link:
                link.send(b"zPING\0")
                return link.answer() == b"PONG"
        except ContentScannerUnavailable:
            return False

    def _asked(self, content: bytes) -> bytes:
        try:
            with self._link(self._seconds) as link:
                link.stream(content)
                return link.answer()
        except ContentScannerUnavailable:
            metrics.CONTENT_SCANS.labels("unavailable").inc()
            raise

    @contextmanager
    def _link(self, seconds: float) -> Iterator[_Link]:
        until = time.monotonic() + seconds
        try:
            with self._connect(seconds) as opened:
                yield _Link(opened, until)
        except OSError as fault:
            raise ContentScannerUnavailable(type(fault).__name__) from None


class _Link:
    """One connection, all of whose calls end at one moment."""

    def __init__(self, opened: socket.socket, until: float) -> None:
        self._opened = opened
        self._until = until

    def send(self, content: bytes) -> None:
        self._opened.settimeout(self._left())
        self._opened.sendall(content)

    def stream(self, content: bytes) -> None:
        """Send a content in pieces; where clamd stops reading, its answer says why."""
        try:
            self.send(b"zINSTREAM\0")
            for begin in range(0, len(content), PIECE_BYTES):
                piece = content[begin : begin + PIECE_BYTES]
                self.send(len(piece).to_bytes(_LENGTH_BYTES, "big") + piece)
            self.send(bytes(_LENGTH_BYTES))
        except (BrokenPipeError, ConnectionResetError):
            return

    def answer(self) -> bytes:
        """One answer up to the zero byte that ends it; raises ContentScannerUnavailable for anything else."""
        received = b""
        while b"\0" not in received:
            self._opened.settimeout(self._left())
            more = self._opened.recv(MAX_ANSWER_BYTES)
            received += more
            if not more or len(received) > MAX_ANSWER_BYTES:
                raise ContentScannerUnavailable("no whole answer")
        return received.partition(b"\0")[0]

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def unix_socket(path: Path) -> Connect:
    """Connect to clamd on this machine."""

    def connect(seconds: float) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.settimeout(seconds)
            opened.connect(str(path))
        except OSError:
            opened.close()
            raise
        return opened

    return connect


def tcp_socket(host: str, port: int) -> Connect:
    """Connect to clamd on another machine of the same closed network: it asks nobody who they are."""
    return lambda seconds: socket.create_connection((host, port), seconds)


def _judge(answer: bytes) -> None:
    if answer == _CLEAN:
        metrics.CONTENT_SCANS.labels("clean").inc()
        return
    if _FOUND.fullmatch(answer):
        metrics.CONTENT_SCANS.labels("infected").inc()
        raise ContentInfected("a scanner knows it")
    if answer == _TOO_LONG:
        metrics.CONTENT_SCANS.labels("not_scanned").inc()
        raise ContentNotScanned("longer than the scanner takes")
    metrics.CONTENT_SCANS.labels("unavailable").inc()
    raise ContentScannerUnavailable("an answer that is none")
