from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from sqlalchemy import select, update

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.numbers import domain, issuing
from issuance_backend.population_registry.numbers.domain import NumberRequest
from issuance_backend.population_registry.numbers.issuing import Issuing
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS, NUMBER_BLOCKS
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.population_registry.tables import PERSONS
from issuance_backend.refusals import IdempotencyConflict, NumberBlockExhausted, NumberReservationUnknown
from tests.support.engines import Sqlite
from tests.support.registry_office import NOW, RegistryWorld, make_registry
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.registry_numbers import NumberWanted

PREFIX = "001090"


def wanted(request: int = 1, **changes: object) -> NumberWanted:
    values = {"province": "001", "date_of_birth": date(1990, 5, 1), "sex": "M", **changes}
    return NumberWanted(request_id=f"request-{request:010d}", **values)  # type: ignore[arg-type]


def set_position(registry: RegistryWorld, position: int) -> None:
    with registry.database.writing() as connection:
        connection.execute(update(NUMBER_BLOCKS).values(position=position))


def test_the_same_request_always_has_the_same_number(registry: RegistryWorld) -> None:
    first = registry.numbers.reserve("office", wanted())
    assert first.citizen_number.startswith(PREFIX)
    assert first.state == "reserved"
    assert registry.numbers.reserve("office", wanted()) == first
    issued = registry.numbers.confirm("office", wanted().request_id)
    assert (issued.citizen_number, issued.state) == (first.citizen_number, "issued")
    assert registry.numbers.confirm("office", wanted().request_id) == issued
    assert registry.numbers.reserve("office", wanted()) == issued
    assert registry.numbers.reserve("office", wanted(2)).citizen_number != first.citizen_number


def test_a_known_request_for_another_block_is_refused(registry: RegistryWorld) -> None:
    registry.numbers.reserve("office", wanted())
    with pytest.raises(IdempotencyConflict):
        registry.numbers.reserve("office", wanted(sex="F"))
    twice = [NumberRequest("request-0000000009", "001090"), NumberRequest("request-0000000009", "001190")]
    with pytest.raises(IdempotencyConflict):
        registry.numbers.reserve_all("office", twice)


def test_a_number_that_went_back_is_drawn_again_and_an_issued_one_never(registry: RegistryWorld) -> None:
    number = registry.numbers.reserve("office", wanted(1)).citizen_number
    registry.numbers.release("office", wanted(1).request_id)
    assert registry.numbers.reserve("office", wanted(2)).citizen_number == number
    registry.numbers.confirm("office", wanted(2).request_id)
    with pytest.raises(TransitionRefused):
        registry.numbers.release("office", wanted(2).request_id)
    with pytest.raises(NumberReservationUnknown):
        registry.numbers.confirm("office", wanted(1).request_id)


def test_a_reservation_that_ran_out_is_somebody_elses(registry: RegistryWorld) -> None:
    number = registry.numbers.reserve("office", wanted(1)).citizen_number
    registry.pass_time(days=7)
    assert registry.numbers.reserve("office", wanted(2)).citizen_number == number
    with pytest.raises(NumberReservationUnknown):
        registry.numbers.confirm("office", wanted(1).request_id)


def test_a_late_confirmation_holds_while_nobody_else_has_the_number(registry: RegistryWorld) -> None:
    registry.numbers.reserve("office", wanted(1))
    registry.pass_time(days=30)
    assert registry.numbers.confirm("office", wanted(1).request_id).state == "issued"


def test_numbers_of_loaded_people_and_older_cards_are_passed_by(registry: RegistryWorld) -> None:
    plain = registry.numbers.reserve_all(
        "office", [NumberRequest(f"request-{n:010d}", PREFIX) for n in range(3)]
    )
    numbers = [reservation.citizen_number for reservation in plain]
    for request in plain:
        registry.numbers.release("office", request.request_id)
    with registry.database.writing() as connection:
        held = entries.person(connection, registry_number(registry))
        assert held is not None
        connection.execute(
            update(PERSONS)
            .where(PERSONS.c.citizen_number == held.citizen_number)
            .values(citizen_number=numbers[0])
        )
        act = Issuing(connection, "import", NOW, os.urandom)
        assert issuing.adopt(act, numbers[1]) is True
        assert issuing.adopt(act, numbers[1]) is False
    again = registry.numbers.reserve_all(
        "office", [NumberRequest(f"request-{n:010d}", PREFIX) for n in range(10, 13)]
    )
    assert {reservation.citizen_number for reservation in again} & set(numbers) == {numbers[2]}


def registry_number(registry: RegistryWorld) -> str:
    with registry.database.reading() as connection:
        return sorted(entries.numbers_taken(connection))[0]


def test_a_number_that_turns_out_to_be_held_is_taken_from_its_reservation(registry: RegistryWorld) -> None:
    number = registry.numbers.reserve("office", wanted(1)).citizen_number
    with registry.database.writing() as connection:
        issuing.adopt(Issuing(connection, "import", NOW, os.urandom), number)
    with pytest.raises(NumberReservationUnknown):
        registry.numbers.confirm("office", wanted(1).request_id)
    assert registry.numbers.reserve("office", wanted(1)).citizen_number != number


