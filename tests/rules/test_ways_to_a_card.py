"""No officer, and no two, get a card made and into a holder's hands, whatever their roles and way.

A real office is walked along every way of ``ways_to_a_card.GRAPH``: captures at a counter with prints or
without, packets of kits, with a supervisor's word or let in by a case, the archive, a province, a return by
the centre with a new capture, and a hand-over by the gateway's receipt or a supervisor's confirmation. At
every step each role is tried alone, and everybody who did something before. The claims are searched for
over what it answered, in all 131,072 sets of roles; that each claim can fail is shown by taking away a
rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from issuance_backend.dossiers import domain
from issuance_backend.dossiers.domain import Part
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.office_walk import real_workshop
from tests.rules.ways_to_a_card import (
    CAPTURES,
    EVERYTHING,
    STEPS,
    Model,
    Office,
    Pair,
    Walk,
    does_both,
    gets_through,
    least_officers,
    routes,
    shares,
)

SUPERVISING = frozenset({Role.SUPERVISOR})
NEEDS: Mapping[str, frozenset[Role]] = {
    "capture": frozenset({Role.CAPTURE}),
    "capture_without_prints": frozenset({Role.CAPTURE}),
    "answer_for": SUPERVISING,
    "seal": frozenset({Role.CAPTURE}),
    "seal_doubtfully": frozenset({Role.CAPTURE}),
    "vouch": SUPERVISING,
    "admit_kit": SUPERVISING,
    "admit_supervisor": SUPERVISING,
    "admit_key": SUPERVISING,
    "release": SUPERVISING,
    "approve_locally": frozenset({Role.APPROVER}),
    "ask_archive": frozenset({Role.PROCESSOR, Role.APPROVER}),
    "approve_lookup": frozenset({Role.DISTRICT_CHIEF}),
    "answer_lookup": frozenset({Role.ARCHIVE_CLERK}),
    "check": frozenset({Role.PROCESSOR}),
    "approve_at_province": frozenset({Role.APPROVER}),
    "send_back": frozenset({Role.CENTRAL_APPROVER}),
    "capture_again": frozenset({Role.CAPTURE}),
    "approve_anew": frozenset({Role.APPROVER}),
    "approve_centrally": frozenset({Role.CENTRAL_APPROVER}),
    "receive_blanks": frozenset({Role.STOCK_KEEPER}),
    "have_it_made": frozenset({Role.PRODUCTION}),
    "pack": frozenset({Role.PRODUCTION, Role.STOCK_KEEPER}),
    "carry": frozenset({Role.COURIER}),
    "take_in": frozenset({Role.OFFICE, Role.SUPERVISOR}),
    "confirm_holder": SUPERVISING,
    "hand_over": frozenset({Role.CAPTURE, Role.OFFICE}),
    "hand_over_by_receipt": frozenset({Role.CAPTURE, Role.OFFICE}),
}


def pairs(*steps: str) -> set[Pair]:
    """Each two of these."""
    return set(itertools.combinations(steps, 2))


def each_with(before: Iterable[str], after: Iterable[str]) -> set[Pair]:
    """Each of these with each of those."""
    return set(itertools.product(before, after))


WORDS = ("answer_for", "vouch", "admit_key")
"""What a capture rests on beside its officer's own word."""

DECIDING = ("approve_lookup", "answer_lookup", "approve_locally", "check", "approve_at_province")
APART = {
    *each_with((*CAPTURES, *WORDS), ("ask_archive", *DECIDING, "send_back", "approve_anew")),
    *each_with((*CAPTURES, *WORDS, *DECIDING), ("approve_centrally",)),
    *each_with(DECIDING, ("capture_again",)),
    *each_with(("check", "approve_lookup", "answer_lookup"), ("approve_anew",)),
    *pairs("capture_again", "approve_anew", "approve_centrally"),
    *pairs("approve_lookup", "answer_lookup", "approve_locally"),
    *{("ask_archive", "approve_lookup"), ("check", "approve_at_province")},
    *{("capture_without_prints", "answer_for"), ("vouch", "admit_supervisor")},
    *each_with(("seal", "seal_doubtfully"), ("vouch", "admit_key")),
    *{("receive_blanks", "have_it_made"), ("confirm_holder", "hand_over")},
    *pairs("pack", "carry", "take_in"),
}
"""Who did the one never does the other for the same card."""

BY_A_CASE = {"release", "admit_supervisor"}
"""Whom else an office keeps from these is for its intake to say: what is claimed here holds without."""

RELEVANT = frozenset[Role]().union(*NEEDS.values())


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    yield from opened(tmp_path_factory.mktemp("ways"))


def opened(folder: Path) -> Iterator[Walk]:
    place = folder / "office.db"
    database = Database(f"sqlite:///{place}")
    database.migrate(ISSUANCE_MIGRATIONS)
    yield Walk(Office(database, real_workshop(folder / "pki", database), folder), place)
    database.close()


@pytest.fixture(scope="module")
def model(walk: Walk) -> Model:
    """What the office of today refuses."""
    return walk.model()


