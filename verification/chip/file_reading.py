"""One elementary file after another, in blocks the chip and the reader can carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from verification.chip.card_types import CardLimits
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
    SHORT_MAX_EXPECTED,
    CommandApdu,
    get_challenge,
    read_binary,
    read_binary_of,
    select_file,
)
from verification.lds.files import LdsFile
from verification.lds.template import MAX_FILE

LARGEST_BLOCK = 4096
"""From here on a longer block saves less than the chip's own work on one command."""

# Extended length first. An answer of 223 octets is the longest that a short one holds with secure
# messaging around it; the shorter ones are what chips and readers in the field fall back to.
_LONGEST_SHORT = 0xDF
_BLOCK_SIZES = (LARGEST_BLOCK, 1024, _LONGEST_SHORT, 0xA0, 0x70)
_HEADER = 4  # a tag of one octet and a length of up to three
# No chip was found to give less than 112 octets at a time; one that gives them one by one would
# hold the counter for half an hour.
_LEAST_PROGRESS = 64
_SPARE_BLOCKS = 8
_CHALLENGE = 8

# What chips answer to a Le that they or the reader in between cannot carry.
_TOO_LONG = frozenset({status_word.WRONG_LENGTH, status_word.OFFSET_OUTSIDE_FILE, 0x6F00})

_AT_THE_END = frozenset({status_word.SUCCESS, status_word.END_OF_FILE, status_word.OFFSET_OUTSIDE_FILE})
_IN_MASTER_FILE = frozenset({LdsFile.CARD_ACCESS, LdsFile.CARD_SECURITY})
# About the file, not about what was asked of it.
_NOT_GIVEN = status_word.CLOSED | {status_word.FILE_NOT_FOUND}

_Refusal = UnexpectedStatusWord | SecureMessagingFailed


class Progress(NamedTuple):
    """How far a step is, in octets; ``step`` is "access" or the name of a file."""

    step: str
    done: int
    total: int


class FilePlace(NamedTuple):
    """Where a file is: its identifiers, and whether these are of the application."""

    file_id: bytes
    short_identifier: int | None
    in_application: bool = True

    @classmethod
    def of(cls, file: LdsFile) -> FilePlace:
        """The place of a file of ICAO 9303-10: the short identifier ends the long one."""
        return cls(file.file_id, file.file_id[1], file not in _IN_MASTER_FILE)


