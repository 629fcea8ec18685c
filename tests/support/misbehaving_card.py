"""A card in a virtual slot that answers every command with the same bytes, until it is told to misbehave."""

from __future__ import annotations

import socket
import threading
from typing import Literal

from issuance_backend.virtual_card import vpcd

ANSWER = bytes(range(200)) + b"\x90\x00"
Mood = Literal["good", "leaves", "silent", "one_byte", "no_byte"]


class MisbehavingCard:
    """Inserted by its constructor; ``remove`` takes it off the reader, also while it is silent."""

    answer_to_reset = bytes.fromhex("3B888001000000000000000009")

    def __init__(self, address: str) -> None:
        self.mood: Mood = "good"
        self.powered = 0
        self.unpowered = 0
        self._removed = threading.Event()
        self._connection = vpcd.connect(address)
        self._thread = threading.Thread(target=vpcd.serve, args=(self, self._connection), daemon=True)
        self._thread.start()

    def power_on(self) -> bytes:
        self.powered += 1
        return self.answer_to_reset

    def power_off(self) -> None:
        self.unpowered += 1

    def transmit(self, command: bytes) -> bytes:
        if self.mood == "leaves":
            raise ConnectionResetError
        if self.mood == "silent":
            self._removed.wait()
        return {"one_byte": b"\x90", "no_byte": b""}.get(self.mood, ANSWER)

    def remove(self) -> None:
        self._removed.set()
        if self._thread.is_alive():
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
        self._thread.join(2)
