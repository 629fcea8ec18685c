"""The files on the chip and who may read them (ICAO 9303-10, 3; ISO/IEC 7816-4, 7 and 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from issuance_backend.virtual_card.icc_commands import (
    SW_DATA_INCORRECT,
    SW_END_OF_FILE,
    SW_FILE_NOT_FOUND,
    SW_NO_CURRENT_FILE,
    SW_OFFSET_OUTSIDE_FILE,
    SW_OK,
    SW_OTHER_LENGTH,
    SW_PARAMETERS_INCORRECT,
    SW_SECURITY_STATUS_NOT_SATISFIED,
    SW_WRONG_LENGTH,
    Answer,
    Command,
    CommandRefused,
    data_objects,
)
from issuance_backend.virtual_card.quirks import Quirks
from verification.encoding.tlv import INTEGER, OBJECT_IDENTIFIER, Tlv, build, children
from verification.errors import MalformedDocument
from verification.lds.files import LdsFile

APPLICATION = bytes.fromhex("A0000002471001")
_MASTER_FILE = b"\x3f\x00"
_OF_MASTER_FILE = frozenset({LdsFile.CARD_ACCESS, LdsFile.CARD_SECURITY})
_SHORT_IDENTIFIER = 0x80
# What fits into one answer of vpcd with its protection around it.
_LONGEST_ANSWER = 0xFF00
_OFFSET_OBJECT = 0x54
_DATA_OBJECT = 0x53


class SecurityInfo(NamedTuple):
    """One SecurityInfo of EF.CardAccess or DG14: protocol, and the data objects after it."""

    protocol: bytes
    parameters: tuple[Tlv, ...]

    def number(self, position: int) -> int | None:
        """Return the INTEGER at ``position`` after the protocol."""
        if position >= len(self.parameters) or self.parameters[position].tag != INTEGER:
            return None
        return int.from_bytes(self.parameters[position].value, "big")


def security_infos(encoded: bytes | None, file: LdsFile) -> Iterator[SecurityInfo]:
    """Read the chip's own SecurityInfos; a file that is none gives none."""
    try:
        outer = children(encoded or b"")
        if file is LdsFile.DG14 and outer:
            outer = children(outer[0].value)
        for entry in children(outer[0].value) if outer else ():
            protocol, *parameters = children(entry.value)
            if protocol.tag == OBJECT_IDENTIFIER:
                yield SecurityInfo(protocol.value, tuple(parameters))
    except (MalformedDocument, ValueError):
        return


