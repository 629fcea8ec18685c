"""A card of files alone, with the habits by which real cards differ in READ BINARY.

It speaks no cryptography: ``PlainSession`` stands where secure messaging stands, so that a test can
see what a card does to a session without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.algorithms import AES

from verification.encoding.tlv import build, only
from verification.errors import SecureMessagingFailed
from verification.iso7816.block_cipher import AesCmac, CbcCipher
from verification.iso7816.command import (
    DISCRETIONARY_DATA,
    INS_GET_CHALLENGE,
    INS_GET_RESPONSE,
    INS_READ_BINARY,
    INS_READ_BINARY_ODD,
    INS_SELECT,
    OFFSET_DATA_OBJECT,
    CommandApdu,
)
from verification.iso7816.secure_messaging import SecureMessaging
from verification.lds.files import LdsFile

SHORT = 256


class PlainSession(SecureMessaging):
    """Commands and answers go through unprotected; the card can end it."""

    def __init__(self) -> None:
        super().__init__(CbcCipher(AES(bytes(16))), AesCmac(bytes(16)), 0)

    def protect(self, command: CommandApdu) -> bytes:
        if not self.is_alive:
            raise SecureMessagingFailed("the session is over")
        return command.encode()

    def unprotect(self, response: bytes) -> tuple[bytes, int]:
        return response[:-2], int.from_bytes(response[-2:], "big")

    def _vector(self, counter: bytes) -> bytes:
        raise AssertionError("nothing is encrypted here")


@dataclass(frozen=True)
class Habits:
    """What a card can and does; the defaults are those of the most capable one.

    ``too_long`` is the answer to a Le above ``longest``: a status word, or None for as much as it can
    carry, or "pieces" for 61xx and GET RESPONSE. ``past_the_end`` is the answer to a Le beyond the end
    of the file: None for what there is. ``ends_session`` are the status words that end the session.
    """

    extended: bool = True
    longest: int = 65_536
    too_long: int | str | None = None
    past_the_end: int | None = None
    warns_at_the_end: bool = True
    short_identifiers: bool = True
    identifier_selects: bool = True
    ends_session: frozenset[int] = frozenset()


@dataclass
class PlainCard:
    """The next command is answered as the habits say; ``refused`` are the status words given so far."""

    files: dict[LdsFile, bytes]
    habits: Habits = field(default_factory=Habits)
    session: PlainSession | None = None
    commands: int = 0
    refused: list[int] = field(default_factory=list)
    _selected: LdsFile | None = None
    _rest: bytes = b""

    def transmit(self, command: bytes) -> bytes:
        self.commands += 1
        answer = self._answer(command)
        status = int.from_bytes(answer[-2:], "big")
        if status not in (0x9000, 0x6282) and status >> 8 != 0x61:
            self.refused.append(status)
        if status in self.habits.ends_session and self.session is not None:
            self.session.is_alive = False
            self._selected = None
        return answer

    def _answer(self, encoded: bytes) -> bytes:
        if len(encoded) > 5 and encoded[4] == 0 and not self.habits.extended:
            return b"\x67\x00"
        command = CommandApdu.parse(encoded)
        answers = {
            INS_SELECT: self._select,
            INS_READ_BINARY: self._read,
            INS_READ_BINARY_ODD: self._read_far,
            INS_GET_RESPONSE: self._give_rest,
            INS_GET_CHALLENGE: lambda _: bytes(8) + b"\x90\x00",
        }
        return answers[command.ins](command)

    def _select(self, command: CommandApdu) -> bytes:
        found = [file for file in self.files if file.file_id == command.data]
        self._selected = found[0] if found else None
        return b"\x90\x00" if found else b"\x6a\x82"

    def _read(self, command: CommandApdu) -> bytes:
        if not command.p1 & 0x80:
            return self._octets(command.p1 << 8 | command.p2, command.expected or 0)
        if not self.habits.short_identifiers:
            return b"\x6a\x86"
        found = [file for file in self.files if file.file_id[1] == command.p1 & 0x1F]
        if not found:
            return b"\x6a\x82"
        selected, self._selected = self._selected, found[0]
        answer = self._octets(command.p2, command.expected or 0)
        if not self.habits.identifier_selects:
            self._selected = selected
        return answer

    def _read_far(self, command: CommandApdu) -> bytes:
        offset = int.from_bytes(only(command.data, OFFSET_DATA_OBJECT), "big")
        header = 2 if command.expected < 130 else 3 if command.expected < 259 else 4
        answer = self._octets(offset, command.expected - header)
        return build(DISCRETIONARY_DATA, answer[:-2]) + answer[-2:] if len(answer) > 2 else answer

    def _octets(self, offset: int, wanted: int) -> bytes:
        if self._selected is None:
            return b"\x69\x86"
        content = self.files[self._selected]
        if wanted > self.habits.longest and isinstance(self.habits.too_long, int):
            return self.habits.too_long.to_bytes(2, "big")
        if offset + wanted > len(content) and self.habits.past_the_end is not None:
            status = self.habits.past_the_end
            return (status | (len(content) - offset) & 0xFF if status == 0x6C00 else status).to_bytes(
                2, "big"
            )
        data = content[offset : offset + wanted]
        if self.habits.too_long == "pieces" and len(data) > self.habits.longest:
            self._rest = data
            return self._give_rest(CommandApdu(0, INS_GET_RESPONSE, 0, 0, expected=self.habits.longest))
        data = data[: self.habits.longest]
        warns = self.habits.warns_at_the_end and offset + wanted > len(content)
        return data + (b"\x62\x82" if warns else b"\x90\x00")

    def _give_rest(self, command: CommandApdu) -> bytes:
        given = self._rest[: min(command.expected or 0, self.habits.longest)]
        self._rest = self._rest[len(given) :]
        left = min(len(self._rest), self.habits.longest, 0xFF)
        return given + (bytes((0x61, left)) if self._rest else b"\x90\x00")
