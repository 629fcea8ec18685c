"""Following the issuer: nothing is skipped or heard twice, and old knowledge is never told as new."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from gateway import app
from gateway.adapters.sql_card_states import SEAT_SECONDS, SqlCardStates
from gateway.adapters.sql_schema import MIGRATIONS
from gateway.app import Outside, create_gateway
from gateway.domain.card_standing import FRESH_SECONDS, CardStanding
from gateway.domain.purpose import PURPOSES
from gateway.domain.refusals import CardEventsUnavailable, CardStatusUnavailable
from gateway.services.card_follower import PAUSE_SECONDS, RETRY_SECONDS, WATCH_SECONDS, CardFollower
from gateway.services.card_status import CardStatusDesk
from tests.support import pki
from tests.support.gateway_world import Clock, FakeCardEvents, World
from tests.support.old_databases import migrate
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import (
    CredentialState,
    CredentialStatusAnswer,
    CredentialStatusQuery,
    status_key,
)
from verification.messages.decision import DecisionOutcome
from verification.messages.event_feed import FeedPlace

KEY = "00112233aabbccdd"
DOWN = CardStatusUnavailable("down")


def quick_key() -> str:
    security_object = parse_security_object(pki.quick_card().files[LdsFile.SOD])
    return status_key(security_object.signer.signature)


def desk(world: World) -> CardStatusDesk:
    return CardStatusDesk(SqlCardStates(world.database), world.card_status, world.clock)


def asked(world: World, key: str = KEY) -> CardStanding:
    return desk(world).ask(CredentialStatusQuery(key))


def follower(world: World, worker: str) -> CardFollower:
    return CardFollower(world.card_events, SqlCardStates(world.database), world.clock, worker)


def hear(world: World) -> None:
    world.gateway.follower.step()


@pytest.mark.parametrize("state", ["lost", "suspended", "revoked", "replaced", "issued"])
def test_what_was_heard_is_answered_without_asking(world: World, state: str) -> None:
    world.card_events.tell(KEY, "active")
    world.card_events.tell(KEY, state)
    world.card_status.answer = DOWN
    hear(world)
    assert asked(world) == CardStanding(CredentialState(state))
    assert world.card_status.asked == []


def test_a_database_that_is_away_for_a_while_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "INTERRUPTED_SECONDS", 0.0)
    stop, turns = threading.Event(), iter([True, True, False])

    def work(ended: threading.Event) -> None:
        if next(turns):
            raise OperationalError("select", {}, Exception("the server went away"))
        ended.set()

    app.keep_at(work, stop)
    assert list(turns) == []


def test_what_was_heard_in_the_future_is_not_believed(world: World) -> None:
    """A clock that was an hour ahead and is set right: else an hour's old words would count as said now."""
    world.card_events.tell(KEY, "active")
    hear(world)
    world.clock.now -= timedelta(seconds=1)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)
    assert world.card_status.asked == []
    world.card_status.answer = CredentialStatusAnswer(CredentialState.LOST)
    world.clock.now -= timedelta(hours=1)
    assert asked(world) == CardStanding(CredentialState.LOST)


def test_a_card_that_was_never_heard_of_is_asked_for(world: World) -> None:
    hear(world)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)
    assert world.card_status.asked == [CredentialStatusQuery(KEY)]


def test_a_state_without_a_word_here_is_asked_for(world: World) -> None:
    world.card_events.tell(KEY, "frozen")
    world.card_status.answer = CredentialStatusAnswer(CredentialState.LOST)
    hear(world)
    assert asked(world) == CardStanding(CredentialState.LOST)


def test_an_active_card_past_its_last_day_is_expired_by_the_day_in_viet_nam(world: World) -> None:
    world.card_events.tell(KEY, "active", expires_on=world.clock().date().isoformat())
    hear(world)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)
    world.clock.move(days=1)
    hear(world)
    assert asked(world) == CardStanding(CredentialState.EXPIRED)


def test_while_the_issuer_is_not_heard_each_card_is_asked_for_again(world: World) -> None:
    world.card_events.tell(KEY, "active")
    hear(world)
    world.card_events.fault = CardEventsUnavailable("down")
    world.card_status.answer = CredentialStatusAnswer(CredentialState.LOST)
    world.clock.move(seconds=FRESH_SECONDS)
    hear(world)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)
    world.clock.move(seconds=0.1)
    assert asked(world) == CardStanding(CredentialState.LOST)


def test_an_issuer_that_says_nothing_at_all_leaves_what_was_heard_with_its_age(world: World) -> None:
    world.card_events.tell(KEY, "suspended")
    hear(world)
    world.card_status.answer = DOWN
    world.clock.move(seconds=89.5)
    assert asked(world) == CardStanding(CredentialState.SUSPENDED, 90)
    with pytest.raises(CardStatusUnavailable):
        asked(world, "ffeeddccbbaa9988")


