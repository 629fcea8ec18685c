"""kill -9 of workers and followers at every commit: nobody is searched, enrolled or suspended twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from issuance_backend.biometric_search.worker import LEASE
from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.recorded_events import newest
from issuance_backend.schema import EVENTS
from monitoring.database import Database
from tests.support import dying_programs
from tests.support.application_desk import THU, desk_on
from tests.support.deduplication_centre import make_centre
from tests.support.delivery import active, card_of, deliver, finished
from tests.support.dying_programs import SearchBench
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, Office, citizens, make_office
from tests.support.killing import Point, is_killed, require_sound, until_it_stands
from tests.support.registry_news import News
from tests.support.running import run_pending

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pki_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers") / "pki"


@pytest.fixture
def office(tmp_path: Path, pki_dir: Path, database_engine: Engine) -> Office:
    return make_office(tmp_path, pki_dir, database_engine)


def recorded(database: Database) -> Counter[str]:
    """How often each event happened to each kind of subject."""
    with database.reading() as connection:
        rows = connection.execute(select(EVENTS.c.subject, EVENTS.c.event))
        return Counter(f"{row.subject.partition('/')[0]} {row.event}" for row in rows)


def at(number: int) -> Point:
    return Point(number, between_statements=False)


def prepared_search(engine: Engine, folder: Path) -> tuple[SearchBench, dict[str, tuple[str, str]]]:
    """Somebody to be enrolled, somebody to be forgotten, somebody new, and somebody enrolled already."""
    centre = make_centre(folder, engine)
    centre.bed.enrol(0)
    approved, rejected = centre.apply(1, 1), centre.enrolled(4, 4)
    centre.desk.office.approvals.approve_centrally(THU, approved)
    centre.reject(rejected)
    expected = {
        approved: ("central_approved", "clear"),
        rejected: ("rejected", "clear"),
        centre.apply(2, 2): ("dedup_1n", "clear"),
        centre.apply(3, 0, touch=2): ("adjudication", "hit"),
    }
    centre.bed.database.close()
    return SearchBench(centre.bed.database.url, folder, centre.biometry), expected


def test_every_dossier_is_searched_once_and_every_approved_person_enrolled_once(
    tmp_path: Path, database_engine: Engine
) -> None:
    bench, expected = prepared_search(database_engine, tmp_path)
    undisturbed = replace(bench, url=database_engine.copy(bench.url))
    known = undisturbed.work(NOW)
    assert known > 1
    happened = recorded(Database(undisturbed.url))
    # Before every commit; behind it nothing is written until the next.
    for number in count(1, 2):
        disturbed = replace(bench, url=database_engine.copy(bench.url))
        if not is_killed(dying_programs.search, disturbed, NOW, at(number)):
            break
        database, later = Database(disturbed.url), NOW + LEASE + timedelta(seconds=1)
        require_sound(database)
        assert disturbed.work(later) == known, number
        desk = desk_on(database, searches=True)
        found = {dossier: (desk.state(dossier), desk.view(dossier).search) for dossier in expected}
        assert found == expected, number
        assert recorded(database) == happened, number
        require_sound(database)
        database.close()
    assert number > 24, "fewer commits than the work has"


def test_a_follower_of_the_registry_suspends_once_what_belongs_to_the_dead(office: Office) -> None:
    card, news, url = active(office, citizens()[0]), News(), office.database.url
    for kind in ("birth", "death"):
        news.happen(kind)

    def kill(number: int) -> bool:
        point = Point(number, between_statements=True)
        return is_killed(dying_programs.follow_registry, url, news, NOW, point)

    until_it_stands(office.database, kill)
    # What was committed first may be the beginning of the follower's own position, and no event yet.
    if card_of(office, card).state == "active":
        until_it_stands(office.database, kill)
    # Killed before it told the registry how far it came, it hears the same again.
    run_pending(RegistryFollower(office.database, news, lambda: NOW))
    assert (card_of(office, card).state, card_of(office, card).reason) == ("suspended", "death")
    assert recorded(office.database)["card suspend"] == 1
    require_sound(office.database)


def test_cards_age_once(office: Office) -> None:
    cards = [finished(office, citizens()[n], f"capture-000000000{n}") for n in range(3)]
    deliver(office, *cards)
    later = NOW + timedelta(days=61)

    def kill(number: int) -> bool:
        point = Point(number, between_statements=True)
        return is_killed(dying_programs.age, office.database.url, later, point)

    until_it_stands(office.database, kill)
    assert {card_of(office, card).state for card in cards} == {"undelivered"}
    assert not is_killed(dying_programs.age, office.database.url, later, at(0))
    assert recorded(office.database)["card age"] == len(cards)
    require_sound(office.database)


def test_a_subscriber_that_is_killed_goes_on_behind_what_it_confirmed(office: Office) -> None:
    active(office, citizens()[0])
    with office.database.reading() as connection:
        reached = newest(connection)
    board, url = NoticeBoard(office.database, lambda: NOW), office.database.url
    for position in (1, reached - 1):

        def kill(number: int, position: int = position) -> bool:
            point = Point(number, between_statements=True)
            return is_killed(dying_programs.confirm, url, "gateway", position, NOW, point)

        until_it_stands(office.database, kill)
        assert board.position("gateway").position == position
    # Sent again by whoever was not told, and by one that comes late.
    assert board.confirm("gateway", reached - 1).position == reached - 1
    assert board.confirm("gateway", 1).position == reached - 1
