"""What stands around a counter fails: gateway, registry, reader, camera, models, clock. Nothing hangs."""

from __future__ import annotations

import time

import pytest

from gateway.domain.card_standing import FRESH_SECONDS
from tests.support.laid_card import WatchedCard
from tests.support.machine import lacks
from tests.support.running_stand import HOLDER, WITH_TURN, Over, RunningStand
from tests.support.stopwatch import require_in_time
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.receipt import receipt_payload

pytestmark = [pytest.mark.slow, pytest.mark.needs_models, pytest.mark.alone]

SECONDS = 6.0
REASON = "mắt, mũi và tai khớp"
# A counter whose clock is five minutes fast: a real process, only its one clock is set wrong.
FAST_CLOCK = """
import os
from datetime import timedelta
from monitoring.logs import configure
from reader_agent import app
right = app.utc_now
app.utc_now = lambda: right() + timedelta(minutes=5)
configure("reader_agent")
app.serve(app.settings_from(os.environ))
"""


def require_said(over: Over, ending: tuple[str, str], language: str = "vi") -> None:
    assert over.ending == ending
    text = fault_catalogue()[ending[1]].text(language)
    assert (over.verdict["what"], over.verdict["next"]) == (text.what, text.next)
    assert over.view["receipt"] is None


@pytest.mark.parametrize("language", ["vi", "en"])
def test_without_the_gateway_nobody_is_verified_and_nobody_is_refused(
    stand: RunningStand, language: str
) -> None:
    desk = stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image)), stand.without("gateway"):
        over = desk.visit(stand.holder.access, language=language)
    require_said(over, ("unavailable", "SERVICE_UNAVAILABLE"), language)
    assert over.verdict["assurance"]["chip"] == "chip-live-agent"
    require_in_time(over.seconds, SECONDS)
    stand.require_next_customer(desk)


@pytest.mark.parametrize("state", ["opening", "reading", "comparing_face"])
def test_a_gateway_that_stops_answering_is_given_up(stand: RunningStand, state: str) -> None:
    """It accepts the connection and then says nothing: at the start, at the chip's proof, at the evidence."""
    desk = stand.socket_counter
    stand.stands(HOLDER)
    if state == "opening":
        with stand.frozen("gateway"), desk.lay(WatchedCard(stand.holder.image)):
            over = desk.visit(stand.holder.access)
    else:
        with desk.lay(slow_card(stand)):
            session = desk.start(stand.holder.access)
            desk.wait(session, lambda view: view["state"] == state)
            with stand.frozen("gateway"):
                over = desk.finish(session)
    require_said(over, ("unavailable", "SERVICE_UNAVAILABLE"))
    require_in_time(over.seconds, SECONDS)
    stand.require_next_customer(desk)


def slow_card(stand: RunningStand) -> WatchedCard:
    """As slow as a card over the air: there is time to do something while it is read."""

    def after_a_while(_number: int, _command: bytes, answer: bytes) -> bytes:
        time.sleep(0.005)
        return answer

    return WatchedCard(stand.holder.image, answers=after_a_while)


@pytest.mark.parametrize(
    ("program", "code"), [("registry", "REGISTRY_UNAVAILABLE"), ("issuance", "CARD_STATUS_UNAVAILABLE")]
)
def test_a_service_that_stops_answering_is_named_and_never_taken_for_a_no(
    stand: RunningStand, program: str, code: str
) -> None:
    desk = stand.counter
    stand.stands(HOLDER)
    with desk.lay(WatchedCard(stand.holder.image)), stand.frozen(program):
        # So long what the issuer told counts as said now; from then on it would have to be asked.
        time.sleep(FRESH_SECONDS)
        over = desk.visit(stand.holder.access)
    assert over.ending == ("unavailable", code)
    require_in_time(over.seconds, SECONDS)
    stand.require_next_customer(desk)


def test_the_reader_is_unplugged_inside_a_command_and_comes_back(stand: RunningStand) -> None:
    if stand.reader is None:
        lacks("the stack's cards come over the vpcd socket here")
    desk = stand.counter
    card = WatchedCard(stand.holder.image, silent_at=20)
    with desk.lay(card):
        session = desk.start(stand.holder.access)
        assert card.reached.wait(5)
        stand.reader.stop()
        over = desk.finish(session)
        status = desk.send("GET", "/v1/status").json
        gone = desk.visit(stand.holder.access)
        stand.reader.start()
    require_said(over, ("incomplete", "READER_UNPLUGGED"))
    assert over.verdict["retryable"]
    require_in_time(over.seconds, SECONDS)
    assert (status["card_present"], status["fault"]) == (False, "READER_UNPLUGGED")
    require_said(gone, ("incomplete", "READER_UNPLUGGED"))
    require_in_time(gone.seconds, SECONDS)
    stand.require_next_customer(desk)


@pytest.mark.parametrize(
    ("name", "settings", "cause"),
    [
        ("no-models", {"MODEL_DIR": ""}, "FACE_ENGINE_UNAVAILABLE"),
        ("no-camera", {"CAMERA": "none"}, "CAMERA_UNAVAILABLE"),
        ("dead-camera", {"CAMERA": "http://127.0.0.1:9/frame.jpg"}, "CAMERA_UNAVAILABLE"),
    ],
)
def test_without_camera_or_models_the_teller_compares_by_eye_and_the_log_says_why(
    stand: RunningStand, name: str, settings: dict[str, str], cause: str
) -> None:
    with stand.another_counter(name, **settings) as desk, desk.lay(WatchedCard(stand.holder.image)):
        for matched, ending in ((True, ("verified", None)), (False, ("refused", "FACE_REFUSED_BY_TELLER"))):
            session = desk.start(stand.holder.access, purpose=WITH_TURN)
            view = desk.wait(session, lambda view: view["state"] == "comparing_by_eye", SECONDS)
            assert view["manual_cause"] == cause
            assert view["has_portrait"]
            address = f"/v1/sessions/{session}/manual-face"
            refused = desk.send("POST", address, {"matched": matched, "reason": " "})
            assert refused.json["code"] == "REQUEST_MALFORMED"
            assert desk.send("POST", address, {"matched": matched, "reason": REASON}).status == 200
            over = desk.finish(session)
            assert over.ending == ending
            entry = receipt_payload(over.view["receipt"])["entry"]
            compared = {check: (outcome, code) for check, outcome, code in entry["checks"]}
            assert compared["face_comparison"] == ("successful" if matched else "failed", cause)
            assert entry["actor"] == f"agent:counter-{name}"


def test_a_counter_whose_clock_is_wrong_is_told_so(stand: RunningStand) -> None:
    card = WatchedCard(stand.holder.image)
    with stand.another_counter("fast-clock", command=FAST_CLOCK) as desk, desk.lay(card):
        require_said(desk.visit(stand.holder.access), ("incomplete", "CLOCK_SKEW"))
        require_said(desk.visit(stand.holder.access, language="en"), ("incomplete", "CLOCK_SKEW"), "en")


def test_a_counter_that_nobody_enrolled_is_told_so(stand: RunningStand) -> None:
    card = WatchedCard(stand.holder.image)
    with stand.another_counter("stranger", ID="unknown-counter") as desk, desk.lay(card):
        require_said(desk.visit(stand.holder.access), ("incomplete", "AGENT_UNKNOWN"))
