"""A death that the registry commits is known to every gateway a second later, and so is its annulment (F27).

The registry, the office's follower of it, the office and two gateways are joined by sockets, as in life.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.adapters.sql_card_states import SqlCardStates
from issuance_backend.credentials.registry_feed import LONGEST_WAIT, LifeEventsOverHttp
from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.worker_loop import Worker, work_until
from tests.support.delivery import active, card_of
from tests.support.engines import Engine, Sqlite
from tests.support.gateway_fleet import Issuer, RunningGateway, running_gateway, wait_until
from tests.support.issuance_office import Office, citizens, make_office
from tests.support.registry_office import RegistryWorld, make_registry
from tests.support.served_app import serving
from tests.support.stopwatch import require_in_time
from verification.messages.life_event import Death, DeathAnnulled

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PROMISED = 1.0
"""Seconds from the registry's commit until every gateway knows."""

PERSON = citizens()[0]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """What each of the two parts of the way does on PostgreSQL is in their own tests."""
    return Sqlite(tmp_path)


@pytest.fixture
def office(tmp_path: Path, engine: Engine) -> Office:
    return make_office(tmp_path, tmp_path / "pki", engine)


@dataclass
class Registry:
    """A registry behind a real socket."""

    world: RegistryWorld
    feed: LifeEventsOverHttp


@pytest.fixture
def registry(tmp_path: Path, engine: Engine) -> Iterator[Registry]:
    url = engine.new()
    tokens = tmp_path / "follower.json"
    digest = hashlib.sha256(b"follower").hexdigest()
    roles = ["events.life-event", "registry.read"]
    tokens.write_text(json.dumps({"card-office": {"sha256": digest, "roles": roles}}))
    world = make_registry(url)
    app = create_registry_app(RegistrySettings(service_tokens=tokens, database_url=url))
    with serving(app) as address:
        yield Registry(world, LifeEventsOverHttp(address, "follower"))


@pytest.fixture
def following(office: Office, registry: Registry) -> Iterator[None]:
    """The office's follower, as its worker runs it."""
    follower = RegistryFollower(office.database, registry.feed, lambda: office.now[0])
    worker, ended = Worker(name="follower", turn=lambda: follower.run_once(LONGEST_WAIT)), threading.Event()
    thread = threading.Thread(target=lambda: work_until(worker, ended))
    thread.start()
    yield
    ended.set()
    # Whoever waits for the registry's next event is woken by it.
    registry.world.report(Death(citizens()[1].citizen_number))
    thread.join()


@pytest.fixture
def gateways(tmp_path: Path, engine: Engine, office: Office) -> Iterator[list[RunningGateway]]:
    issuer = Issuer(office.settings.database_url)
    issuer.start()
    with ExitStack() as running:
        started = []
        for name in ("north", "south"):
            folder = tmp_path / name
            folder.mkdir()
            started.append(running.enter_context(running_gateway(folder, engine.new(), issuer)))
        yield started
    issuer.stop()


def told(gateways: list[RunningGateway], key: str) -> set[str]:
    """What the gateways heard of a card last."""
    heard = [SqlCardStates(each.world.database).heard(key).card for each in gateways]
    return {card.state.value if card else "nothing" for card in heard}


def account_state(office: Office) -> str:
    path = f"/v1/accounts?citizen_number={PERSON.citizen_number}"
    return str(office.sign_in("lan.capture").get(path).get_json()[0]["state"])


@pytest.mark.usefixtures("following")
def test_a_death_is_known_to_every_gateway_within_a_second(
    office: Office, registry: Registry, gateways: list[RunningGateway]
) -> None:
    card = active(office, PERSON)
    office.sign_in("lan.capture").post("/v1/accounts", {"citizen_number": PERSON.citizen_number})
    key = str(card_of(office, card).status_key)
    wait_until(lambda: told(gateways, key) == {"active"}, 5)

    def seconds_until(state: str, happens: Callable[[], object]) -> float:
        happens()
        committed = time.monotonic()
        wait_until(lambda: told(gateways, key) == {state}, 10)
        return time.monotonic() - committed

    died = seconds_until("suspended", lambda: registry.world.report(Death(PERSON.citizen_number)))
    assert account_state(office) == "suspended"
    came_back = seconds_until("active", lambda: registry.world.report(DeathAnnulled(PERSON.citizen_number)))
    assert account_state(office) == "captured"
    print(f"a death is known after {died * 1000:.0f} ms, its annulment after {came_back * 1000:.0f} ms")
    require_in_time(max(died, came_back), PROMISED)