def test_a_follower_that_is_still_behind_is_not_fresh(world: World) -> None:
    for number in range(3):
        world.card_events.tell(f"{number:016x}", "active")
    whole = world.card_events.after
    world.card_events.after = lambda position: whole(position, most=2)  # type: ignore[method-assign]
    hear(world)
    world.card_status.answer = CredentialStatusAnswer(CredentialState.LOST)
    assert asked(world, f"{0:016x}") == CardStanding(CredentialState.LOST)
    hear(world)
    assert asked(world, f"{0:016x}") == CardStanding(CredentialState.ACTIVE)


def test_one_worker_listens_and_another_takes_over_when_it_falls_silent(world: World) -> None:
    first, second = follower(world, "first"), follower(world, "second")
    assert first.step() == PAUSE_SECONDS
    assert second.step() == WATCH_SECONDS
    world.clock.move(seconds=SEAT_SECONDS)
    assert second.step() == WATCH_SECONDS
    world.clock.move(seconds=0.1)
    assert second.step() == PAUSE_SECONDS
    assert first.step() == WATCH_SECONDS


def test_a_worker_that_lost_its_seat_while_it_waited_writes_nothing(world: World) -> None:
    first, states = follower(world, "first"), SqlCardStates(world.database)
    whole = world.card_events.after

    def slept(place: FeedPlace) -> object:
        feed = whole(place)
        world.clock.move(seconds=2 * SEAT_SECONDS)
        world.card_events.after = whole  # type: ignore[method-assign]
        assert follower(world, "second").step() == PAUSE_SECONDS
        return feed

    world.card_events.after = slept  # type: ignore[method-assign,assignment]
    heard_at = world.clock() + timedelta(seconds=2 * SEAT_SECONDS)
    assert first.step() == WATCH_SECONDS
    assert states.heard(KEY).at == heard_at


def test_a_restarted_gateway_goes_on_where_it_was(world: World) -> None:
    world.card_events.tell(KEY, "active")
    hear(world)
    world.clock.move(seconds=2 * SEAT_SECONDS)
    outside = Outside(
        clock=world.clock,
        registry=world.registry,
        card_status=world.card_status,
        card_events=world.card_events,
        trust=lambda: pki.trust_store(pki.quick_issuer()),
    )
    create_gateway(world.settings, outside).follower.step()
    assert [place.position for place in world.card_events.asked] == [0, 1]
    assert asked(world) == CardStanding(CredentialState.ACTIVE)


def test_an_issuer_whose_records_were_put_back_is_read_from_the_first_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for state in ("active", "lost"):
        world.card_events.tell(KEY, state)
    hear(world)
    del world.card_events.told[1:]
    hear(world)
    assert [record.message for record in caplog.records] == ["issuer's events restarted"]
    world.card_status.answer = DOWN
    with pytest.raises(CardStatusUnavailable):
        asked(world)  # nothing is told before everything was heard again
    hear(world)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)


def test_an_issuer_that_was_put_back_and_came_farther_since_is_read_from_the_first_again(
    world: World,
) -> None:
    """No number tells: only the history that was heard."""
    forgotten, withdrawn = "00112233aabbcc00", "00112233aabbcc01"
    for key, state in ((KEY, "active"), (KEY, "lost"), (forgotten, "active"), (withdrawn, "revoked")):
        world.card_events.tell(key, state)
    hear(world)
    del world.card_events.told[1:]
    for number in range(5):
        world.card_events.tell(f"{number:016x}", "active")
    hear(world)
    world.card_status.answer = DOWN
    with pytest.raises(CardStatusUnavailable):
        asked(world)
    hear(world)
    assert asked(world) == CardStanding(CredentialState.ACTIVE)
    assert asked(world, f"{0:016x}") == CardStanding(CredentialState.ACTIVE)
    # What only the lost history knew is good no longer, and what it withdrew is not good again.
    with pytest.raises(CardStatusUnavailable):
        asked(world, forgotten)
    assert asked(world, withdrawn) == CardStanding(CredentialState.REVOKED)
    assert set(SqlCardStates(world.database).not_good().withdrawn) == {forgotten, withdrawn}


