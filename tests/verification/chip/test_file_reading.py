"""Files from cards of every habit: whole, in few commands, and what was found out is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.chip_card import filled
from tests.support.plain_card import Habits, PlainCard, PlainSession
from verification.chip.card_types import CardLimits
from verification.chip.file_reading import LARGEST_BLOCK, FilePlace, FileReader, Progress
from verification.errors import (
    LimitExceeded,
    MalformedDocument,
    SecureMessagingFailed,
    UnexpectedStatusWord,
)
from verification.iso7816.channel import Channel
from verification.lds.files import LdsFile

FILES = {
    LdsFile.CARD_ACCESS: filled(LdsFile.CARD_ACCESS, 80),
    LdsFile.COM: filled(LdsFile.COM, 24),
    LdsFile.DG1: filled(LdsFile.DG1, 93),
    LdsFile.SOD: filled(LdsFile.SOD, 1900),
    LdsFile.DG2: filled(LdsFile.DG2, 18_000),
    LdsFile.DG3: filled(LdsFile.DG3, 36_000),
}
APPLICATION = [file for file in FILES if file is not LdsFile.CARD_ACCESS]
CAPABLE = Habits()


class Reading:
    """A file reader before a card of these habits, with a session that can be opened again."""

    def __init__(self, habits: Habits = CAPABLE, max_le: int = LARGEST_BLOCK) -> None:
        self.card = PlainCard(dict(FILES), habits)
        self.channel = Channel(self.card)
        self.revivals = 0
        self.progress: list[Progress] = []
        self.reader = FileReader(self.channel, max_le, self._revive, self.progress.append)

    def open(self) -> bytes:
        """EF.CardAccess in plain, then a session."""
        card_access = self.reader.read_card_access()
        self._secure()
        return card_access

    def commands_for(self, file: LdsFile) -> int:
        before = self.channel.apdu_count
        assert self.reader.read(file) == FILES[file]
        return self.channel.apdu_count - before

    def _secure(self) -> None:
        self.card.session = PlainSession()
        self.channel.secure(self.card.session)

    def _revive(self) -> None:
        self.revivals += 1
        self._secure()


HABITS = {
    "capable": CAPABLE,
    "no warning at the end": Habits(warns_at_the_end=False),
    "no extended length": Habits(extended=False),
    "no short identifiers": Habits(short_identifiers=False),
    "no short identifiers, no extended length": Habits(short_identifiers=False, extended=False),
    "identifier does not select": Habits(identifier_selects=False),
    "gives 300 at most": Habits(longest=300),
    "gives 160 at most": Habits(extended=False, longest=160),
    "6700 above 1500": Habits(longest=1500, too_long=0x6700, ends_session=frozenset({0x6700})),
    "6700 above 160": Habits(extended=False, longest=160, too_long=0x6700, ends_session=frozenset({0x6700})),
    "6B00 above 112": Habits(extended=False, longest=112, too_long=0x6B00, ends_session=frozenset({0x6B00})),
    "6CC8": Habits(extended=False, longest=200, too_long=0x6CC8),
    "6CC8 and the session ends": Habits(
        extended=False, longest=200, too_long=0x6CC8, ends_session=frozenset({0x6CC8})
    ),
    "61xx": Habits(extended=False, longest=120, too_long="pieces"),
    "61xx with extended length": Habits(longest=256, too_long="pieces"),
    "6B00 past the end": Habits(past_the_end=0x6B00, ends_session=frozenset({0x6B00})),
    "6700 past the end": Habits(past_the_end=0x6700, ends_session=frozenset({0x6700})),
    "6C past the end": Habits(past_the_end=0x6C00),
    "reader answers extended length itself": Habits(
        longest=256, too_long=0x6400, ends_session=frozenset({0x6400})
    ),
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS.keys())
def test_every_file_of_every_card_comes_whole(habits: Habits) -> None:
    reading = Reading(habits)
    assert reading.open() == FILES[LdsFile.CARD_ACCESS]
    for file in APPLICATION:
        assert reading.reader.read(file) == FILES[file]
    # A size that is refused once is not asked for again.
    assert len(reading.card.refused) <= 8
    assert reading.revivals <= 4


@pytest.mark.parametrize(
    ("habits", "commands"),
    [
        (HABITS["capable"], 5),
        (HABITS["gives 300 at most"], 62),
        (HABITS["6700 above 1500"], 20),
        (HABITS["no extended length"], 82),
        (HABITS["no short identifiers, no extended length"], 83),
        (HABITS["6CC8"], 93),
    ],
)
def test_a_portrait_of_18_kb_takes_few_commands(habits: Habits, commands: int) -> None:
    """At most 30 with extended length and at most 100 without, for a card that carries what it says."""
    reading = Reading(habits)
    reading.open()
    reading.reader.read(LdsFile.SOD)
    assert reading.commands_for(LdsFile.DG2) <= commands


def test_small_files_take_one_command_of_a_card_that_gives_what_there_is() -> None:
    reading = Reading()
    reading.open()
    assert [reading.commands_for(file) for file in (LdsFile.COM, LdsFile.DG1, LdsFile.SOD)] == [1, 1, 1]


def test_the_length_of_a_file_is_asked_for_first_where_asking_past_its_end_is_refused() -> None:
    reading = Reading(HABITS["6B00 past the end"])
    reading.open()
    assert [reading.commands_for(file) for file in (LdsFile.COM, LdsFile.DG1)] == [2, 2]
    assert reading.revivals == 0


def test_a_card_that_ends_only_a_session_for_asking_past_the_end_is_asked_so_once() -> None:
    reading = Reading()
    reading.open()
    reading.card.habits = HABITS["6B00 past the end"]
    assert reading.reader.read(LdsFile.COM) == FILES[LdsFile.COM]
    assert reading.revivals == 1
    assert reading.commands_for(LdsFile.DG1) == 2
    assert reading.revivals == 1


def test_extended_length_is_tried_in_plain_and_costs_no_session() -> None:
    reading = Reading(replace(HABITS["no extended length"], ends_session=frozenset({0x6700})))
    reading.open()
    assert reading.card.refused == [0x6700, 0x6700]
    assert not reading.channel.extended_length
    for file in APPLICATION:
        reading.reader.read(file)
    assert reading.revivals == 0


def test_extended_length_is_tried_with_a_challenge_where_there_is_no_card_access() -> None:
    for extended in (True, False):
        reading = Reading(Habits(extended=extended))
        reading.reader.try_extended_length()
        assert reading.channel.extended_length is extended
        reading._secure()
        assert (reading.commands_for(LdsFile.DG2) < 10) is extended
        assert reading.revivals == 0


def test_a_card_without_card_access_is_told_from_one_that_hides_it_from_short_identifiers() -> None:
    reading = Reading()
    del reading.card.files[LdsFile.CARD_ACCESS]
    with pytest.raises(UnexpectedStatusWord) as refusal:
        reading.reader.read_card_access()
    assert refusal.value.status_word == 0x6A82
    hidden = Reading(Habits(short_identifiers=False))
    assert hidden.open() == FILES[LdsFile.CARD_ACCESS]
    assert hidden.channel.extended_length


def test_what_was_found_out_is_where_the_next_card_of_the_type_begins() -> None:
    habits = HABITS["6700 above 160"]
    first = Reading(habits)
    first.open()
    first.reader.read(LdsFile.DG2)
    assert (first.reader.limits, first.revivals) == (CardLimits(0xA0, past_the_end=False), 1)
    second = Reading(habits)
    second.reader.read_card_access()
    second.reader.keep_within(first.reader.limits)
    second._secure()
    second.reader.read(LdsFile.DG2)
    assert second.revivals == 0


def test_a_length_that_a_card_names_is_kept() -> None:
    reading = Reading(HABITS["6CC8 and the session ends"])
    reading.open()
    reading.reader.read(LdsFile.SOD)
    assert reading.reader.limits.block_size == 0xC8
    assert reading.revivals == 1


def test_limits_of_the_type_never_ask_for_more() -> None:
    reading = Reading(max_le=0xDF)
    reading.reader.keep_within(CardLimits(4096, past_the_end=True))
    assert reading.reader.limits == CardLimits(0xDF, past_the_end=False)


def test_an_answer_in_pieces_is_given_up_for_one_that_comes_at_once() -> None:
    reading = Reading(HABITS["61xx"])
    reading.open()
    reading.reader.read(LdsFile.SOD)
    assert reading.reader.limits.block_size == 0x70
    assert reading.commands_for(LdsFile.DG1) == 1


def test_a_file_is_selected_where_its_short_identifier_only_shows_it() -> None:
    reading = Reading(HABITS["identifier does not select"])
    reading.open()
    for file in (LdsFile.COM, LdsFile.SOD, LdsFile.DG2):
        assert reading.reader.read(file) == FILES[file]
    assert reading.card.refused.count(0x6986) <= 1


@pytest.mark.parametrize("status", [0x6982, 0x6985, 0x6A82])
def test_a_file_that_is_not_given_is_asked_for_once(status: int) -> None:
    reading = Reading()
    reading.open()
    reading.reader.read(LdsFile.COM)
    reading.card.habits = Habits(longest=0, too_long=status)
    before = reading.channel.apdu_count
    with pytest.raises(UnexpectedStatusWord) as refusal:
        reading.reader.read(LdsFile.DG3)
    assert (refusal.value.status_word, reading.channel.apdu_count - before) == (status, 1)


def test_a_card_that_refuses_every_length_is_given_up() -> None:
    reading = Reading()
    reading.open()
    reading.card.habits = Habits(longest=4, too_long=0x6700, ends_session=frozenset({0x6700}))
    with pytest.raises(UnexpectedStatusWord):
        reading.reader.read(LdsFile.DG2)
    assert reading.revivals <= 6


def test_a_card_that_gives_crumbs_is_given_up() -> None:
    reading = Reading()
    reading.open()
    reading.card.habits = Habits(longest=4)
    with pytest.raises(LimitExceeded):
        reading.reader.read(LdsFile.DG2)
    assert reading.card.commands < 300


def test_a_file_without_a_template_is_read_as_far_as_it_goes() -> None:
    reading = Reading()
    reading.open()
    del reading.card.files[LdsFile.CARD_ACCESS]  # the same identifier, but in the master file
    place = FilePlace.of(LdsFile.CVCA)
    for content in (b"\x42\x0eDETESTCVCA00001".ljust(36, b"\x00"), b"\x42\x0eDETESTCVCA00001"):
        reading.card.files[LdsFile.CVCA] = content
        assert reading.reader.read_start(place, 36) == content
    assert reading.reader.read_start(FilePlace(b"\x01\x1c", None), 36) == content
    reading.card.files[LdsFile.CVCA] = b""
    with pytest.raises(UnexpectedStatusWord):
        reading.reader.read_start(place, 36)
    with pytest.raises(UnexpectedStatusWord):
        reading.reader.read_start(FilePlace(b"\x2f\x00", None), 36)
    assert reading.commands_for(LdsFile.COM) == 1


@pytest.mark.parametrize("first", [b"", b"\x31", b"\x42\x0e", b"\x31\x83\x01\x00\x00"])
def test_a_card_access_that_is_none_is_refused(first: bytes) -> None:
    reading = Reading()
    reading.card.files[LdsFile.CARD_ACCESS] = first
    with pytest.raises((MalformedDocument, UnexpectedStatusWord)):
        reading.reader.read_card_access()


def test_a_session_that_cannot_be_opened_again_ends_the_reading() -> None:
    reading = Reading()
    reading.open()
    assert reading.card.session is not None
    reading.card.session.is_alive = False
    reader = FileReader(reading.channel, 0x70, lambda: None, reading.progress.append)
    with pytest.raises(SecureMessagingFailed):
        reader.read(LdsFile.DG2)
