"""Hypothesis leads offices through 100,000 random events, and tells the short story of a broken one."""

from __future__ import annotations

import re

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from issuance_backend.dossiers import approval_desk
from tests.properties.office_invariants import InvariantBroken
from tests.properties.office_machine import LedOffice, OfficeMachine, Offices, act_names

EVENTS = 100_000
SEARCH = settings(
    max_examples=480, stateful_step_count=250, deadline=None, database=None, derandomize=True,
    report_multiple_bugs=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Offices:
    return Offices(tmp_path_factory.mktemp("offices"))


def machine_in(offices: Offices) -> type[LedOffice]:
    return type("Led", (OfficeMachine,), {"offices": offices})


def test_the_invariants_hold_however_an_office_is_led(offices: Offices) -> None:
    machine = machine_in(offices)
    run_state_machine_as_test(machine, settings=SEARCH)
    done, refused = (sum(machine.counts[outcome].values()) for outcome in ("done", "refused"))
    assert done + refused >= EVENTS
    # An office that refuses everything would prove nothing.
    assert done > EVENTS / 3
    assert len(machine.counts["done"]) > 0.9 * len(act_names()), (
        set(act_names()) - machine.counts["done"].keys()
    )


def test_an_office_without_four_eyes_is_told_in_a_short_story(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One officer approves what they had a part in: the story shrinks to what it takes.

    Which stories are tried follows from the code alone, never from a clock, and every change of the code is
    another draw. Of 150 stories of 12 events one tells of it: 300 told of nothing in one draw of eight,
    3,000 will in none that anybody sees. Longer ones tell sooner, and do not shrink as far.
    """
    monkeypatch.setattr(approval_desk, "_require_only_part", lambda *_: None)
    short = settings(
        SEARCH, max_examples=3_000, stateful_step_count=12, phases=(Phase.generate, Phase.shrink)
    )
    with pytest.raises(InvariantBroken, match=r"^I4:") as broken:
        run_state_machine_as_test(machine_in(offices), settings=short)
    story = re.findall(r"^state\.(\w+)\(seed=", "\n".join(broken.value.__notes__), re.MULTILINE)
    assert 1 <= len(story) <= 5
    assert {"approve_centrally", "approve_locally"} & set(story)