class FileSystem:
    """The selection and the reading of files; forgets the selection at every reset.

    ``may_read`` says of a file that is there whether it is open now.
    """

    def __init__(
        self,
        files: Mapping[LdsFile, bytes],
        may_read: Callable[[LdsFile], bool],
        *,
        selects_master_file: bool,
        quirks: Quirks,
    ) -> None:
        self._files = dict(files)
        self._may_read = may_read
        self._selects_master_file = selects_master_file
        self._quirks = quirks
        self.in_application = False
        self._current: LdsFile | None = None

    def reset(self) -> None:
        """Stand in the master file with nothing selected."""
        self.in_application = False
        self._current = None

    def write(self, file: LdsFile, content: bytes) -> None:
        """Give a file a new content: the chip itself, never a reader."""
        self._files[file] = content

    def select(self, command: Command) -> Answer:
        """SELECT the master file, the application or an elementary file."""
        if command.p2 & 0xF3:
            raise CommandRefused(SW_PARAMETERS_INCORRECT)
        match command.p1:
            case 0x00:
                self._select_master_file(command.data)
            case 0x02:
                self._current = self._permitted(command.data)
            case 0x04:
                self._select_application(command.data)
            case _:
                raise CommandRefused(SW_PARAMETERS_INCORRECT)
        return Answer()

    def read(self, command: Command) -> Answer:
        """READ BINARY with an offset in P1 and P2, or with a short identifier in P1."""
        if command.data:
            raise CommandRefused(SW_WRONG_LENGTH)
        offset = command.parameters
        if command.p1 & _SHORT_IDENTIFIER:
            if command.p1 & 0x60:
                raise CommandRefused(SW_PARAMETERS_INCORRECT)
            offset = command.p2
            self._current = self._permitted(bytes((0x01, command.p1 & 0x1F)))
        return self._read_current(offset, command.expected, command)

    def read_far(self, command: Command) -> Answer:
        """READ BINARY of odd instruction, for offsets above 32,767: the offset is a data object."""
        if command.parameters:
            self._current = self._permitted(command.parameters.to_bytes(2, "big"))
        parts = data_objects(command.data)
        if len(parts) != 1 or parts[0].tag != _OFFSET_OBJECT or not parts[0].value:
            raise CommandRefused(SW_DATA_INCORRECT)
        offset, wanted = int.from_bytes(parts[0].value, "big"), _inside_data_object(command.expected)
        answer = self._read_current(offset, wanted, command)
        return answer._replace(data=build(_DATA_OBJECT, answer.data))

    def _select_master_file(self, data: bytes) -> None:
        if not self._selects_master_file:
            raise CommandRefused(self._quirks.master_file_status)
        if data not in {b"", _MASTER_FILE}:
            raise CommandRefused(SW_FILE_NOT_FOUND)
        self.reset()

    def _select_application(self, identifier: bytes) -> None:
        if identifier != APPLICATION:
            raise CommandRefused(SW_FILE_NOT_FOUND)
        self.in_application = True
        self._current = None

    def _permitted(self, file_id: bytes) -> LdsFile:
        """Return the file; raises CommandRefused: 6A82 where there is none, 6982 where it is closed."""
        if len(file_id) != 2:
            raise CommandRefused(SW_WRONG_LENGTH)
        for file in self._files:
            # Two identifiers mean one file in the master file and another in the application.
            if file.file_id == file_id and (file in _OF_MASTER_FILE) is not self.in_application:
                self._require_open(file)
                return file
        raise CommandRefused(SW_FILE_NOT_FOUND)

    def _require_open(self, file: LdsFile) -> None:
        if not self._may_read(file):
            raise CommandRefused(SW_SECURITY_STATUS_NOT_SATISFIED)

    def _read_current(self, offset: int, wanted: int, command: Command) -> Answer:
        if self._current is None:
            raise CommandRefused(SW_NO_CURRENT_FILE)
        # The session may have ended since the file was selected.
        self._require_open(self._current)
        content = self._files[self._current]
        if wanted <= 0:
            raise CommandRefused(SW_WRONG_LENGTH)
        if offset >= len(content):
            raise CommandRefused(SW_OFFSET_OUTSIDE_FILE)
        block, status_word = self._block(wanted, len(content) - offset)
        data = content[offset : offset + min(block, _LONGEST_ANSWER)]
        cut_short = offset + wanted > len(content) and not command.takes_what_there_is
        return Answer(data, SW_END_OF_FILE if cut_short else status_word)

    def _block(self, wanted: int, left: int) -> tuple[int, int]:
        """How many octets the chip gives of those asked for, and what it says of it."""
        largest = self._quirks.largest_block
        if largest is None or min(wanted, left) <= largest:
            return wanted, SW_OK
        status_word = self._quirks.beyond_block
        if status_word == SW_OTHER_LENGTH:
            raise CommandRefused(SW_OTHER_LENGTH | largest & 0xFF)
        if status_word not in {SW_OK, SW_END_OF_FILE}:
            raise CommandRefused(status_word)
        return largest, status_word


def _inside_data_object(expected: int) -> int:
    """How many octets a data object 53 may hold so that it has ``expected`` with its header."""
    for header, most in ((2, 0x7F), (3, 0xFF)):
        if expected - header <= most:
            return expected - header
    return max(expected - 4, 0xFF)
