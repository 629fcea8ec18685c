"""What the registry says of a death reaches cards and accounts once, in its order, and can be undone."""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from issuance_backend import credential_commands, recorded_events
from issuance_backend.credentials.account_office import AccountOffice
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.credentials.registry_feed import LONGEST_WAIT, LifeEventsOverHttp
from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.refusals import HolderDeceased
from issuance_backend.worker_loop import Worker, work_until
from monitoring.environment import ConfigurationFault
from tests.support.delivery import (
    RECEIVER,
    SUPERVISOR,
    active,
    card_of,
    confirm,
    deliver,
    finished,
)
from tests.support.issuance_office import NOW, Office, citizens
from tests.support.registry_news import News
from tests.support.registry_office import RegistryWorld, make_registry
from tests.support.running import run_pending
from tests.support.served_app import serving
from tests.support.stopwatch import require_in_time
from verification.errors import RegistryUnavailable
from verification.messages.life_event import Death, DeathAnnulled

PERSON = citizens()[0]


@pytest.fixture
def news() -> News:
    return News()


def follow(office: Office, news: News) -> int:
    return run_pending(RegistryFollower(office.database, news, lambda: office.now[0]))


def account(office: Office) -> str:
    made = office.sign_in("lan.capture").post("/v1/accounts", {"citizen_number": PERSON.citizen_number})
    return str(made.get_json()["id"])


def account_state(office: Office) -> str:
    number = PERSON.citizen_number
    return str(
        office.sign_in("lan.capture").get(f"/v1/accounts?citizen_number={number}").get_json()[0]["state"]
    )


def test_a_death_suspends_the_card_and_the_account_and_its_annulment_brings_them_back(
    office: Office, news: News
) -> None:
    card, opened = active(office, PERSON), account(office)
    for kind in ("birth", "move", "death"):
        news.happen(kind)
    assert follow(office, news) == 3
    assert (card_of(office, card).state, card_of(office, card).reason) == ("suspended", "death")
    assert account_state(office) == "suspended"
    for path in (f"/v1/credentials/{card}/resumption", f"/v1/accounts/{opened}/resumption"):
        assert office.sign_in(SUPERVISOR).post(path).get_json()["code"] == "HOLDER_DECEASED"
    news.happen("death_annulled", status="alive")
    assert follow(office, news) == 1
    assert (card_of(office, card).state, card_of(office, card).reason) == ("active", None)
    assert account_state(office) == "captured"
    with office.database.reading() as connection:
        last = recorded_events.of_subject(connection, f"card/{card}")[-1]
    assert (last.actor, last.detail["life_event"]) == ("system", news.told[-1].id)


def test_nothing_is_handed_over_or_ordered_for_the_dead(office: Office, news: News) -> None:
    card = finished(office, PERSON)
    deliver(office, card)
    confirm(office, card)
    news.happen("death")
    follow(office, news)
    mai = office.sign_in(RECEIVER)
    assert mai.post(f"/v1/credentials/{card}/handover").get_json()["code"] == "HOLDER_DECEASED"
    body = {"citizen_number": PERSON.citizen_number}
    assert office.sign_in("lan.capture").post("/v1/accounts", body).get_json()["code"] == "HOLDER_DECEASED"
    assert card_of(office, card).state == "at_office"


def test_an_account_is_not_activated_by_the_dead(office: Office, news: News) -> None:
    opened = account(office)
    office.sign_in("thu.central").post(f"/v1/accounts/{opened}/approval")
    news.happen("death")
    follow(office, news)
    with pytest.raises(HolderDeceased):
        AccountOffice(office.database, lambda: NOW).activate(opened, "vneid")


def test_a_card_that_was_lost_stays_lost_when_the_death_is_annulled(office: Office, news: News) -> None:
    card = active(office, PERSON)
    office.sign_in("lan.capture").post(f"/v1/credentials/{card}/loss-report")
    news.happen("death")
    news.happen("death_annulled", status="alive")
    follow(office, news)
    assert (card_of(office, card).state, card_of(office, card).reason) == ("suspended", "loss")


def test_an_event_is_handled_once_whoever_follows(office: Office, news: News) -> None:
    card = active(office, PERSON)
    for _ in range(5):
        news.happen("birth")
    news.happen("death")
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(follow, office, news) for _ in range(2)]:
            each.result(60)
    follow(office, news)
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"card/{card}")
    assert [step.event for step in steps].count(CardEvent.SUSPEND) == 1
    assert follow(office, news) == 0
    assert news.asked[-1] == 6


def test_a_registry_that_is_down_loses_nothing(office: Office, news: News) -> None:
    card = active(office, PERSON)
    news.happen("death")
    news.is_up = False
    with pytest.raises(RegistryUnavailable):
        follow(office, news)
    news.is_up = True
    assert follow(office, news) == 1
    assert card_of(office, card).state == "suspended"


