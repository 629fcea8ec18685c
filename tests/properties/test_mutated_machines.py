"""The invariants that have machines of their own, each over something broken: every check can fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy import Connection, select, update

from issuance_backend.population_registry.dc01 import tables as dc01
from issuance_backend.population_registry.dc01.domain import CLEAN_STATES
from issuance_backend.population_registry.numbers import repository
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS
from issuance_backend.population_registry.publication import domain as publication
from tests.issuance_backend.dossiers.intake.test_order_and_cases import require_complete
from tests.issuance_backend.population_registry.dc01.test_invariants import Walk, all_forms, require_i14
from tests.issuance_backend.population_registry.numbers.test_number_office import NumbersInAnyOrder
from tests.issuance_backend.population_registry.publication.test_publication import PublishedInAnyOrder
from tests.support.dc01_office import Dc01Office
from tests.support.engines import Sqlite
from verification.messages.packet_intake import KitNumbers, NumberRun

SEARCH = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
)


def run(machine: type[RuleBasedStateMachine], folder: Path) -> None:
    machine.engine = Sqlite(folder)
    case = machine.TestCase
    case.settings = SEARCH
    case().runTest()


def issued(connection: Connection, prefix: str, limit: int) -> Sequence[str]:
    """In place of the numbers that went back: those that are somebody's."""
    asked = select(CITIZEN_NUMBERS.c.citizen_number).where(
        CITIZEN_NUMBERS.c.state == "issued", CITIZEN_NUMBERS.c.citizen_number.startswith(prefix)
    )
    return list(connection.execute(asked.limit(limit)).scalars())


def test_i3_a_number_that_is_given_twice_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "free", issued)
    with pytest.raises(AssertionError):
        run(NumbersInAnyOrder, tmp_path)


def test_i7_a_number_that_is_in_no_list_or_in_two_is_found_out() -> None:
    one, two, three = (NumberRun(number, number) for number in (1, 2, 3))
    whole = KitNumbers(
        kit="kit-7",
        settled=0,
        newest=3,
        gaps=(one,),
        pending=(two,),
        received=(three,),
        closed=(),
        doubtful=(),
    )
    require_complete(whole)
    for broken in ({"gaps": ()}, {"pending": (two, one)}, {"received": ()}, {"newest": 4}):
        with pytest.raises(AssertionError):
            require_complete(msgspec.structs.replace(whole, **broken))


def test_i11_a_publication_that_one_officer_signs_twice_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "require_new_signer", lambda *_: None)
    with pytest.raises(AssertionError):
        run(PublishedInAnyOrder, tmp_path)


def test_i14_a_clean_record_of_a_batch_over_the_limit_is_found_out(tmp_path: Path) -> None:
    office = Dc01Office(Sqlite(tmp_path).new())
    walk = Walk(office, 1)
    walk.new_batch()
    while not any(form.state in CLEAN_STATES for form in all_forms(office)):
        for _ in range(20):
            walk.step()
    forms = all_forms(office)
    require_i14(office, forms)
    with office.database.writing() as connection:
        connection.execute(update(dc01.BATCHES).values(wrong=dc01.BATCHES.c.acceptance + 1))
    with pytest.raises(AssertionError):
        require_i14(office, forms)
