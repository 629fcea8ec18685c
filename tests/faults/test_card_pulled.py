"""The card is taken off inside every command of a visit, over the vpcd socket and over pcscd.

First a counter's whole visit, then a reader alone with everything that a chip can be asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest

from issuance_backend.virtual_card.card_image import CardImage
from monitoring.virtual_reader import VirtualReader
from reader_agent.ports import CardReader
from reader_agent.transports import pcsc
from reader_agent.transports.vpcd_socket import VpcdListener
from tests.support import chip_card
from tests.support.laid_card import LaidCard, WatchedCard
from tests.support.machine import lacks
from tests.support.running_stand import Desk, RunningStand
from tests.support.stopwatch import require_in_time
from tests.support.terminal_pki import terminal_chain
from tests.support.virtual_reader_bed import bed
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.chip.terminal_authentication import Terminal
from verification.errors import CardCommunication, CardRemoved
from verification.lds.files import CardFiles, LdsFile

pytestmark = [pytest.mark.slow, pytest.mark.alone]

NEXT_CARD_SECONDS = 1.0
SECONDS = 2.0
SILENT_SECONDS = 8.0
"""A card has five seconds to answer one command."""


@pytest.fixture(scope="module")
def commands(stand: RunningStand) -> int:
    """How many commands a whole visit over the socket sends at least."""
    return least_commands(stand, stand.socket_counter)


@pytest.fixture(scope="module")
def own_commands(stand: RunningStand) -> int:
    """The same at the counter that the stack runs, over PC/SC where that can run."""
    return least_commands(stand, stand.counter)


def least_commands(stand: RunningStand, desk: Desk) -> int:
    """The first card of a type is asked for its limits, the next is not."""
    stand.stands(0)
    counts = []
    for _ in range(2):
        card = WatchedCard(stand.holder.image)
        with desk.lay(card):
            assert desk.visit(stand.holder.access).ending == ("verified", None)
        counts.append(card.commands)
    return min(counts)


def require_pulled(stand: RunningStand, desk: Desk, number: int) -> None:
    with desk.lay(WatchedCard(stand.holder.image, leaves_at=number)) as laid:
        over = desk.visit(stand.holder.access)
    assert laid.card.commands == number + 1
    assert over.ending == ("incomplete", "CARD_REMOVED"), number
    assert over.verdict["what"], number
    assert over.verdict["retryable"], number
    assert over.view["receipt"] is None
    require_in_time(over.seconds, SECONDS)


@pytest.mark.needs_models
def test_a_card_pulled_inside_every_command_of_a_visit(stand: RunningStand, commands: int) -> None:
    """The visit before never stands in the way: the next one gets as far as its own command."""
    assert commands > 20
    for number in range(commands):
        require_pulled(stand, stand.socket_counter, number)
    stand.require_next_customer(stand.socket_counter)


@pytest.mark.needs_models
@pytest.mark.parametrize("part", [0.0, 0.05, 0.3, 0.6, 1.0])
def test_a_card_pulled_over_the_stacks_own_reader(
    stand: RunningStand, own_commands: int, part: float
) -> None:
    require_pulled(stand, stand.counter, round(part * (own_commands - 1)))
    stand.require_next_customer(stand.counter)


@pytest.mark.needs_models
@pytest.mark.parametrize("over", ["the stack's reader", "the vpcd socket"])
def test_a_card_that_stops_answering_is_given_up(stand: RunningStand, over: str) -> None:
    desk = stand.counter if over == "the stack's reader" else stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image, silent_at=20)):
        ended = desk.visit(stand.holder.access)
    assert ended.ending == ("incomplete", "CARD_UNRESPONSIVE")
    require_in_time(ended.seconds, SILENT_SECONDS)
    stand.require_next_customer(desk)


@pytest.mark.needs_models
def test_a_silent_card_can_be_cancelled_and_the_next_customer_is_served(stand: RunningStand) -> None:
    desk = stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image, silent_at=20)) as laid:
        session = desk.start(stand.holder.access)
        assert laid.card.reached.wait(5)
        assert desk.send("DELETE", f"/v1/sessions/{session}").json["state"] == "cancelled"
    stand.require_next_customer(desk)


@pytest.mark.needs_models
def test_no_card_at_all_is_waited_for_and_can_be_cancelled(stand: RunningStand) -> None:
    desk = stand.socket_counter
    session = desk.start(stand.holder.access)
    desk.wait(session, lambda view: view["state"] == "waiting_for_card")
    refused = desk.send(
        "POST", "/v1/sessions", {"purpose": "x", "access": {"can": "123456"}, "consent": True}
    )
    assert (refused.status, refused.json["code"]) == (409, "COUNTER_BUSY")
    assert desk.send("DELETE", f"/v1/sessions/{session}").json["state"] == "cancelled"
    stand.require_next_customer(desk)


# -- a reader alone ----------------------------------------------------------------------------


class Table(NamedTuple):
    """A reader, and the address at which cards are laid on it."""

    reader: CardReader
    address: str


@contextmanager
def socket_table() -> Iterator[Table]:
    with closing(VpcdListener("127.0.0.1", 0)) as reader:
        yield Table(reader, f"127.0.0.1:{reader.port}")


@contextmanager
def pcsc_table() -> Iterator[Table]:
    reason = VirtualReader.available()
    if reason is not None:
        lacks(reason)
    with bed() as stack:
        yield Table(pcsc.PcscReader(pcsc.list_readers()[0]), f"unix:{stack.door(0)}")


class Visitor:
    """A card that trusts a terminal, and a reader that asks it for all there is."""

    def __init__(self) -> None:
        root, verifier, own = terminal_chain()
        self.image: CardImage = chip_card.image(trust_points=(root.certificate.encoded,))
        self._terminal = Terminal((verifier.certificate, own.certificate), own.sign)

    def read(self, reader: CardReader) -> CardFiles:
        with closing(reader.connect()) as transport:
            document = DocumentReader(transport, os.urandom)
            document.open(Can(chip_card.CAN))
            files = document.read_files()
            document.sign_challenge(bytes(8))
            document.authenticate_chip(files[LdsFile.DG14])
            document.authenticate_terminal(self._terminal)
            return files | document.read_locked()


@pytest.mark.parametrize(
    "table", [socket_table, pytest.param(pcsc_table, marks=pytest.mark.needs_pcscd)], ids=["vpcd", "pcscd"]
)
def test_a_card_pulled_at_every_command_leaves_the_next_one_readable_at_once(table: object) -> None:
    visitor = Visitor()
    with table() as (reader, address):  # type: ignore[operator]
        expected, commands = read_next(visitor, reader, address, leaves_in=None)
        assert expected.keys() >= {LdsFile.DG3, LdsFile.CVCA}
        assert commands >= 25
        for number in range(commands):
            assert read_next(visitor, reader, address, leaves_in=number) == (expected, commands)
        assert read_next(visitor, reader, address, leaves_in=None) == (expected, commands)


def read_next(
    visitor: Visitor, reader: CardReader, address: str, *, leaves_in: int | None
) -> tuple[CardFiles, int]:
    """Lay a card, read it whole within a second; read it again and pull it inside that command."""
    card = WatchedCard(visitor.image)
    with LaidCard(address, card):
        began = time.monotonic()
        assert reader.wait_for_card(5)
        files = visitor.read(reader)
        seconds, commands = time.monotonic() - began, card.commands
        require_in_time(seconds, NEXT_CARD_SECONDS)
        if leaves_in is not None:
            card.leave_in(leaves_in)
            with pytest.raises(CardCommunication) as fault:
                visitor.read(reader)
            assert (fault.type, card.commands) == (CardRemoved, leaves_in + 1)
    wait_until_gone(reader)
    return files, commands


def wait_until_gone(reader: CardReader) -> None:
    """No hand lays the next card before the reader has seen the last one go."""
    deadline = time.monotonic() + 5
    while reader.wait_for_card(0):
        assert time.monotonic() < deadline
        time.sleep(0.01)
