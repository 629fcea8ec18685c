"""A virtual reader without PC/SC: the reader's end of the vpcd protocol on the loopback interface.

For machines where pcscd cannot run. The card connects to us; a message is a two-byte big-endian
length and that many bytes, a body of one byte is a control.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import time

from verification.errors import (
    CardCommunication,
    CardNotPresent,
    CardRemoved,
    CardUnresponsive,
    LimitExceeded,
    ReaderBusy,
    ReaderNotFound,
)

ANSWER_SECONDS = 5.0
_POWER_OFF = b"\x00"
_POWER_ON = b"\x01"
_SEND_ATR = b"\x04"
_MAX_MESSAGE = 0xFFFF


class VpcdListener:
    """One slot; the card that is connected to it lies on the reader."""

    def __init__(self, host: str, port: int, answer_seconds: float = ANSWER_SECONDS) -> None:
        _require_loopback(host)
        self._answer_seconds = answer_seconds
        self._card: socket.socket | None = None
        self._current: VpcdTransport | None = None
        try:
            self._listener = socket.create_server((host, port))
        except OSError as fault:
            raise ReaderBusy(f"cannot listen for cards: {fault.strerror}") from None
        self._host = host

    @property
    def port(self) -> int:
        """Where the card connects to."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def name(self) -> str:
        """``vpcd:HOST:PORT``."""
        return f"vpcd:{self._host}:{self.port}"

    def is_card_present(self) -> bool:
        """Whether a card is connected."""
        return self.wait_for_card(0)

    def wait_for_card(self, timeout: float) -> bool:
        """Return True as soon as a card is connected, False after ``timeout`` seconds."""
        if self._card is not None and not _is_open(self._card):
            self._card.close()
            self._card = None
        if self._card is None and _is_readable(self._listener, timeout):
            self._card, _ = self._listener.accept()
            self._card.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._card is not None

    def connect(self) -> VpcdTransport:
        """Power the card for one owner: an earlier session here is closed.

        Raises CardNotPresent, CardRemoved or CardUnresponsive.
        """
        if self._current is not None:
            self._current.close()
        if not self.wait_for_card(0) or self._card is None:
            raise CardNotPresent("no card on the reader")
        self._current = VpcdTransport(self._card, self._answer_seconds)
        self._current.power_on()
        return self._current

    def close(self) -> None:
        """Stop listening; a connected card falls off the reader."""
        if self._card is not None:
            self._card.close()
        self._listener.close()


class VpcdTransport:
    """A connected card."""

    def __init__(self, card: socket.socket, answer_seconds: float) -> None:
        self._card = card
        self._answer_seconds = answer_seconds
        self._closed = False

    def power_on(self) -> bytes:
        """Start the card afresh and return its ATR."""
        self._send(_POWER_ON)
        self._send(_SEND_ATR)
        return self._receive_message()

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU.

        Raises CardRemoved, or CardUnresponsive when the card does not answer in time.
        """
        if self._closed:
            raise CardRemoved("the session is closed")
        self._send(command)
        response = self._receive_message()
        if len(response) < 2:
            self._card.close()
            raise CardRemoved("no status word")
        return response

    def close(self) -> None:
        """Power the card off; it stays on the reader until it leaves by itself."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(CardCommunication):
                self._send(_POWER_OFF)

    def _send(self, body: bytes) -> None:
        if len(body) > _MAX_MESSAGE:
            raise LimitExceeded("a command longer than the reader can carry")
        try:
            self._card.settimeout(self._answer_seconds)
            self._card.sendall(len(body).to_bytes(2, "big") + body)
        except OSError:
            self._card.close()
            raise CardRemoved("the card left") from None

    def _receive_message(self) -> bytes:
        deadline = time.monotonic() + self._answer_seconds
        length = int.from_bytes(self._receive(2, deadline), "big")
        return self._receive(length, deadline)

    def _receive(self, length: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < length:
            # What comes after a late answer cannot be told from the answer to the next command:
            # a card that was late is not spoken to again.
            try:
                self._card.settimeout(max(deadline - time.monotonic(), 0.001))
                part = self._card.recv(length - len(received))
            except TimeoutError:
                self._card.close()
                raise CardUnresponsive("no answer in time") from None
            except OSError:
                part = b""
            if not part:
                self._card.close()
                raise CardRemoved("the card left")
            received += part
        return bytes(received)


def _require_loopback(host: str) -> None:
    """Whoever can connect can lay a card on the reader: only this machine may."""
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return
    raise ReaderNotFound("a virtual reader listens on a loopback address only")


def _is_open(connection: socket.socket) -> bool:
    """Whether the peer is there; a card never speaks first, so anything readable is its farewell."""
    return connection.fileno() >= 0 and not _is_readable(connection, 0)


def _is_readable(connection: socket.socket, timeout: float) -> bool:
    readable, _, _ = select.select([connection], [], [], max(timeout, 0))
    return bool(readable)
