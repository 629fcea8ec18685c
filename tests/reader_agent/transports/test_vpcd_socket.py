"""The virtual reader without PC/SC: what the agent meets when a card or its owner misbehaves."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from reader_agent.transports.vpcd_socket import VpcdListener, VpcdTransport
from tests.support.misbehaving_card import ANSWER, MisbehavingCard
from tests.support.stopwatch import within
from verification.errors import (
    CardNotPresent,
    CardRemoved,
    CardUnresponsive,
    LimitExceeded,
    ReaderBusy,
    ReaderNotFound,
)

COMMAND = bytes.fromhex("00B00000C8")


@pytest.fixture
def reader() -> Iterator[VpcdListener]:
    listener = VpcdListener("127.0.0.1", 0, answer_seconds=0.3)
    yield listener
    listener.close()


def insert(reader: VpcdListener) -> tuple[MisbehavingCard, VpcdTransport]:
    card = MisbehavingCard(f"127.0.0.1:{reader.port}")
    assert reader.wait_for_card(2)
    return card, reader.connect()


@pytest.mark.alone
def test_an_empty_slot(reader: VpcdListener) -> None:
    begin = time.monotonic()
    with within(1):
        assert not reader.wait_for_card(0.1)
    assert time.monotonic() - begin >= 0.1
    assert not reader.is_card_present()
    with pytest.raises(CardNotPresent):
        reader.connect()


def test_commands_are_answered_and_the_next_session_starts_afresh(reader: VpcdListener) -> None:
    card, transport = insert(reader)
    assert transport.transmit(COMMAND) == ANSWER
    transport.close()
    transport.close()
    with pytest.raises(CardRemoved):
        transport.transmit(COMMAND)
    assert reader.connect().transmit(COMMAND) == ANSWER
    assert card.powered == 2


def test_a_session_that_nobody_closed_cannot_touch_the_next_one(reader: VpcdListener) -> None:
    card, forgotten = insert(reader)
    following = reader.connect()
    with pytest.raises(CardRemoved):
        forgotten.transmit(COMMAND)
    forgotten.close()
    assert following.transmit(COMMAND) == ANSWER
    assert (card.powered, card.unpowered) == (2, 1)


def test_the_longest_command_passes_and_a_longer_one_is_refused(reader: VpcdListener) -> None:
    _, transport = insert(reader)
    assert transport.transmit(bytes(65_535)) == ANSWER
    with pytest.raises(LimitExceeded):
        transport.transmit(bytes(65_536))


@pytest.mark.parametrize("mood", ["leaves", "one_byte", "no_byte"])
def test_a_card_that_leaves_inside_a_command(reader: VpcdListener, mood: str) -> None:
    card, transport = insert(reader)
    card.mood = mood  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(CardRemoved):
            transport.transmit(COMMAND)
    transport.close()
    _, following = insert(reader)
    assert following.transmit(COMMAND) == ANSWER


@pytest.mark.alone
def test_a_silent_card_is_given_up_and_the_next_customer_is_served(reader: VpcdListener) -> None:
    card, transport = insert(reader)
    card.mood = "silent"
    with within(1), pytest.raises(CardUnresponsive):
        transport.transmit(COMMAND)
    card.remove()
    _, following = insert(reader)
    assert following.transmit(COMMAND) == ANSWER


def test_a_card_taken_off_between_two_commands(reader: VpcdListener) -> None:
    card, transport = insert(reader)
    card.remove()
    with pytest.raises(CardRemoved):
        transport.transmit(COMMAND)
    with pytest.raises(CardNotPresent):
        reader.connect()


@pytest.mark.alone
def test_an_answer_that_trickles_in_has_one_time_limit_in_all(reader: VpcdListener) -> None:
    with socket.create_connection(("127.0.0.1", reader.port)) as card:
        assert reader.wait_for_card(2)
        transport = VpcdTransport(reader._card, 0.3)  # type: ignore[arg-type]
        card.sendall(b"\x00\x0a1")
        with within(1), pytest.raises(CardUnresponsive):
            transport.transmit(COMMAND)


def test_a_card_that_speaks_before_it_is_asked_is_not_there(reader: VpcdListener) -> None:
    with socket.create_connection(("127.0.0.1", reader.port)) as card:
        assert reader.wait_for_card(2)
        card.sendall(b"\x00\x02\x90\x00")
        time.sleep(0.05)
        assert not reader.wait_for_card(0)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])  # noqa: S104
def test_it_listens_on_the_loopback_interface_only(host: str) -> None:
    with pytest.raises(ReaderNotFound):
        VpcdListener(host, 0)


def test_a_port_in_use(reader: VpcdListener) -> None:
    with pytest.raises(ReaderBusy):
        VpcdListener("127.0.0.1", reader.port)


def test_its_name_is_what_it_is_configured_by(reader: VpcdListener) -> None:
    assert reader.name == f"vpcd:127.0.0.1:{reader.port}"
