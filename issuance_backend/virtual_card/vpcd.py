"""The card's end of vpcd, the virtual smart card reader's protocol.

A message is a two-byte big-endian length and that many bytes. A body of one byte from the
reader is a control: 0 power off, 1 power on, 2 reset, 4 send the ATR; any other body is a
command APDU. The card answers to the ATR request and to commands only.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Protocol

POWER_OFF = 0
POWER_ON = 1
RESET = 2
SEND_ATR = 4
_CONNECT_SECONDS = 5.0
_RETRY_SECONDS = 0.05


class Chip(Protocol):
    """What can be laid on the reader."""

    @property
    def answer_to_reset(self) -> bytes:
        """The ATR, which does not depend on what happened before."""
        ...

    def power_on(self) -> bytes:
        """Start afresh and return the ATR."""
        ...

    def power_off(self) -> None:
        """Forget everything that is not written on the chip."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU."""
        ...


class ReaderAddressInvalid(ValueError):
    """Neither ``HOST:PORT`` nor ``unix:PATH``."""


def connect(address: str, seconds: float = _CONNECT_SECONDS) -> socket.socket:
    """Open a connection to the reader's slot at ``HOST:PORT`` or behind the door ``unix:PATH``.

    Raises OSError when the slot does not answer within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = _open(address)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def serve(card: Chip, connection: socket.socket) -> None:
    """Be the card in this slot until the reader or the owner closes the connection."""
    try:
        while True:
            message = _receive_message(connection)
            answer = _control(card, message[0]) if len(message) == 1 else card.transmit(message)
            if answer is not None:
                connection.sendall(len(answer).to_bytes(2, "big") + answer)
    except OSError:
        # The slot closed, or the owner took the card off the reader: both end the session.
        return
    finally:
        card.power_off()
        connection.close()


def _control(card: Chip, code: int) -> bytes | None:
    if code == SEND_ATR:
        return card.answer_to_reset
    if code in {POWER_ON, RESET}:
        card.power_on()
    elif code == POWER_OFF:
        card.power_off()
    return None


def _open(address: str) -> socket.socket:
    if address.startswith("unix:"):
        return _through_door(Path(address.removeprefix("unix:")))
    return _by_network(address)


def _by_network(address: str) -> socket.socket:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdecimal():
        raise ReaderAddressInvalid("a reader slot is HOST:PORT or unix:PATH")
    return socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS)


def _through_door(path: Path) -> socket.socket:
    """Receive a socket that is already connected to the slot (monitoring.virtual_reader)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(_CONNECT_SECONDS)
        door.connect(str(path))
        _, descriptors, _, _ = socket.recv_fds(door, 1, 1)
    if descriptors:
        return socket.socket(fileno=descriptors[0])
    raise ConnectionRefusedError("the slot behind the door does not answer")


def _receive_message(connection: socket.socket) -> bytes:
    while True:
        length = int.from_bytes(_receive(connection, 2), "big")
        if length:
            return _receive(connection, length)


def _receive(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        # Debian's vpcd sends length and body apart; a delayed acknowledgement between the two costs
        # 44 ms a command. The kernel forgets the option, so it is set again before every wait.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = connection.recv(length - len(received))
        if not part:
            raise ConnectionResetError("the slot was closed")
        received += part
    return bytes(received)
