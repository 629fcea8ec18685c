"""What other programs are told, from any position again, on both engines."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.moments import utc_now
from issuance_backend.outbox import service
from issuance_backend.outbox.domain import MAX_NOTICES, MAX_WAIT_SECONDS, Ask, Notice, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.outbox.tables import NOTICES
from issuance_backend.recorded_events import Step, append
from issuance_backend.refusals import EventPositionUnknown
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.delivery import active
from tests.support.engines import Engine
from tests.support.issuance_office import STATUS_TOKEN, Office, citizens
from tests.support.stopwatch import within
from verification.messages.event_feed import EventFeed

STATUS = (Topic.CREDENTIAL_STATUS,)
BOTH = tuple(Topic)
AT = "2026-11-21T03:00:00.000000Z"


def step(number: int, topic: Topic | None = Topic.CREDENTIAL_STATUS) -> Step:
    notice = Notice(topic=topic, key=f"{number:016x}", data={"state": "lost"}) if topic else None
    return Step(
        subject=f"card/{number}",
        event="x",
        state="x",
        actor="lan",
        at="2026-11-21T03:00:00.000000Z",
        notice=notice,
    )


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(ISSUANCE_MIGRATIONS))


@pytest.fixture
def board(database: Database) -> NoticeBoard:
    return NoticeBoard(database, utc_now)


def record(database: Database, *steps: Step) -> None:
    with database.writing() as connection:
        for each in steps:
            append(connection, each)


def numbers(feed: EventFeed) -> list[int]:
    return [event.sequence for event in feed.events]


def test_from_any_position_and_by_topic(database: Database, board: NoticeBoard) -> None:
    record(database, step(1), step(2, Topic.DOSSIER_STATE), step(3, None), step(4), step(5))
    assert numbers(board.after("g", Ask(topics=STATUS, after=0))) == [1, 4, 5]
    assert numbers(board.after("g", Ask(topics=STATUS, after=0))) == [1, 4, 5]
    assert numbers(board.after("g", Ask(topics=BOTH, after=1))) == [2, 4, 5]
    page = board.after("g", Ask(topics=STATUS, after=0, limit=2))
    assert (numbers(page), page.next, page.newest) == ([1, 4], 4, 5)
    rest = board.after("g", Ask(topics=STATUS, after=page.next, limit=2))
    assert (numbers(rest), rest.next) == ([5], 5)


def test_what_is_nobodys_business_is_passed_over_and_not_asked_for_again(
    database: Database, board: NoticeBoard
) -> None:
    record(database, step(1, None), step(2, Topic.DOSSIER_STATE))
    feed = board.after("g", Ask(topics=STATUS, after=0))
    assert (numbers(feed), feed.next) == ([], 2)


def test_a_notice_is_told_with_its_step_or_not_at_all(database: Database, board: NoticeBoard) -> None:
    def interrupted() -> None:
        with database.writing() as connection:
            append(connection, step(1))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert board.after("g", Ask(topics=STATUS, after=0)).newest == 0


def test_a_consumer_goes_on_where_it_confirmed_and_never_falls_back(
    database: Database, board: NoticeBoard
) -> None:
    record(database, *(step(number) for number in range(1, 5)))
    assert board.position("g").position == 0
    assert board.confirm("g", 3).position == 3
    assert board.confirm("g", 2).position == 3, "a late confirmation changes nothing"
    assert numbers(board.after("g", Ask(topics=STATUS))) == [4]
    assert numbers(board.after("another", Ask(topics=STATUS))) == [1, 2, 3, 4]
    assert numbers(board.after("g", Ask(topics=STATUS, after=1))) == [2, 3, 4], "replay is always possible"
    for ahead in (5, -1):
        with pytest.raises(EventPositionUnknown):
            board.confirm("g", ahead)


def test_a_subscriber_that_is_ahead_of_us_is_told_so(database: Database, board: NoticeBoard) -> None:
    """After a restore from an old copy a silent empty answer would hide every event to come."""
    record(database, step(1))
    with pytest.raises(EventPositionUnknown):
        board.after("g", Ask(topics=STATUS, after=2))


def test_a_subscriber_of_another_history_is_told_so(database_engine: Engine, board: NoticeBoard) -> None:
    """Put back to a copy and gone on since, the office has the subscriber's number, for another event."""
    others = Database(database_engine.migrated(ISSUANCE_MIGRATIONS))
    record(board._database, *(step(number) for number in (1, 2, 3)))
    record(others, *(step(number) for number in (1, 20, 30, 40)))
    ours = [board.after("g", Ask(topics=STATUS, after=0, limit=limit)) for limit in (1, 2, 3)]
    put_back = NoticeBoard(others, utc_now)
    for feed in ours:
        again = Ask(topics=STATUS, after=feed.next, mark=feed.mark)
        assert board.after("g", again).next == 3
        if feed.next == 1:
            assert numbers(put_back.after("g", again)) == [2, 3, 4], "the copy has what was told so far"
        else:
            with pytest.raises(EventPositionUnknown):
                put_back.after("g", again)
    assert board.after("g", Ask(topics=STATUS, after=0)).mark == ours[-1].mark
    others.close()


@pytest.mark.alone
def test_who_waits_sees_a_change_within_a_second(database: Database, board: NoticeBoard) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(board.after, "g", Ask(topics=STATUS, after=0, wait_seconds=20))
        time.sleep(0.3)
        assert not waiting.done()
        # Somebody else's business wakes nobody.
        record(database, step(1, Topic.DOSSIER_STATE))
        with within(1):
            record(database, step(2))
            assert numbers(waiting.result(5)) == [2]