def test_after_the_update_an_issuer_that_mended_its_last_words_is_heard_again(world: World) -> None:
    """What is good no longer is never good in between: an older word that comes again changes nothing."""
    for state in ("active", "revoked", "revoked"):
        world.card_events.tell(KEY, state)
    hear(world)
    migrate(world.database, command.downgrade, "0005", MIGRATIONS)
    migrate(world.database, command.upgrade, "head", MIGRATIONS)
    states = SqlCardStates(world.database)
    assert (states.place(), states.heard_at()) == (FeedPlace(0, ""), None)
    world.card_events.told = []
    for state in ("active", "replaced", "replaced"):
        world.card_events.tell(KEY, state)
    whole = world.card_events.after
    world.card_events.after = lambda place: whole(place, most=1)  # type: ignore[method-assign]
    heard = []
    for _ in range(3):
        hear(world)
        card = states.heard(KEY).card
        heard.append(card and card.state.value)
    assert heard == ["revoked", "revoked", "replaced"]


def test_a_silent_issuer_is_one_line_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.card_events.fault = CardEventsUnavailable("down")
    assert [world.gateway.follower.step() for _ in range(3)] == [RETRY_SECONDS] * 3
    world.card_events.fault = None
    hear(world)
    hear(world)
    said = [record.message for record in caplog.records]
    assert said == ["issuer not heard, cards are asked one by one", "issuer heard again"]


def test_a_decision_says_how_old_its_card_state_is_and_each_purpose_what_it_bears(world: World) -> None:
    world.card_events.tell(quick_key(), "active")
    hear(world)
    world.card_status.answer = DOWN
    assert world.decide().decision.assurance.status == "online"
    world.clock.move(seconds=60)
    bank = world.decide().decision
    assert (bank.outcome, bank.code) == (DecisionOutcome.UNAVAILABLE, "CARD_STATUS_UNAVAILABLE")
    assert bank.assurance.status == "snapshot(60s)"
    hospital = decided_for(world, "hospital.check_in")
    assert (hospital.outcome, hospital.assurance.status) == (DecisionOutcome.VERIFIED, "snapshot(60s)")
    world.clock.move(seconds=PURPOSES["hospital.check_in"].status_max_age_seconds)
    assert decided_for(world, "hospital.check_in").code == "CARD_STATUS_UNAVAILABLE"


def test_a_card_that_was_reported_lost_is_refused_however_old_that_is(world: World) -> None:
    world.card_events.tell(quick_key(), "lost")
    hear(world)
    world.card_status.answer = DOWN
    world.clock.move(days=2)
    decision = world.decide().decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, "CARD_LOST")
    assert decision.assurance.status == "snapshot(172800s)"


def decided_for(world: World, purpose: str):
    opened = world.counter.open(purpose)
    return world.answer(world.counter.submit(world.evidence(opened))).decision


STATES = st.sampled_from(["active", "lost", "suspended", "revoked", "replaced", "issued"])
TELLING = st.tuples(st.integers(0, 4), STATES)
ACTS = st.lists(st.one_of(TELLING, st.sampled_from(["hear", "other", "crash", "deaf"])), max_size=40)


@pytest.mark.parametrize("most", [1, 3, 200])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_whatever_happens_the_last_word_on_each_card_is_known_in_the_end(
    world: World, most: int, acts: list[object]
) -> None:
    """Workers that stop at any moment, feeds in pieces, an issuer that is away: no gap and no old word."""
    clock, events, states = Clock(), FakeCardEvents(), SqlCardStates(world.database)
    with world.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM card_states")
        connection.exec_driver_sql(
            "UPDATE card_events SET position = 0, mark = '', heard_at_ms = NULL, worker = NULL,"
            " seat_until_ms = 0"
        )
    whole = events.after
    events.after = lambda place: whole(place, most)  # type: ignore[method-assign]
    workers = [CardFollower(events, states, clock, name) for name in ("one", "two")]
    told: dict[str, str] = {}
    for act in acts:
        clock.move(seconds=0.5)
        if isinstance(act, tuple):
            told[f"{act[0]:016x}"] = act[1]
            events.tell(f"{act[0]:016x}", act[1])
        elif act == "deaf":
            events.fault = None if events.fault else CardEventsUnavailable("away")
        elif act == "crash":
            clock.move(seconds=SEAT_SECONDS + 1)
        else:
            workers[act == "other"].step()
    events.fault = None
    clock.move(seconds=SEAT_SECONDS + 1)
    for _ in range(len(events.told) + 1):
        workers[0].step()
    for key, state in told.items():
        heard = states.heard(key)
        assert heard.card is not None
        assert heard.card.state == state
        assert heard.is_fresh(clock())


def test_a_purpose_says_what_states_it_accepts() -> None:
    accepted = {code: purpose.card_states for code, purpose in PURPOSES.items()}
    assert accepted.pop("card.handover") == {CredentialState.ISSUED}
    assert set(accepted.values()) == {frozenset({CredentialState.ACTIVE})}
    assert PURPOSES["card.handover"].policy().min_chip_assurance == "chip-live-gateway"
