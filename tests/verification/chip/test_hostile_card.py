"""Cards that want to keep the counter busy, or to make it fall over: given up soon, by our own error."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.virtual_card.icc_commands import Answer, Command
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, MRZ_INFORMATION, Interposed, filled, image
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import AccessResult, DocumentReader, ReadPolicy
from verification.encoding.tlv import build, only
from verification.errors import (
    CardUnresponsive,
    LimitExceeded,
    MalformedDocument,
    SecureMessagingFailed,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.iso7816.command import DISCRETIONARY_DATA, INS_READ_BINARY_ODD
from verification.lds.files import LdsFile

LONG = filled(LdsFile.DG2, 60_000)


class Chip(VirtualCard):
    """Speaks every protocol well, and answers READ BINARY as ``answers`` says."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers
        super().__init__(image(files={LdsFile.DG2: LONG}))

    def _read(self, command: Command) -> Answer:
        return self.answers(self, command, super()._read(command))

    def _read_far(self, command: Command) -> Answer:
        wrapped = super()._read_far(command)
        changed = self.answers(self, command, wrapped._replace(data=only(wrapped.data, DISCRETIONARY_DATA)))
        return Answer(build(DISCRETIONARY_DATA, changed.data), changed.status_word)


def opened(card: Any, **policy: Any) -> DocumentReader:
    reader = DocumentReader(card, os.urandom, policy=ReadPolicy(files=(LdsFile.DG2,), **policy))
    reader.open(Can(CAN))
    return reader


def only_portrait(change: Any) -> Any:
    """Leaves the start of every file alone, and so EF.CardAccess too."""

    def answers(chip: Chip, command: Command, answer: Answer) -> Answer:
        starts = command.ins != INS_READ_BINARY_ODD and (command.p1 & 0x80 or not command.parameters)
        return answer if starts or len(answer.data) < 64 else change(answer)

    return answers


def test_a_file_in_crumbs_is_given_up() -> None:
    reader = opened(Chip(only_portrait(lambda answer: Answer(answer.data[:1]))))
    with pytest.raises(LimitExceeded):
        reader.read_files()
    assert reader.channel.apdu_count < 1_100


def test_blocks_as_short_as_cards_give_them_are_taken() -> None:
    reader = opened(Chip(only_portrait(lambda answer: Answer(answer.data[:0x70]))))
    assert reader.read_files()[LdsFile.DG2] == LONG


@pytest.mark.parametrize("more", [1, 4, 30])
def test_a_block_longer_than_asked_for_is_refused(more: int) -> None:
    reader = opened(Chip(only_portrait(lambda answer: Answer(answer.data + bytes(more)))))
    with pytest.raises(MalformedDocument):
        reader.read_files()


def test_a_far_block_longer_than_asked_for_is_refused() -> None:
    """The header of data object 53 is inside Ne: a card that does not count it gives too much."""

    def answers(chip: Chip, command: Command, answer: Answer) -> Answer:
        return Answer(answer.data + bytes(3)) if command.ins == INS_READ_BINARY_ODD else answer

    with pytest.raises(MalformedDocument):
        opened(Chip(answers)).read_files()


def test_a_wrong_length_for_ever_is_not_believed_twice() -> None:
    def answers(chip: Chip, command: Command, answer: Answer) -> Answer:
        return Answer(b"", 0x6C10) if chip._session and command.expected > 4 else answer

    reader = opened(Chip(answers))
    with pytest.raises(UnexpectedStatusWord):
        reader.read_files()
    assert reader.channel.apdu_count < 40


def test_a_right_length_that_is_more_than_asked_for_is_refused() -> None:
    def answers(chip: Chip, command: Command, answer: Answer) -> Answer:
        return Answer(b"", 0x6C00) if 64 < command.expected < 256 else answer

    with pytest.raises(MalformedDocument):
        opened(Chip(answers), max_le=0xDF).read_files()


