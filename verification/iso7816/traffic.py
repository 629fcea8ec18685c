"""What may be written down about the traffic with a card: sizes, instructions, status words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from verification.iso7816.transport import CardTransport


class Exchange(NamedTuple):
    """One command and its answer without any of their content."""

    instruction: int
    is_protected: bool
    command_length: int
    response_length: int
    status_word: int


class ObservedTransport:
    """A transport that reports each exchange, redacted, to ``record``."""

    def __init__(self, transport: CardTransport, record: Callable[[Exchange], None]) -> None:
        self._transport = transport
        self._record = record

    def transmit(self, command: bytes) -> bytes:
        """Pass a command on; a fault of the transport passes unchanged and unrecorded."""
        response = self._transport.transmit(command)
        self._record(
            Exchange(
                instruction=command[1] if len(command) > 1 else 0,
                is_protected=bool(command[:1]) and command[0] & 0x0C == 0x0C,
                command_length=len(command),
                response_length=len(response),
                status_word=int.from_bytes(response[-2:], "big"),
            )
        )
        return response
