"""The card is taken off inside every command of a visit, over the vpcd socket and over pcscd."""

from __future__ import annotations

import pytest

from tests.support.laid_card import WatchedCard
from tests.support.running_stand import Desk, RunningStand

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]

SECONDS = 2.0
SILENT_SECONDS = 8.0
"""A card has five seconds to answer one command."""


@pytest.fixture(scope="module")
def commands(stand: RunningStand) -> int:
    """How many commands a whole visit sends."""
    card = WatchedCard(stand.holder.image)
    desk = stand.socket_counter
    stand.stands(0)
    with desk.lay(card):
        assert desk.visit(stand.holder.access).ending == ("verified", None)
    return card.commands


def require_pulled(stand: RunningStand, desk: Desk, number: int) -> None:
    with desk.lay(WatchedCard(stand.holder.image, leaves_at=number)) as laid:
        over = desk.visit(stand.holder.access)
    assert laid.card.commands == number + 1
    assert over.ending == ("incomplete", "CARD_REMOVED"), number
    assert over.verdict["what"], number
    assert over.verdict["retryable"], number
    assert over.view["receipt"] is None
    assert over.seconds < SECONDS, number


def test_a_card_pulled_inside_every_command_of_a_visit(stand: RunningStand, commands: int) -> None:
    """The visit before never stands in the way: the next one gets as far as its own command."""
    assert commands > 40
    for number in range(commands):
        require_pulled(stand, stand.socket_counter, number)
    stand.require_next_customer(stand.socket_counter)


@pytest.mark.parametrize("part", [0.0, 0.05, 0.3, 0.6, 1.0])
def test_a_card_pulled_over_the_stacks_own_reader(stand: RunningStand, commands: int, part: float) -> None:
    require_pulled(stand, stand.counter, round(part * (commands - 1)))
    stand.require_next_customer(stand.counter)


@pytest.mark.parametrize("over", ["the stack's reader", "the vpcd socket"])
def test_a_card_that_stops_answering_is_given_up(stand: RunningStand, over: str) -> None:
    desk = stand.counter if over == "the stack's reader" else stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image, silent_at=20)):
        ended = desk.visit(stand.holder.access)
    assert ended.ending == ("incomplete", "CARD_UNRESPONSIVE")
    assert ended.seconds < SILENT_SECONDS
    stand.require_next_customer(desk)


def test_a_silent_card_can_be_cancelled_and_the_next_customer_is_served(stand: RunningStand) -> None:
    desk = stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image, silent_at=20)) as laid:
        session = desk.start(stand.holder.access)
        assert laid.card.reached.wait(5)
        assert desk.send("DELETE", f"/v1/sessions/{session}").json["state"] == "cancelled"
    stand.require_next_customer(desk)


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