def every_set() -> Iterator[frozenset[Role]]:
    for size in range(len(Role) + 1):
        yield from map(frozenset, itertools.combinations(Role, size))


def alone(model: Model) -> list[frozenset[Role]]:
    """The sets of roles, of all there are, with which one officer gets through."""
    get_through = cache(lambda roles: gets_through(model, roles) is not None)
    return [roles for roles in every_set() if get_through(roles & RELEVANT)]


def judge(model: Model) -> None:
    """Everything that is claimed of an office; raises AssertionError."""
    assert model.needs == NEEDS
    assert not [pair for pair in APART if does_both(model, pair)]
    assert alone(model) == []
    assert gets_through(model, EVERYTHING, EVERYTHING) is None
    assert gets_through(model, EVERYTHING, EVERYTHING, EVERYTHING)


def test_of_every_way_through_a_real_office(model: Model, walk: Walk) -> None:
    assert set(walk.roles) == set(STEPS)
    assert {step for route in routes() for step in route} == set(STEPS)
    assert len(list(routes())) == 6 * 3 * 2 * 2
    # On whatever way somebody came to a step, the same rule meets them there.
    assert all(said == {None} or None not in said for said in walk.answers.values())
    judge(model)
    assert all(BY_A_CASE & set(pair) for pair in model.apart - APART), model.apart - APART


def test_all_sets_of_roles_are_searched_and_the_search_would_find_one(model: Model) -> None:
    assert sum(1 for _ in every_set()) == 2 ** len(Role)
    found = alone(replace(model, apart=frozenset()))
    least = min(map(len, found))
    core = {Role.CAPTURE, Role.APPROVER, Role.CENTRAL_APPROVER, Role.STOCK_KEEPER}
    core |= {Role.PRODUCTION, Role.COURIER}
    # Whoever takes the box in hands over by the gateway's receipt, or confirms the holder himself.
    assert [roles for roles in found if len(roles) == least] == [
        core | {last} for last in Role if last in {Role.OFFICE, Role.SUPERVISOR}
    ]
    assert len(found) == 3 * 2 ** (len(Role) - least - 1)


@pytest.mark.parametrize(
    ("beginning", "officers"),
    [
        (("capture", "approve_locally"), 3),
        (("capture", "check"), 4),
        (("capture", "ask_archive"), 5),
        (("capture_without_prints", "answer_for", "approve_locally"), 4),
        (("capture_without_prints", "answer_for", "check"), 5),
        (("seal", "admit_kit", "admit_key", "approve_locally"), 4),
        (("seal", "admit_kit", "admit_key", "check"), 5),
    ],
)
def test_how_many_a_way_takes_and_so_many_do_it_in_a_real_office(
    model: Model, walk: Walk, beginning: tuple[str, ...], officers: int
) -> None:
    ways = [route for route in routes() if route[: len(beginning)] == beginning]
    assert len(ways) == 2 * 2
    for route in ways:
        assert least_officers(model, route) == officers
        share = next(shares(model, route, [EVERYTHING] * officers))
        walk.follow(dict(zip(route, share, strict=True)))


def test_a_role_more_than_their_part_takes_lets_nobody_do_it_alone(model: Model) -> None:
    route = next(routes())
    for share in itertools.islice(shares(model, route, [EVERYTHING] * 3), 200):
        for place in set(share):
            own = [NEEDS[step] for step, who in zip(route, share, strict=True) if who == place]
            assert not any(gets_through(model, frozenset().union(*own) | {role}) for role in Role)


@pytest.mark.parametrize("pair", sorted(APART))
def test_a_rule_that_is_taken_away_is_missed(model: Model, pair: Pair) -> None:
    with pytest.raises(AssertionError):
        judge(replace(model, apart=model.apart - {pair}))


@pytest.mark.parametrize("step", STEPS)
def test_a_role_that_nobody_asks_for_is_missed(model: Model, step: str) -> None:
    with pytest.raises(AssertionError):
        judge(replace(model, needs={**model.needs, step: frozenset(Role)}))


def test_an_office_that_forgot_its_rules_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require, require_only_part = Officer.require, domain.require_only_part

    def require_no_courier(self: Officer, *roles: Role) -> None:
        if roles != (Role.COURIER,):
            require(self, *roles)

    def require_no_approval_apart(officer: str, part: Part, taken: Mapping[Part, Iterable[str]]) -> None:
        if part not in {Part.LOCAL_APPROVAL, Part.CENTRAL_APPROVAL}:
            require_only_part(officer, part, taken)

    monkeypatch.setattr(domain, "require_only_part", require_no_approval_apart)
    monkeypatch.setattr(Officer, "require", require_no_courier)
    for walk in opened(tmp_path):
        model = walk.model()
    assert model.needs["carry"] == set(Role)
    approvals = {"approve_locally", "approve_at_province", "approve_anew", "approve_centrally"}
    assert APART - model.apart == {pair for pair in APART if pair[1] in approvals}
    assert all(does_both(model, pair) for pair in APART - model.apart)
    with pytest.raises(AssertionError):
        judge(replace(model, needs=NEEDS))
