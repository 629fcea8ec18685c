"""One elementary file after another, in blocks the chip and the reader can carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from verification.encoding.tlv import only
from verification.errors import (
    LimitExceeded,
    MalformedDocument,
    SecureMessagingFailed,
    UnexpectedStatusWord,
)
from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    DISCRETIONARY_DATA,
    INS_READ_BINARY_ODD,
    CommandApdu,
    read_binary,
    select_file,
)
from verification.lds.files import LdsFile
from verification.lds.template import MAX_FILE

# An answer of 223 octets fits one frame with secure messaging; the shorter ones are what
# readers and chips in the field were found to fall back to.
_BLOCK_SIZES = (0xDF, 0xA0, 0x70)
_HEADER = 4  # a tag of one octet and a length of up to three
# No chip was found to give less than 112 octets at a time; one that gives them one by one would
# hold the counter for half an hour.
_LEAST_PROGRESS = 64
_SPARE_BLOCKS = 8

# What chips answer to a Le that they or the reader in between cannot carry.
_TOO_LONG = frozenset({status_word.WRONG_LENGTH, status_word.OFFSET_OUTSIDE_FILE, 0x6F00})

_AT_THE_END = frozenset({status_word.SUCCESS, status_word.END_OF_FILE, status_word.OFFSET_OUTSIDE_FILE})


class Progress(NamedTuple):
    """How far a step is, in octets; ``step`` is "access" or the name of a file."""

    step: str
    done: int
    total: int


class FileReader:
    """Reads files whole, and remembers the block size that works."""

    def __init__(
        self,
        channel: Channel,
        max_le: int,
        revive: Callable[[], None],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._channel = channel
        self._sizes = [max_le, *(size for size in _BLOCK_SIZES if size < max_le)]
        self._revive = revive
        self._on_progress = on_progress

    @property
    def block_size(self) -> int:
        """Octets a READ BINARY asks for now."""
        return self._sizes[0]

    def read(self, file: LdsFile) -> bytes:
        """The file with its outer tag and length, exactly as long as these say.

        Raises UnexpectedStatusWord where the chip refuses it, LimitExceeded or
        MalformedDocument for a length that is not believed or not delivered.
        """
        header = self._open(file)
        total = _total_length(file, header)
        content = bytearray(header[:total])
        blocks_left = _SPARE_BLOCKS + total // _LEAST_PROGRESS
        while len(content) < total:
            if not blocks_left:
                raise LimitExceeded(f"{file.name} comes in too many pieces")
            blocks_left -= 1
            self._on_progress(Progress(_step(file), len(content), total))
            content += self._block(file, len(content), total)
        self._on_progress(Progress(_step(file), total, total))
        return bytes(content)

    def _open(self, file: LdsFile) -> bytes:
        # The header alone: asking past the end of a short file ends the session on some chips.
        self._channel.send(select_file(file.file_id))
        header = self._read_block(0, _HEADER)
        if isinstance(header, bytes):
            return header[:_HEADER]
        raise header

    def _block(self, file: LdsFile, offset: int, total: int) -> bytes:
        while True:
            length = min(self.block_size, total - offset)
            refusal = self._read_block(offset, length)
            if isinstance(refusal, bytes):
                return _at_most(refusal, length)
            self._shorten(length, refusal)
            if self._channel.is_session_lost:
                self._revive()
                self._channel.send(select_file(file.file_id))

    def _read_block(self, offset: int, length: int) -> bytes | UnexpectedStatusWord | SecureMessagingFailed:
        """The octets, or what the chip had against this block."""
        command = read_binary(offset, length)
        try:
            data, status = self._channel.exchange(command)
        except SecureMessagingFailed as fault:
            return fault
        if status in (status_word.SUCCESS, status_word.END_OF_FILE) and data:
            return _unwrapped(command, data)
        return UnexpectedStatusWord(command.name, status)

    def _shorten(self, length: int, refusal: UnexpectedStatusWord | SecureMessagingFailed) -> None:
        """Go on with a shorter block, or raise what the chip answered."""
        size_matters = isinstance(refusal, SecureMessagingFailed) or refusal.status_word in _TOO_LONG
        shorter = [size for size in self._sizes if size < length]
        if not size_matters or not shorter:
            if isinstance(refusal, UnexpectedStatusWord) and refusal.status_word in _AT_THE_END:
                raise MalformedDocument("a file ends before its stated length")
            raise refusal
        self._sizes = shorter


def _step(file: LdsFile) -> str:
    return "CardAccess" if file is LdsFile.CARD_ACCESS else file.name


def _total_length(file: LdsFile, header: bytes) -> int:
    """The length that the file's own header states; the chip is believed up to 65,535."""
    if len(header) < 2 or header[0] != file.tag:
        raise MalformedDocument(f"{file.name} does not start with its tag")
    first = header[1]
    if first < 0x80:
        return 2 + first
    octets = first & 0x7F
    if not 1 <= octets <= 2:
        raise LimitExceeded(f"{file.name} states a length of {octets} octets")
    if len(header) < 2 + octets:
        raise MalformedDocument(f"{file.name} ends in its header")
    total = 2 + octets + int.from_bytes(header[2 : 2 + octets], "big")
    if total > MAX_FILE:
        raise LimitExceeded(f"{file.name} claims {total} octets")
    return total


def _at_most(block: bytes, length: int) -> bytes:
    if not 0 < len(block) <= length:
        raise MalformedDocument(f"a block of {len(block)} octets for {length}")
    return block


def _unwrapped(command: CommandApdu, data: bytes) -> bytes:
    """READ BINARY with the odd instruction answers inside a data object 53."""
    return only(data, DISCRETIONARY_DATA) if command.ins == INS_READ_BINARY_ODD else data
