"""The one way bytes reach a card."""

from __future__ import annotations

from typing import Protocol


class CardTransport(Protocol):
    """A connected card: a PC/SC reader, a virtual reader's socket, or a test's scripted card."""

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU and return the response APDU, status word included.

        Raises CardRemoved, CardUnresponsive, ReaderUnplugged or another CardCommunication.
        """
        ...