def test_a_death_annulled_since_is_none_also_when_both_are_heard_again(office: Office, news: News) -> None:
    card = active(office, PERSON)
    for kind, status in (("death", "deceased"), ("death_annulled", "alive")):
        news.happen(kind, status=status)
        follow(office, news)
    assert card_of(office, card).state == "active"
    news.remembered = 0
    assert follow(office, news) == 2
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"card/{card}")
    assert [step.event for step in steps].count(CardEvent.SUSPEND) == 1


def test_an_office_put_back_from_a_copy_hears_again_what_it_forgot(office: Office, news: News) -> None:
    card = active(office, PERSON)
    news.happen("birth")
    follow(office, news)
    news.happen("death")
    news.confirm(2)  # as it did before it was put back
    assert follow(office, news) == 1
    assert card_of(office, card).state == "suspended"


@dataclass
class Served:
    """A registry behind a real socket."""

    world: RegistryWorld
    url: str
    file: Path

    def feed(self, token: str) -> LifeEventsOverHttp:
        return LifeEventsOverHttp(self.url, token)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    world = make_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    tokens = tmp_path / "follower.json"
    digest = hashlib.sha256(b"follower").hexdigest()
    roles = ["events.life-event", "registry.read"]
    tokens.write_text(json.dumps({"card-office": {"sha256": digest, "roles": roles}}))
    tokens.chmod(0o600)
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    app = create_registry_app(RegistrySettings(service_tokens=tokens, database_url=url))
    with serving(app) as address:
        yield Served(world, address, tmp_path / "registry.db")


@pytest.mark.alone
def test_a_death_in_the_registry_suspends_the_card_within_a_second(office: Office, served: Served) -> None:
    card = active(office, PERSON)
    follower = RegistryFollower(office.database, served.feed("follower"), lambda: office.now[0])
    ended = threading.Event()
    worker = Worker(name="follower", turn=lambda: follower.run_once(LONGEST_WAIT))
    thread = threading.Thread(target=lambda: work_until(worker, ended))
    thread.start()
    try:
        time.sleep(0.5)
        served.world.report(Death(PERSON.citizen_number))
        began = time.monotonic()
        while card_of(office, card).state != "suspended" and time.monotonic() - began < 10:
            time.sleep(0.02)
        took = time.monotonic() - began
        assert card_of(office, card).state == "suspended"
    finally:
        ended.set()
        # Whoever waits for the registry's next event is woken by it.
        served.world.report(DeathAnnulled(PERSON.citizen_number))
        thread.join()
    require_in_time(took, 1)
    # The follower may have ended before it asked again.
    run_pending(follower)
    assert card_of(office, card).state == "active"


def test_a_registry_put_back_that_came_farther_since_keeps_no_death_from_us(
    office: Office, served: Served
) -> None:
    """It has the number that we reached, for another event: what we go on from is what it remembers."""
    card, copy = active(office, PERSON), served.file.with_suffix(".copy")
    follower = RegistryFollower(office.database, served.feed("follower"), lambda: office.now[0])
    served.world.report(Death(citizens()[1].citizen_number))
    run_pending(follower)
    copied(served.file, copy)
    for other in citizens()[2:5]:
        served.world.report(Death(other.citizen_number))
    run_pending(follower)
    reached = served.feed("follower").confirmed()
    copied(copy, served.file)
    served.world.report(Death(PERSON.citizen_number))
    for other in citizens()[2:5]:
        served.world.report(Death(other.citizen_number))
    assert served.feed("follower").confirmed() < reached < served.feed("follower").after(0, 0).newest
    run_pending(follower)
    assert card_of(office, card).state == "suspended"


def copied(source: Path, target: Path) -> None:
    """The records as they stand, put in the place of others."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_a_registry_that_does_not_know_us_or_is_not_there_is_unavailable(served: Served) -> None:
    for feed in (served.feed("wrong"), LifeEventsOverHttp("http://127.0.0.1:9", "t")):
        with pytest.raises(RegistryUnavailable):
            feed.after(0, 0)
    with pytest.raises(RegistryUnavailable):
        served.feed("follower").after(99, 0)
    with pytest.raises(RegistryUnavailable):
        served.feed("follower").event("no-event")


def test_the_command_follows_what_happened_so_far(office: Office, served: Served, tmp_path: Path) -> None:
    card = active(office, PERSON)
    served.world.report(Death(PERSON.citizen_number))
    token = tmp_path / "registry_token"
    token.write_text("follower")
    token.chmod(0o600)
    options = argparse.Namespace(action="follow-registry", once=True)
    environ = {"ISSUANCE_REGISTRY_URL": served.url, "ISSUANCE_REGISTRY_TOKEN_FILE": str(token)}
    done = credential_commands.run(options, environ, office.database)
    assert done == "1 events of the registry handled"
    assert card_of(office, card).state == "suspended"
    with pytest.raises(ConfigurationFault):
        credential_commands.run(options, {}, office.database)
