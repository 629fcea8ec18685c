"""Every target for a second: no foreign exception, nothing over 200 ms, memory bounded."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import MEMORY_MB, Outcome, fuzz
from tests.fuzz.targets import TARGETS, Target, TooSlow
from verification.errors import MalformedDocument

SECONDS = 1
LEAST_RUNS = 20
"""Fewer means that the fuzzer did not get to work; the slowest target makes some hundreds."""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {outcome.target: outcome for outcome in fuzz(TARGETS, SECONDS)}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert outcome.finding is None, outcome.finding
    assert outcome.runs >= LEAST_RUNS
    assert 0 < outcome.peak_mb < MEMORY_MB


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"apdu_responses", "card_answers_altered"}))
def test_its_seeds_are_genuine(name: str) -> None:
    found = TARGETS[name].seeds()
    assert found
    for content in found:
        TARGETS[name].run(content)


def test_an_unaltered_card_is_read_to_its_end() -> None:
    TARGETS["card_answers_altered"].run(b"")


def test_a_target_lets_our_errors_pass_and_no_others() -> None:
    def refuse(_data: bytes) -> None:
        raise MalformedDocument("as it should")

    def stumble(data: bytes) -> int:
        return data[1]

    def dawdle(_data: bytes) -> int:
        return sum(range(30_000_000))

    Target(refuse, list)(b"")
    with pytest.raises(IndexError):
        Target(stumble, list)(b"")
    with pytest.raises(TooSlow):
        Target(dawdle, list)(b"")
