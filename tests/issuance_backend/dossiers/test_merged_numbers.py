"""Two numbers that turn out to be one person: what happens to them happens to the cards of both (I3)."""

from __future__ import annotations

import pytest

from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.outbox.domain import Ask, Topic
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import OfficerJudges, capture_of
from tests.support.delivery import active, card_of
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, Office, citizens
from tests.support.registry_office import RegistryWorld, decided_by_two, make_registry
from tests.support.running import run_pending
from verification.errors import FieldsRefused
from verification.messages.enrollment import PersonExtract, PersonFields
from verification.messages.event_feed import EventFeed
from verification.messages.life_event import Death, DeathAnnulled, LifeEventView
from verification.messages.national_time import vietnam_date
from verification.messages.person_match import MatchAnswer
from verification.messages.registry_access import Purpose

KEPT, ALIAS = citizens()[0], citizens()[1]


class RegistryFeed:
    """The registry's feed, without a socket."""

    def __init__(self, world: RegistryWorld) -> None:
        self._world = world
        self._board = NoticeBoard(world.database, world.clock)

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        return self._board.after("card-office", Ask(topics=(Topic.LIFE_EVENT,), after=position, limit=100))

    def event(self, event: str) -> LifeEventView:
        return self._world.life.view(event)

    def confirmed(self) -> int:
        return self._board.position("card-office").position

    def confirm(self, position: int) -> None:
        self._board.confirm("card-office", position)


class Entries:
    """The registry's entries; nobody is compared."""

    def __init__(self, database: Database) -> None:
        self._desk = RegistryDesk(database)

    def extract(self, citizen_number: str, purpose: Purpose = Purpose.CAPTURE) -> PersonExtract:
        return self._desk.extract(citizen_number)

    def candidates(self, person: PersonFields, citizen_number: str) -> MatchAnswer:
        return MatchAnswer(candidates=(), complete=True)


@pytest.fixture
def world(database_engine: Engine) -> RegistryWorld:
    return make_registry(database_engine.migrated(REGISTRY_MIGRATIONS))


def test_a_death_suspends_the_cards_of_every_number_of_the_person(
    office: Office, world: RegistryWorld
) -> None:
    cards = [active(office, person, f"capture-000000000{n}") for n, person in enumerate((KEPT, ALIAS), 1)]
    decided_by_two(world.merges, KEPT.citizen_number, ALIAS.citizen_number)
    follower = RegistryFollower(office.database, RegistryFeed(world), lambda: office.now[0])
    world.report(Death(KEPT.citizen_number))
    run_pending(follower)
    assert [card_of(office, card).state for card in cards] == ["suspended", "suspended"]
    world.report(DeathAnnulled(KEPT.citizen_number))
    run_pending(follower)
    assert [card_of(office, card).state for card in cards] == ["active", "active"]


def test_no_application_is_taken_under_a_number_that_is_an_alias(world: RegistryWorld) -> None:
    decided_by_two(world.merges, KEPT.citizen_number, ALIAS.citizen_number)
    checks = CaptureChecks(Entries(world.database), OfficerJudges())
    capture = capture_of(KEPT, citizen_number=ALIAS.citizen_number)
    with pytest.raises(FieldsRefused) as refused:
        checks.check(capture, vietnam_date(NOW))
    assert refused.value.fields["citizen_number"] == "FIELD_NOT_AS_REGISTERED"
    assert checks.check(capture_of(KEPT), vietnam_date(NOW)).citizen_number == KEPT.citizen_number