class FileReader:
    """Reads files whole, and finds out what the card carries: remembers it from file to file.

    ``revive`` opens the chip again after it dropped the session.
    """

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
        self._asks_past_the_end = False
        # Whether files of the application open by short identifier; None until one was tried.
        self._opens_by_identifier: bool | None = None

    @property
    def limits(self) -> CardLimits:
        """What the card was found to carry so far."""
        return CardLimits(self._block_size, self._asks_past_the_end)

    def keep_within(self, limits: CardLimits) -> None:
        """Begin with what other cards of this type were found to carry."""
        self._shorten_to(min(limits.block_size, self._sizes[0]))
        self._asks_past_the_end &= limits.past_the_end

    def read(self, file: LdsFile) -> bytes:
        """The file with its outer tag and length, exactly as long as these say.

        Raises UnexpectedStatusWord where the chip refuses it, LimitExceeded or
        MalformedDocument for a length that is not believed or not delivered.
        """
        return self._whole(file, self._start(file))

    def read_card_access(self) -> bytes:
        """EF.CardAccess in plain, where a length that the card cannot carry costs no session.

        So extended length is tried here, and whether the card gives what there is when it is
        asked for more. Raises as ``read`` does.
        """
        file = LdsFile.CARD_ACCESS
        start = self._try_lengths(lambda length: read_binary_of(file.file_id[1], length))
        if start is None:
            self._channel.send(select_file(file.file_id))
            start = self._try_lengths(lambda length: read_binary(0, length))
        if start is None:
            start = self._delivered(self._read_block(read_binary(0, _HEADER)), _HEADER)
        return self._whole(file, start)

    def read_start(self, place: FilePlace, length: int) -> bytes:
        """A file without a template around it: what the chip gives of its first ``length`` octets.

        Raises UnexpectedStatusWord where the chip refuses it.
        """
        return self._delivered(self._read_start(place, length), length)

    def try_extended_length(self) -> None:
        """For a chip without EF.CardAccess: a challenge in the extended form costs nothing before BAC."""
        if self._sizes[0] > SHORT_MAX_EXPECTED:
            self._channel.try_extended_length(get_challenge(_CHALLENGE))

    # -- the start of a file ----------------------------------------------------------------

    def _try_lengths(self, read: Callable[[int], CommandApdu]) -> bytes | None:
        """The start of EF.CardAccess with the longest Le that is answered; None where none is."""
        for length in [size for size in self._sizes if size >= _LONGEST_SHORT] or self._sizes[:1]:
            commands = self._channel.apdu_count
            start = self._read_block(read(length))
            # In the application the same identifier means EF.CVCA.
            if isinstance(start, bytes) and start[0] == LdsFile.CARD_ACCESS.tag:
                is_answered_at_once = self._channel.apdu_count == commands + 1
                self._channel.extended_length = length > SHORT_MAX_EXPECTED and is_answered_at_once
                self._asks_past_the_end = len(start) < length and is_answered_at_once
                if self._channel.extended_length:
                    self._shorten_to(length)
                return _at_most(start, length)
            if not isinstance(start, bytes) and _is_not_given(start):
                return None
        return None

    def _start(self, file: LdsFile) -> bytes:
        """The first octets: a whole block where the card gives what there is, else the header alone."""
        length = self._block_size
        if self._asks_past_the_end:
            start = self._read_start(FilePlace.of(file), length)
            if isinstance(start, bytes) or _is_not_given(start):
                return self._delivered(start, length)
            # Some chips answer so to whoever asks past the end of a file, and end the session with it.
            self._asks_past_the_end = False
            self._revive_if_lost()
        return self.read_start(FilePlace.of(file), _HEADER)

    def _read_start(self, place: FilePlace, length: int) -> bytes | _Refusal:
        if self._opens_by_identifier is not False and place.short_identifier is not None:
            start = self._read_block(read_binary_of(place.short_identifier, length))
            if isinstance(start, bytes):
                self._note_identifiers(place, work=True)
            if isinstance(start, bytes) or self._opens_by_identifier:
                return start
            if self._channel.is_session_lost and length > _HEADER:
                return start  # to ask for less is tried before another way
            self._revive_if_lost()
        # Selecting tells whether the file is refused or only the short identifier.
        refusal = self._select(place)
        start = refusal or self._read_block(read_binary(0, length))
        if place.short_identifier is not None and not isinstance(start, UnexpectedStatusWord):
            self._note_identifiers(place, work=False)
        return start

    def _select(self, place: FilePlace) -> _Refusal | None:
        """None where the chip selected the file, else what it had against that."""
        try:
            self._channel.send(select_file(place.file_id))
        except (UnexpectedStatusWord, SecureMessagingFailed) as refusal:
            return refusal
        return None

    def _note_identifiers(self, place: FilePlace, *, work: bool) -> None:
        # The master file and the application need not agree in this.
        if place.in_application:
            self._opens_by_identifier = work

    # -- the rest of it ---------------------------------------------------------------------

    def _whole(self, file: LdsFile, start: bytes) -> bytes:
        total = _total_length(file, start)
        content = bytearray(start[:total])
        blocks_left = _SPARE_BLOCKS + total // _LEAST_PROGRESS
        while len(content) < total:
            if not blocks_left:
                raise LimitExceeded(f"{file.name} comes in too many pieces")
            blocks_left -= 1
            self._on_progress(Progress(_step(file), len(content), total))
            content += self._block(file, len(content), total)
        self._on_progress(Progress(_step(file), total, total))
        return bytes(content)

    def _block(self, file: LdsFile, offset: int, total: int) -> bytes:
        is_refused = False
        while True:
            length = min(self._block_size, total - offset)
            commands = self._channel.apdu_count
            block = self._read_block(read_binary(offset, length))
            if isinstance(block, bytes):
                self._note_pieces(len(block), length, self._channel.apdu_count - commands)
                return _at_most(block, length)
            if self._has_lost_the_file(block):
                self._channel.send(select_file(file.file_id))
                continue
            # Some chips end the session with a refusal and do not tell before the next command.
            if not is_refused or not self._channel.is_session_lost:
                self._shorten(length, block)
            is_refused = not self._channel.is_session_lost
            if not is_refused:
                self._revive()
                self._channel.send(select_file(file.file_id))

    def _has_lost_the_file(self, refusal: _Refusal) -> bool:
        """Whether the chip opened the file by its short identifier and did not select it by that."""
        is_lost = (
            isinstance(refusal, UnexpectedStatusWord) and refusal.status_word == status_word.NO_CURRENT_FILE
        )
        if not is_lost or not self._opens_by_identifier:
            return False
        self._opens_by_identifier = False
        return True

    def _read_block(self, command: CommandApdu) -> bytes | _Refusal:
        """The octets, or what the chip had against this block."""
        try:
            data, status = self._channel.exchange(command)
        except SecureMessagingFailed as fault:
            return fault
        if status in (status_word.SUCCESS, status_word.END_OF_FILE) and data:
            return _unwrapped(command, data)
        return UnexpectedStatusWord(command.name, status)

    # -- what the card carries --------------------------------------------------------------

    @property
    def _block_size(self) -> int:
        """Octets a READ BINARY asks for now."""
        extended = self._channel.extended_length
        return next((size for size in self._sizes if extended or size <= SHORT_MAX_EXPECTED), self._sizes[-1])

    def _shorten_to(self, size: int) -> None:
        self._sizes = [size, *(shorter for shorter in self._sizes if shorter < size)]

    def _shorten(self, length: int, refusal: _Refusal) -> None:
        """Go on with a shorter block, or raise what the chip answered."""
        right = _right_length(refusal)
        shorter = next((size for size in self._sizes if size < length), None)
        if _is_about_length(refusal, length) and _LEAST_PROGRESS <= right < length:
            self._shorten_to(right)
        elif _is_about_length(refusal, length) and shorter is not None:
            self._shorten_to(shorter)
        elif isinstance(refusal, UnexpectedStatusWord) and refusal.status_word in _AT_THE_END:
            raise MalformedDocument("a file ends before its stated length")
        else:
            raise refusal

    def _note_pieces(self, given: int, length: int, commands: int) -> None:
        """A block for which 61xx or 6Cxx took further commands is no better than one that comes at once."""
        if commands == 1 or length < self._block_size:
            return
        shorter = next((size for size in self._sizes if size < length), length)
        self._shorten_to(given if _LEAST_PROGRESS <= given < length else shorter)

    def _revive_if_lost(self) -> None:
        if self._channel.is_session_lost:
            self._revive()

    def _delivered(self, answer: bytes | _Refusal, length: int) -> bytes:
        if isinstance(answer, bytes):
            return _at_most(answer, length)
        raise answer


def _step(file: LdsFile) -> str:
    return "CardAccess" if file is LdsFile.CARD_ACCESS else file.name


def _is_not_given(refusal: _Refusal) -> bool:
    """Whether the chip has no such file, or keeps it closed."""
    return isinstance(refusal, UnexpectedStatusWord) and refusal.status_word in _NOT_GIVEN


def _is_about_length(refusal: _Refusal, length: int) -> bool:
    if isinstance(refusal, SecureMessagingFailed):
        return True
    status = refusal.status_word
    if status in _TOO_LONG or status_word.wrong_expected_length(status):
        return True
    # Readers that cannot carry extended length answer it themselves, each in its own way.
    return length > SHORT_MAX_EXPECTED and status not in _AT_THE_END | _NOT_GIVEN


def _right_length(refusal: _Refusal) -> int:
    """The Le that 6Cxx names; 0 where the chip names none."""
    if isinstance(refusal, UnexpectedStatusWord) and status_word.wrong_expected_length(refusal.status_word):
        return refusal.status_word & 0xFF
    return 0


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
