"""Every way a card or reader can fail under PC/SC, over the real pcscd."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from smartcard import scard  # type: ignore[import-untyped]

from monitoring.virtual_reader import VirtualReader
from reader_agent.transports import pcsc
from reader_agent.transports.open_reader import open_reader
from tests.support.machine import lacks
from tests.support.misbehaving_card import ANSWER, MisbehavingCard
from tests.support.stopwatch import within
from tests.support.virtual_reader_bed import bed, card_process
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.errors import (
    CardNotPresent,
    CardRemoved,
    CardUnresponsive,
    ReaderBusy,
    ReaderNotFound,
    ReaderUnplugged,
)

pytestmark = pytest.mark.needs_pcscd

COMMAND = bytes.fromhex("00B00000C8")
# pcscd looks at a slot every 0.4 s.
POLLED = 0.6


@pytest.fixture(scope="module")
def stack() -> Iterator[VirtualReader]:
    reason = VirtualReader.available()
    if reason is not None:
        lacks(reason)
    with bed() as running:
        yield running


@pytest.fixture
def reader(stack: VirtualReader) -> pcsc.PcscReader:
    return pcsc.PcscReader(pcsc.list_readers()[0], answer_seconds=0.5)


@pytest.fixture
def insert(stack: VirtualReader, reader: pcsc.PcscReader) -> Iterator[Callable[[], MisbehavingCard]]:
    inserted: list[MisbehavingCard] = []

    def put() -> MisbehavingCard:
        card = MisbehavingCard(f"unix:{stack.door(0)}")
        inserted.append(card)
        assert reader.wait_for_card(5)
        return card

    yield put
    for card in inserted:
        card.remove()
    wait_until_empty(reader)


def wait_until_empty(reader: pcsc.PcscReader) -> None:
    deadline = time.monotonic() + 5
    while reader.is_card_present():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(reader: pcsc.PcscReader) -> bool:
    with closing(reader.connect()) as transport:
        return transport.transmit(COMMAND) == ANSWER


def test_readers_are_found_by_name(stack: VirtualReader) -> None:
    assert pcsc.list_readers() == ["Virtual PCD 00 00", "Virtual PCD 00 01"]
    assert open_reader("Virtual*01").name == "Virtual PCD 00 01"
    with pytest.raises(ReaderNotFound):
        open_reader("Omnikey*")


@pytest.mark.alone
def test_an_empty_reader(reader: pcsc.PcscReader) -> None:
    begin = time.monotonic()
    with within(1):
        assert not reader.wait_for_card(0.2)
    assert time.monotonic() - begin >= 0.2
    with pytest.raises(CardNotPresent):
        reader.connect()


def test_a_reader_that_is_not_there(stack: VirtualReader) -> None:
    gone = pcsc.PcscReader("Omnikey 5022")
    with pytest.raises(ReaderUnplugged):
        gone.wait_for_card(1)
    with pytest.raises(ReaderUnplugged):
        gone.connect()


def test_a_session_and_the_next_one(reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]) -> None:
    insert()
    for _ in range(3):
        transport = reader.connect()
        assert transport.transmit(COMMAND) == ANSWER
        transport.close()
        transport.close()
        with pytest.raises(CardRemoved):
            transport.transmit(COMMAND)


@pytest.mark.parametrize("mood", ["leaves", "one_byte"])
def test_a_card_that_leaves_inside_a_command(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard], mood: str
) -> None:
    card = insert()
    transport = reader.connect()
    card.mood = mood  # type: ignore[assignment]
    for _ in range(3):
        with pytest.raises(CardRemoved):
            transport.transmit(COMMAND)
    card.remove()
    time.sleep(POLLED)
    with pytest.raises(CardRemoved):
        transport.transmit(COMMAND)
    transport.close()
    insert()
    assert answers(reader)


@pytest.mark.alone
@pytest.mark.parametrize("mood", ["silent", "no_byte"])
def test_a_card_that_never_answers_is_given_up_and_the_next_customer_is_served(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard], mood: str
) -> None:
    card = insert()
    transport = reader.connect()
    card.mood = mood  # type: ignore[assignment]
    with within(1.5):
        with pytest.raises(CardUnresponsive):
            transport.transmit(COMMAND)
        with pytest.raises(CardRemoved):
            transport.transmit(COMMAND)
        transport.close()
        with pytest.raises(CardUnresponsive):
            reader.connect()
    card.remove()
    wait_until_empty(reader)
    with pytest.raises(CardNotPresent):
        reader.connect()
    insert()
    following = reader.connect()
    # The session that was left behind comes back about now; it must not touch this one.
    time.sleep(POLLED)
    assert following.transmit(COMMAND) == ANSWER
    following.close()


def test_a_card_taken_off_between_two_commands(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]
) -> None:
    card = insert()
    transport = reader.connect()
    card.remove()
    for _ in range(2):
        with pytest.raises(CardRemoved):
            transport.transmit(COMMAND)
    time.sleep(POLLED)
    with pytest.raises(CardRemoved):
        transport.transmit(COMMAND)
    insert()
    with pytest.raises(CardRemoved):  # the other card's session is not this one
        transport.transmit(COMMAND)
    transport.close()
    assert answers(reader)


@pytest.mark.alone
@pytest.mark.parametrize("is_torn", [False, True], ids=["orderly", "torn out"])
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.5])
def test_a_card_laid_right_after_another_is_read_at_once(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard], is_torn: bool, seconds: float
) -> None:
    first = insert()
    with closing(reader.connect()) as transport:
        assert transport.transmit(COMMAND) == ANSWER
        if is_torn:
            first.remove()
            with pytest.raises(CardRemoved):
                transport.transmit(COMMAND)
    first.remove()
    time.sleep(seconds)
    with within(1.5):
        insert()
        assert answers(reader)


def test_one_owner_at_a_time(reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]) -> None:
    insert()
    transport = reader.connect()
    other = pcsc.PcscReader(reader.name)
    with pytest.raises(ReaderBusy):
        other.connect()
    assert other.wait_for_card(0)
    assert transport.transmit(COMMAND) == ANSWER
    transport.close()
    assert answers(other)


def test_a_session_that_nobody_closed_does_not_keep_the_next_customer_out(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]
) -> None:
    insert()
    forgotten = reader.connect()
    assert answers(reader)
    with pytest.raises(CardRemoved):
        forgotten.transmit(COMMAND)


def test_another_program_holds_the_reader(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]
) -> None:
    insert()
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, handle, _ = scard.SCardConnect(context, reader.name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
    with pytest.raises(ReaderBusy):
        reader.connect()
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    assert answers(reader)


def test_a_forgotten_session_that_is_closed_late_leaves_the_next_card_alone(
    reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]
) -> None:
    first = insert()
    forgotten = reader.connect()
    first.remove()
    wait_until_empty(reader)
    insert()
    following = reader.connect()
    assert following.transmit(COMMAND) == ANSWER
    forgotten.close()
    assert following.transmit(COMMAND) == ANSWER
    following.close()


def test_the_other_reader_goes_on_while_one_card_is_silent(
    stack: VirtualReader, reader: pcsc.PcscReader, insert: Callable[[], MisbehavingCard]
) -> None:
    silent = insert()
    transport = reader.connect()
    silent.mood = "silent"
    second = MisbehavingCard(f"unix:{stack.door(1)}")
    other = pcsc.PcscReader(pcsc.list_readers()[1])
    assert other.wait_for_card(5)
    with pytest.raises(CardUnresponsive):
        transport.transmit(COMMAND)
    neighbour = other.connect()
    assert neighbour.transmit(COMMAND) == ANSWER
    neighbour.close()
    second.remove()


def test_a_genuine_card_is_read_whole(stack: VirtualReader, tmp_path: Path) -> None:
    reader = pcsc.PcscReader(pcsc.list_readers()[1])
    with card_process(f"unix:{stack.door(1)}", tmp_path) as told:
        assert reader.wait_for_card(10)
        transport = reader.connect()
        document = DocumentReader(transport, os.urandom)
        assert document.open(Can(told["can"])).method == "PACE-GM"
        files = document.read_files()
        transport.close()
    assert {str(file.value) for file in files if file.is_data_group} == {"1", "2", "13", "14", "15"}
    wait_until_empty(reader)


def test_the_service_ends_and_comes_back(stack: VirtualReader, reader: pcsc.PcscReader) -> None:
    card = MisbehavingCard(f"unix:{stack.door(0)}")
    assert reader.wait_for_card(5)
    transport = reader.connect()
    stack.stop()
    with pytest.raises(ReaderUnplugged):
        transport.transmit(COMMAND)
    transport.close()
    with pytest.raises(ReaderUnplugged):
        pcsc.list_readers()
    with pytest.raises(ReaderUnplugged):
        reader.wait_for_card(1)
    with pytest.raises(ReaderUnplugged):
        reader.connect()
    card.remove()
    stack.start()
    back = MisbehavingCard(f"unix:{stack.door(0)}")
    assert reader.wait_for_card(5)
    again = reader.connect()
    assert again.transmit(COMMAND) == ANSWER
    again.close()
    back.remove()