def test_waiting_ends_and_only_so_many_wait(database: Database) -> None:
    clock, paused = [0.0], []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        clock[0] += seconds

    board = NoticeBoard(database, utc_now, pause=pause, ticks=lambda: clock[0])
    assert board.after("g", Ask(topics=STATUS, after=0, wait_seconds=2)).events == ()
    assert sum(paused) == pytest.approx(2.0, abs=service.LOOK_EVERY_SECONDS)
    gate, seated = threading.Event(), threading.Semaphore(0)

    def sit(_seconds: float) -> None:
        seated.release()
        gate.wait(20)

    board = NoticeBoard(database, utc_now, pause=sit, ticks=Ticks())
    with ThreadPoolExecutor(service.MAX_WAITING) as pool:
        asked = Ask(topics=STATUS, after=0, wait_seconds=3)
        waiting = [pool.submit(board.after, "g", asked) for _ in range(service.MAX_WAITING)]
        for _ in waiting:
            assert seated.acquire(timeout=10)
        assert board.after("late", asked).events == (), "answered at once: no thread is left to hold"
        gate.set()
        assert all(each.result(20).events == () for each in waiting)


class Ticks:
    """A second passes with every look at it."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1.0
        return self._now


def test_a_reader_never_passes_a_step_that_is_still_being_written(database: Database) -> None:
    """Writers commit in any order of their beginning; a reader that follows ``next`` sees every number."""
    board, seen, writers_done = NoticeBoard(database, utc_now), [], threading.Event()

    def write(worker: int) -> None:
        for number in range(15):
            record(database, step(worker * 100 + number), step(worker * 100 + 50 + number))

    def read() -> None:
        position = 0
        while True:
            finished = writers_done.is_set()
            feed = board.after("g", Ask(topics=STATUS, after=position, limit=7))
            seen.extend(numbers(feed))
            position = feed.next
            if finished and position == feed.newest:
                return

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        for writer in [pool.submit(write, worker) for worker in range(4)]:
            writer.result(60)
        writers_done.set()
        reader.result(60)
    assert seen == list(range(1, 4 * 15 * 2 + 1))


def test_confirmations_at_once_leave_the_farthest(database: Database, board: NoticeBoard) -> None:
    record(database, *(step(number) for number in range(1, 21)))
    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(board.confirm, "g", number) for number in range(1, 21)]:
            each.result(30)
    assert board.position("g").position == 20


# -- over HTTP


@pytest.fixture
def gateway(office: Office) -> Any:
    def ask(query: str = "", **further: Any) -> Any:
        headers = {"Authorization": f"Bearer {STATUS_TOKEN}"}
        return office.client().open(f"/v1/events{query}", headers=headers, **further)

    return ask


def test_a_gateway_follows_the_states_of_cards_and_learns_nothing_else(office: Office, gateway: Any) -> None:
    person = citizens()[0]
    card = active(office, person)
    office.sign_in("lan.capture").post(f"/v1/credentials/{card}/loss-report")
    feed = gateway("?after=0").get_json()
    assert [event["data"]["state"] for event in feed["events"]] == ["issued"] * 6 + ["active", "lost"]
    assert {event["topic"] for event in feed["events"]} == {"credential-status"}
    key = feed["events"][0]["key"]
    query = office.client().post(
        "/v1/credential-status-queries",
        json={"status_key": key},
        headers={"Authorization": f"Bearer {STATUS_TOKEN}"},
    )
    assert query.get_json() == {"state": "lost", "since": feed["events"][-1]["data"]["since"]}
    assert gateway(f"?after={feed['next']}&mark={feed['mark']}").get_json()["events"] == []
    other = gateway(f"?after={feed['next']}&mark={'0' * 16}")
    assert (other.status_code, other.get_json()["code"]) == (409, "EVENT_POSITION_UNKNOWN")
    with office.database.reading() as connection:
        told = "".join(f"{row.key}{row.data}" for row in connection.execute(select(NOTICES)))
    assert person.citizen_number not in told
    assert person.full_name not in told


def test_a_position_is_the_callers_own(gateway: Any, office: Office) -> None:
    office.sign_in("lan.capture").capture(citizens()[0])
    with office.database.reading() as connection:
        newest = recorded_events.newest(connection)
    answer = gateway("/position", method="PUT", json={"position": newest})
    assert answer.get_json() == {"consumer": "gateway", "position": newest, "newest": newest}
    assert gateway("/position").get_json()["position"] == newest
    refused = gateway("/position", method="PUT", json={"position": newest + 1})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "EVENT_POSITION_UNKNOWN")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=-1", "after"), ("?after=x", "after"), ("?after=99999999999", "after"), ("?after=٣", "after"),
        ("?limit=0", "limit"), (f"?limit={MAX_NOTICES + 1}", "limit"),
        (f"?wait={MAX_WAIT_SECONDS + 1}", "wait"), ("?topic=dossier-state", "topic"),
        ("?topic=everything", "topic"), ("?mark=0123456789abcdef", "mark"), ("?after=1&mark=x", "mark"),
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_named(gateway: Any, query: str, field: str) -> None:
    answer = gateway(query)
    assert (answer.status_code, answer.get_json()["fields"]) == (422, {field: "FIELD_CHARACTERS"})


def test_officers_and_strangers_follow_nothing(office: Office) -> None:
    for headers in ({}, {"Authorization": f"Bearer {office.sign_in('lan.capture').token}"}):
        answer = office.client().get("/v1/events", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "SERVICE_NOT_PERMITTED")
