"""A software card that can leave, fall silent or answer something else at any command."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from issuance_backend.virtual_card import vpcd
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard

Answer = Callable[[int, bytes, bytes], bytes]
"""From the command's number, the command and the chip's answer to what is answered instead."""


class WatchedCard:
    """A chip that counts its commands. It leaves inside command ``leaves_at``, or answers none from
    ``silent_at`` on; ``answers`` may alter what it says."""

    def __init__(
        self,
        image: CardImage,
        *,
        leaves_at: int | None = None,
        silent_at: int | None = None,
        answers: Answer = lambda _number, _command, answer: answer,
    ) -> None:
        self._chip = VirtualCard(image)
        self._leaves_at = leaves_at
        self._silent_at = silent_at
        self._answers = answers
        self.commands = 0
        self.reached = threading.Event()
        self.removed = threading.Event()

    @property
    def answer_to_reset(self) -> bytes:
        return self._chip.answer_to_reset

    def leave_in(self, command: int) -> None:
        """Count from here, and leave inside that command."""
        self.commands, self._leaves_at = 0, command

    def power_on(self) -> bytes:
        return self._chip.power_on()

    def power_off(self) -> None:
        self._chip.power_off()

    def transmit(self, command: bytes) -> bytes:
        number = self.commands
        self.commands += 1
        if number == self._leaves_at:
            self.reached.set()
            raise ConnectionResetError
        if self._silent_at is not None and number >= self._silent_at:
            self.reached.set()
            self.removed.wait()
            raise ConnectionResetError
        return self._answers(number, command, self._chip.transmit(command))


class LaidCard:
    """A card in the slot at ``address``; leaving the block takes it off, also while it is silent."""

    def __init__(self, address: str, card: WatchedCard) -> None:
        self._address = address
        self.card = card

    def __enter__(self) -> Self:
        self._connection = vpcd.connect(self._address)
        self._thread = threading.Thread(target=vpcd.serve, args=(self.card, self._connection), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.take_off()

    def take_off(self) -> None:
        self.card.removed.set()
        if self._thread.is_alive():
            with suppress(OSError):  # it may have left by itself
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
