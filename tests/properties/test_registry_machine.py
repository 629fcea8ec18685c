"""The desks of the population registry walked together: 6,000 events on SQLite, 1,500 on PostgreSQL.

Each rule that is taken away from the product is missed by the machine well within its size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from issuance_backend.population_registry.dc01 import alike
from issuance_backend.population_registry.dc01 import domain as dc01
from issuance_backend.population_registry.life_events import domain as life
from issuance_backend.population_registry.merges import domain as merges
from issuance_backend.population_registry.numbers import issuing
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication import domain as publication
from issuance_backend.population_registry.publication import repository as published
from tests.properties.office_invariants import InvariantBroken
from tests.properties.registry_machine import Begun, RegistryMachine, act_names
from tests.support.engines import Engine, Sqlite
from verification.messages.life_event import Death
from verification.messages.person_query import LifeStatus

STORIES = {"sqlite": (42, 150), "postgresql": (11, 150)}
"""So many stories of so many events."""

EVENTS = {"sqlite": 6_000, "postgresql": 1_500}

LEAVES_NOTHING = {"report_again"}
"""Nothing may be recorded of it."""

REJECTED = dc01.FormState.RECHECK_SAMPLED, dc01.FormEvent.REJECT_BATCH


def find_nobody_alike(patch: pytest.MonkeyPatch) -> None:
    for asked in ("_alike_forms", "alike_persons"):
        patch.setattr(alike, asked, lambda *_: ())


TAKEN_AWAY: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "a confirmation leaves the number reserved": (
        "I3",
        lambda patch: patch.setattr(issuing, "confirm", issuing._of_request),
    ),
    "a number that is another's is taken for a form's own": (
        "I3",
        lambda patch: patch.setattr(issuing, "is_drawn_for_somebody", lambda *_: False),
    ),
    "nobody is found alike": ("I3", find_nobody_alike),
    "whoever proposed a merge signs it": (
        "I3",
        lambda patch: patch.setattr(merges, "require_other", lambda *_: None),
    ),
    "a separation is only written down": (
        "I3",
        lambda patch: patch.setattr(people, "end_merge", lambda *_: None),
    ),
    "who is dead dies again": (
        "I3",
        lambda patch: patch.setitem(life.LIFE, (LifeStatus.DECEASED, Death), LifeStatus.DECEASED),
    ),
    "one officer signs twice for what is published": (
        "I11",
        lambda patch: patch.setattr(publication, "require_new_signer", lambda *_: None),
    ),
    "nobody is told of a correction": (
        "I11",
        lambda patch: patch.setattr(published, "who_was_sent", lambda *_: []),
    ),
    "forms of a rejected batch go on": (
        "I14",
        lambda patch: patch.setitem(dc01.TABLE.transitions, REJECTED, dc01.FormState.ACCEPTED),
    ),
}


def search(engine: Engine, **changes: Any) -> settings:
    stories, events = STORIES[engine.name]
    return settings(
        max_examples=stories,
        stateful_step_count=events,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        **changes,
    )


def machine_in(begun: Begun) -> type[RegistryMachine]:
    return type("Led", (RegistryMachine,), {"begun": begun})


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    return Begun(Sqlite(tmp_path_factory.mktemp("registry")))


def test_the_invariants_hold_however_a_registry_is_led(database_engine: Engine) -> None:
    machine = machine_in(Begun(database_engine))
    run_state_machine_as_test(machine, settings=search(database_engine))
    done, refused = (sum(machine.counts[outcome].values()) for outcome in ("done", "refused"))
    assert done + refused >= EVENTS[database_engine.name]
    # A registry that refuses everything would prove nothing.
    assert done > (done + refused) / 3
    idle = set(act_names()) - LEAVES_NOTHING - machine.counts["done"].keys()
    assert len(idle) <= 0.1 * len(act_names()), idle


@pytest.mark.parametrize("missing", TAKEN_AWAY)
def test_a_rule_that_is_missing_is_found_out(
    begun: Begun, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    invariant, take_away = TAKEN_AWAY[missing]
    take_away(monkeypatch)
    machine = machine_in(begun)
    with pytest.raises(InvariantBroken, match=f"^{invariant}:"):
        run_state_machine_as_test(machine, settings=search(begun.engine, phases=(Phase.generate,)))
