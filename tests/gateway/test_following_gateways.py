"""Gateways as real processes, two workers each, follow one issuer: a withdrawn card is refused in a second.

The issuer answers no question about a card, so what a gateway knows it has heard.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.adapters.sql_card_states import SEAT_SECONDS
from gateway.domain.card_standing import FRESH_SECONDS
from tests.support.engines import Engine
from tests.support.gateway_fleet import Issuer, RunningGateway, running_gateway, wait_until
from tests.support.stopwatch import require_in_time
from verification.messages.decision import DecisionOutcome

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PROMISED = 1.0
"""Seconds from the issuer's commit until every process of every gateway refuses the card."""

CODES = {"lost": "CARD_LOST", "suspended": "CARD_SUSPENDED", "revoked": "CARD_REVOKED"}


@pytest.fixture
def issuer(database_engine: Engine) -> Iterator[Issuer]:
    issuer = Issuer(database_engine.new())
    issuer.start()
    yield issuer
    issuer.stop()


@pytest.fixture
def start(
    tmp_path: Path, database_engine: Engine, issuer: Issuer
) -> Iterator[Callable[[str], RunningGateway]]:
    with ExitStack() as running:

        def start(name: str) -> RunningGateway:
            folder = tmp_path / name
            folder.mkdir()
            return running.enter_context(running_gateway(folder, database_engine.new(), issuer))

        yield start


def test_a_withdrawn_card_is_refused_by_every_process_within_a_second(
    issuer: Issuer, start: Callable[[str], RunningGateway]
) -> None:
    gateways = [start("north"), start("south")]
    for state, code in CODES.items():
        card = issuer.card()
        issuer.tell(card, "active")
        for gateway in gateways:
            wait_until(lambda gateway=gateway, card=card: gateway.knows(card) == "active", 5)
            verified = gateway.decide(card)
            assert (verified.outcome, verified.assurance.status) == (DecisionOutcome.VERIFIED, "online")
        # Not the database alone: each worker, whichever takes the connection.
        taps = [gateway.tap(card) for gateway in gateways * 3]
        committed = issuer.tell(card, state)
        while any(gateway.knows(card) != state for gateway in gateways):
            require_in_time(time.monotonic() - committed, PROMISED)
            time.sleep(0.002)
        heard = time.monotonic() - committed
        for decide in taps:
            refused = decide()
            assert (refused.code, refused.assurance.status) == (code, "online")
        acted = time.monotonic() - committed
        require_in_time(acted, PROMISED)
        print(f"{state}: heard by both after {heard * 1000:.0f} ms, refused six times {acted * 1000:.0f} ms")
        issuer.tell(card, "active")
        for gateway in gateways:
            wait_until(lambda gateway=gateway, card=card: gateway.knows(card) == "active", 5)
            assert gateway.decide(card).outcome is DecisionOutcome.VERIFIED


def test_what_was_told_while_a_gateway_was_killed_is_heard_when_it_is_back(
    issuer: Issuer, start: Callable[[str], RunningGateway]
) -> None:
    north = start("north")
    cards = [issuer.card() for _ in range(3)]
    for card in cards:
        issuer.tell(card, "active")
    wait_until(lambda: all(north.knows(card) == "active" for card in cards), 5)
    north.kill()
    for card in cards[:2]:
        issuer.tell(card, "lost")
    north.start()
    # The seat of the killed worker is free again only after its time.
    wait_until(lambda: all(north.knows(card) == "lost" for card in cards[:2]), SEAT_SECONDS + 5)
    assert north.decide(cards[1]).code == "CARD_LOST"
    assert north.decide(cards[2]).outcome is DecisionOutcome.VERIFIED


def test_a_worker_that_is_killed_is_followed_by_another(
    issuer: Issuer, start: Callable[[str], RunningGateway]
) -> None:
    gateway, card = start("north"), issuer.card()
    issuer.tell(card, "active")
    wait_until(lambda: gateway.knows(card) == "active", 5)
    for worker in gateway.workers():
        os.kill(worker, signal.SIGKILL)
    issuer.tell(card, "lost")
    wait_until(lambda: gateway.knows(card) == "lost", SEAT_SECONDS + 5)
    assert gateway.decide(card).code == "CARD_LOST"


def test_an_issuer_put_back_to_a_copy_that_came_farther_since_is_noticed_by_every_process(
    issuer: Issuer, start: Callable[[str], RunningGateway], database_engine: Engine
) -> None:
    """Its numbers run past what was heard, so only its history tells that what came since was never heard."""
    card, gone = issuer.card(), issuer.card()
    issuer.tell(card, "active")
    issuer.database.close()  # nobody uses it while it is copied
    copy = database_engine.copy(issuer.database.url)
    issuer.tell(gone, "active")
    gateways = [start("north"), start("south")]
    for gateway in gateways:
        wait_until(lambda gateway=gateway: gateway.knows(gone) == "active", 5)
    issuer.stop()
    issuer.put_back(copy)
    issuer.tell(card, "lost")
    for _ in range(20):
        issuer.tell(issuer.card(), "active")
    issuer.start()
    for gateway in gateways:
        wait_until(lambda gateway=gateway: gateway.knows(card) == "lost", 5)
        assert gateway.decide(card).code == "CARD_LOST"
        refused = gateway.decide(gone)
        assert (refused.outcome, refused.code) == (DecisionOutcome.UNAVAILABLE, "CARD_STATUS_UNAVAILABLE")


def test_an_issuer_that_is_down_leaves_no_old_answer_without_its_age(
    issuer: Issuer, start: Callable[[str], RunningGateway]
) -> None:
    gateway, good, lost = start("north"), issuer.card(), issuer.card()
    issuer.tell(good, "active")
    issuer.tell(lost, "lost")
    wait_until(lambda: gateway.knows(lost) == "lost", 5)
    issuer.stop()
    try:
        time.sleep(FRESH_SECONDS + 0.5)
        bank = gateway.decide(good)
        assert (bank.outcome, bank.code) == (DecisionOutcome.UNAVAILABLE, "CARD_STATUS_UNAVAILABLE")
        assert bank.assurance.status.startswith("snapshot(")
        assert gateway.decide(lost).code == "CARD_LOST"
        hospital = gateway.decide(good, "hospital.check_in")
        assert hospital.outcome is DecisionOutcome.UNAVAILABLE  # the registry is down with it
        assert hospital.code == "REGISTRY_UNAVAILABLE"
    finally:
        issuer.start()
    wait_until(lambda: gateway.decide(good).outcome is DecisionOutcome.VERIFIED, 5)
    assert gateway.decide(good).assurance.status == "online"