def test_a_session_dropped_at_every_block_ends_the_reading() -> None:
    card = VirtualCard(image(files={LdsFile.DG2: LONG}))

    def drop(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] & 0x0C and len(answer) > 90:
            card.power_off()
            return b"\x67\x00"
        return answer

    reader = opened(Interposed(card, drop))
    with pytest.raises((UnexpectedStatusWord, SecureMessagingFailed)):
        reader.read_files()
    assert reader.channel.apdu_count < 120


def test_a_session_dropped_after_every_block_is_given_up() -> None:
    """Every file is given in the end, with a new opening for each block: too many commands."""
    card = VirtualCard(image(files={LdsFile.DG2: LONG}))
    blocks = []

    def drop(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] & 0x0C and len(answer) > 90:
            blocks.append(answer)
            if len(blocks) % 2:
                card.power_off()
                return b"\x69\x88"
        return answer

    reader = opened(Interposed(card, drop))
    with pytest.raises(VerificationError):
        reader.read_files()
    assert reader.channel.apdu_count < 200


@pytest.mark.parametrize("status", [b"\x61\x00", b"\x61\x01", b"\x6c\x00", b"\x90\x00", b"\x63\xc3"])
@pytest.mark.parametrize("octets", [0, 1, 254])
def test_a_card_that_always_answers_the_same(status: bytes, octets: int) -> None:
    class Stubborn:
        def transmit(self, command: bytes) -> bytes:
            return bytes(octets) + status

    for secret in (Can(CAN), MrzKey(MRZ_INFORMATION)):
        reader = DocumentReader(Stubborn(), os.urandom, policy=ReadPolicy(allow_bac_fallback=True))
        with pytest.raises(VerificationError):
            reader.open(secret)
        assert reader.channel.apdu_count < 800


def test_answers_without_end_are_given_up() -> None:
    class Endless:
        def transmit(self, command: bytes) -> bytes:
            return bytes(256) + b"\x61\x00"

    with pytest.raises(CardUnresponsive):
        DocumentReader(Endless(), os.urandom).open(Can(CAN))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_answers_at_all_end_in_our_own_error(data: st.DataObject) -> None:
    """At any place of the traffic the card goes over to answers of its own invention."""
    start = data.draw(st.integers(0, 30))
    invented = data.draw(st.lists(st.binary(max_size=40), min_size=1, max_size=8))
    status = st.sampled_from([b"\x90\x00", b"\x61\x08", b"\x6c\x04", b"\x62\x82", b"\x69\x88", b""])
    ends = data.draw(st.lists(status, min_size=len(invented), max_size=len(invented)))

    def alter(index: int, _: bytes, answer: bytes) -> bytes:
        if index < start:
            return answer
        choice = index % len(invented)
        return invented[choice] + ends[choice]

    reader = DocumentReader(Interposed(VirtualCard(image()), alter), os.urandom)
    try:
        reader.open(Can(CAN))
        files = reader.read_files()
    except VerificationError:
        pass  # any other exception fails the test
    else:
        # Only what a protected answer proved becomes a file after access.
        assert files.items() <= image().files.items()
    assert reader.channel.apdu_count < 3_000


def test_a_session_reopened_with_bac_says_so() -> None:
    """The second opening counts as much as the first: PACE may have been talked away in between."""
    card = VirtualCard(image(files={LdsFile.DG2: LONG}))
    state = {"pace": True, "dropped": False}

    def interfere(index: int, command: bytes, answer: bytes) -> bytes:
        if not state["pace"] and command[1] == 0x86:
            card.power_off()
            return b"\x6a\x80"
        if command[0] & 0x0C and len(answer) > 200 and not state["dropped"]:
            state.update(pace=False, dropped=True)
            card.power_off()
            return b"\x67\x00"
        return answer

    reader = DocumentReader(
        Interposed(card, interfere),
        os.urandom,
        policy=ReadPolicy(files=(LdsFile.DG2,), allow_bac_fallback=True),
    )
    assert reader.open(MrzKey(MRZ_INFORMATION)) == AccessResult("PACE-GM", downgraded=False)
    assert reader.read_files()[LdsFile.DG2] == LONG
    assert reader.access == AccessResult("BAC", downgraded=True)