def test_a_block_gives_alarm_before_it_is_used_up_and_then_refuses(registry: RegistryWorld) -> None:
    registry.numbers.reserve("office", wanted(1))
    assert registry.numbers.blocks(PageAsked(), alarming=True).entries == ()
    set_position(registry, domain.ALARM_AT - 1)
    registry.numbers.reserve("office", wanted(2))
    alarmed = registry.numbers.blocks(PageAsked(), alarming=True).entries
    assert [block.prefix for block in alarmed] == [PREFIX]
    assert alarmed[0].alarmed_at is not None
    set_position(registry, domain.BLOCK_SIZE - 2)
    last = registry.numbers.reserve_all(
        "office", [NumberRequest(f"request-{n:010d}", PREFIX) for n in (3, 4)]
    )
    with pytest.raises(NumberBlockExhausted):
        registry.numbers.reserve("office", wanted(5))
    # What goes back can still be drawn, and the alarm was given once.
    registry.numbers.release("office", last[0].request_id)
    assert registry.numbers.reserve("office", wanted(5)).citizen_number == last[0].citizen_number
    assert registry.numbers.blocks(PageAsked(), alarming=True).entries[0].alarmed_at == alarmed[0].alarmed_at


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"province": "999"}, "province"),
        ({"sex": "X"}, "sex"),
        ({"date_of_birth": date(2027, 1, 1)}, "date_of_birth"),
        ({"date_of_birth": date(1899, 12, 31)}, "date_of_birth"),
    ],
)
def test_a_request_that_fits_no_block_is_refused(
    registry: RegistryWorld, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        registry.numbers.reserve("office", wanted(**changes))  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}


def test_many_at_once_never_get_the_same_number(registry: RegistryWorld) -> None:
    def work(worker: int) -> list[str]:
        drawn = []
        for turn in range(12):
            request = wanted(worker * 100 + turn)
            number = registry.numbers.reserve("office", request).citizen_number
            if turn % 3:
                registry.numbers.confirm("office", request.request_id)
                drawn.append(number)
            else:
                registry.numbers.release("office", request.request_id)
        return drawn

    with ThreadPoolExecutor(6) as pool:
        drawn = [number for numbers in pool.map(work, range(6)) for number in numbers]
    assert len(drawn) == len(set(drawn)) == 48
    assert registry.numbers.blocks(PageAsked(), alarming=False).entries[0].reserved == 0


KILLED = """
import os, signal, sys
from datetime import UTC, date, datetime
from issuance_backend.population_registry.numbers.service import NumberOffice
from monitoring.database import Database
from verification.messages.registry_numbers import NumberWanted

office = NumberOffice(Database(sys.argv[1]), lambda: datetime(2026, 11, 21, 3, tzinfo=UTC))
born = date(1990, 5, 1)
request = NumberWanted(request_id="request-0000000001", province="001", date_of_birth=born, sex="M")
if sys.argv[2] == "before-commit":
    import issuance_backend.population_registry.numbers.repository as repository
    repository.save_block = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
print(office.reserve("office", request).citizen_number, flush=True)
if sys.argv[2] == "confirmed":
    office.confirm("office", request.request_id)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("moment", ["before-commit", "reserved", "confirmed"])
def test_a_killed_program_loses_no_number_and_doubles_none(registry: RegistryWorld, moment: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, registry.database.url, moment],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    block = registry.numbers.blocks(PageAsked(), alarming=False).entries
    if moment == "before-commit":
        assert killed.stdout == ""
        assert block == ()
        return
    answer = registry.numbers.reserve("office", wanted(1))
    assert answer.citizen_number == killed.stdout.strip()
    assert answer.state == ("issued" if moment == "confirmed" else "reserved")
    assert block[0].undrawn == domain.BLOCK_SIZE - 1


class NumbersInAnyOrder(RuleBasedStateMachine):
    """Whatever is asked in whatever order, a number has one owner, and every drawn one is accounted for."""

    requests = Bundle("requests")
    engine: Sqlite

    def __init__(self) -> None:
        super().__init__()
        self.world = make_registry(self.engine.migrated(REGISTRY_MIGRATIONS))
        self.owner: dict[str, str] = {}
        self.count = 0

    @rule(target=requests)
    def think_of_a_request(self) -> str:
        self.count += 1
        return f"request-{self.count:010d}"

    @rule(request=requests)
    def reserve(self, request: str) -> None:
        answer = self.world.numbers.reserve_all("office", [NumberRequest(request, PREFIX)])[0]
        assert self.owner.get(answer.citizen_number, request) == request

    @rule(request=requests)
    def confirm(self, request: str) -> None:
        try:
            answer = self.world.numbers.confirm("office", request)
        except NumberReservationUnknown:
            return
        assert self.owner.setdefault(answer.citizen_number, request) == request
        assert list(self.owner.values()).count(request) == 1

    @rule(request=requests)
    def release(self, request: str) -> None:
        try:
            self.world.numbers.release("office", request)
        except (NumberReservationUnknown, TransitionRefused):
            return
        assert request not in self.owner.values()

    @rule(days=st.sampled_from([1, 4, 8]))
    def wait(self, days: int) -> None:
        self.world.pass_time(days=days)

    @invariant()
    def every_drawn_number_is_in_one_place(self) -> None:
        for block in self.world.numbers.blocks(PageAsked(), alarming=False).entries:
            assert domain.BLOCK_SIZE - block.undrawn == block.free + block.reserved + block.issued
            assert block.issued == len(self.owner)

    @invariant()
    def what_is_issued_stays_issued(self) -> None:
        with self.world.database.reading() as connection:
            issued = select(CITIZEN_NUMBERS.c.citizen_number, CITIZEN_NUMBERS.c.request_id).where(
                CITIZEN_NUMBERS.c.state == "issued"
            )
            assert dict(iter(connection.execute(issued))) == self.owner

    def teardown(self) -> None:
        self.world.chain_length()
        self.world.database.close()


def test_numbers_hold_in_any_order(tmp_path: Path) -> None:
    NumbersInAnyOrder.engine = Sqlite(tmp_path)
    machine = NumbersInAnyOrder.TestCase
    machine.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
    machine().runTest()
