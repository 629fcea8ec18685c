"""Offices walked from their first day on both engines, and whether their judges can be fooled.

All of them go through the services and the database: captures, packets, approvals, orders, blanks, cards,
boxes, hand-overs, accounts, deaths, refusals of each, and what comes a second time. Hypothesis leads such
offices 100,000 events further (``test_office_machine``); ``make bench ONLY=million_walk`` walks a million.

Where each invariant is checked, and where its check is shown to be able to fail:

==== ==========================================  ========================================================
I1   office_invariants, at every judgement       here, MUTATIONS
I2   office_invariants, after every single line  here, MUTATIONS; threads and processes: credentials/
I3   number_office: NumbersInAnyOrder, and       test_mutated_machines
     identities/test_record_office for merges;
     all desks together: test_registry_machine   there, a rule taken away
I4   office_invariants, with examiners and both  here, MUTATIONS and offices without the rule;
     hands of a destruction; all roles and       rules/test_ways_to_a_card
     pairs in rules/test_ways_to_a_card
I5   office_invariants, fold of every subject    here, MUTATIONS; the chain itself: test_recorded_events
I6   office_acts: captures and packets again;    here, a desk that forgets what it knows
     requests: idempotency/test_repeated_requests
I7   intake/test_order_and_cases                 test_mutated_machines
I8   office_invariants, four books compared      here, MUTATIONS and a spoiled blank nobody writes off
I9   office_invariants                           here, MUTATIONS
I10  office_invariants, all clocks of dossiers   here, MUTATIONS
I11  publication: PublishedInAnyOrder;           test_mutated_machines; there
     test_registry_machine
I12  issuance_backend/test_store_profile         there, in either order and at once
I13  test_answers_to_partners: contracts, cards   there, a gateway that releases everything
     and holders that change while a tap is on
I14  dc01/test_invariants: random work;          test_mutated_machines; there
     test_registry_machine
I15  test_revocations: packets and revocations   there, a centre that believes either moment
     in any order; callers: gateway/test_callers
==== ==========================================  ========================================================
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts, approval_desk, case_parts
from issuance_backend.dossiers.capture_desk import CaptureDesk
from issuance_backend.officers.domain import Officer
from issuance_backend.personalization.blank_stock import service as blank_stock
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.properties.many_walks import EVENTS_EACH, make_all
from tests.properties.office_invariants import CHECKS, InvariantBroken, Invariants
from tests.properties.office_walk import OfficeWalk, real_workshop
from tests.support.engines import Engine

WALKS = {"sqlite": 2, "postgresql": 2}
"""Offices of EVENTS_EACH events: 8,000 through each engine, each a transaction."""

PROGRAMS = 2
HAPPENS = {
    *(
        "capture",
        "receive",
        "validate",
        "return",
        "check",
        "approve_locally",
        "approve_centrally",
        "complete",
    ),
    *("ask_archive", "approve_lookup", "answer_lookup", "propose_rejection", "reject", "withdraw"),
    *("order", "begin", "written", "pass", "fail", "spoil", "pack", "dispatch", "hand_over", "replace"),
    *("search", "find_nobody", "find_somebody", "decide", "agree", "differ", "settle"),
    *("confirm", "different"),
    *("suspend", "resume", "revoke", "age", "return_to_centre", "destroy", "approve", "activate", "close"),
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk") / "pki"


@pytest.fixture
def database(database_engine: Engine) -> Iterator[Database]:
    made = Database(database_engine.migrated(ISSUANCE_MIGRATIONS))
    yield made
    made.close()


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory, pki: Path) -> Iterator[Database]:
    """An office in which examiners decided; every mutation of it is undone."""
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('examined') / 'office.db'}")
    made.migrate(ISSUANCE_MIGRATIONS)
    walked(made, pki, 5, 1_500)
    yield made
    made.close()


def walked(database: Database, pki: Path, seed: int, events: int) -> OfficeWalk:
    walk = OfficeWalk(database, real_workshop(pki, database), seed)
    walk.run(events)
    return walk


def test_the_invariants_hold_whatever_happens(database_engine: Engine, tmp_path: Path) -> None:
    walks = WALKS[database_engine.name]
    walked = make_all(database_engine, tmp_path, range(walks), EVENTS_EACH, PROGRAMS)
    assert walked.events == walks * EVENTS_EACH
    # A walk that is refused everywhere would prove nothing: most of what may happen did, and often.
    assert walked.done > walked.events / 3
    assert walked.lines > walked.events / 3
    assert not HAPPENS - set(walked.happened), walked.happened


def test_the_same_seed_walks_the_same_way(database_engine: Engine, pki: Path) -> None:
    told = []
    for _ in range(2):
        made = Database(database_engine.migrated(ISSUANCE_MIGRATIONS))
        walked(made, pki, 77, 300)
        with made.reading() as connection:
            asked = text("SELECT subject, event, state, actor, at FROM events ORDER BY sequence")
            told.append([tuple(row) for row in connection.execute(asked)])
        made.close()
    assert len(told[0]) > 100
    assert told[0] == told[1]


def test_the_invariants_hold_while_several_work_at_once(database: Database, pki: Path) -> None:
    walks = [OfficeWalk(database, real_workshop(pki, database), (9, place)) for place in range(4)]
    faults: list[BaseException] = []

    def work(walk: OfficeWalk) -> None:
        try:
            for _ in range(150):
                walk.step()
        except BaseException as fault:  # noqa: BLE001 - whatever it is, the test fails with it
            faults.append(fault)

    for place, walk in enumerate(walks):
        # Their own blanks and packets: two deliveries of one serial would only refuse each other.
        walk.shared, walk.blanks, walk.brought = True, 100_000 * place, 100_000 * place
    threads = [threading.Thread(target=work, args=(walk,)) for walk in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    walks[0].judge(Invariants())
    with database.reading() as connection:
        assert recorded_events.verify(connection) > 100


MUTATIONS = {
    "I1": "UPDATE events SET event = 'approve_locally' WHERE event = 'approve_centrally'",
    "I2": "UPDATE credentials SET citizen_number = '001' WHERE state = 'active'",
    "I4": "UPDATE events SET actor = 'x' WHERE event IN ('capture', 'approve_locally', 'approve_centrally')",
    "I5": "UPDATE dossiers SET state = 'withdrawn' WHERE state = 'completed'",
    "I8": "UPDATE blank_accounts SET balance = balance + 1 WHERE account = 'issued'",
    "I9": "UPDATE credentials SET place = 'centre' WHERE state = 'active'",
    "I10": "UPDATE figure_days SET balance = balance + 1 WHERE figure = 'clock.total.pause'",
}


def judge_after(database: Database, mutation: str) -> None:
    """Judge an office that something was done to, and undo it."""
    with database.writing() as connection:
        connection.execute(text("DROP INDEX IF EXISTS one_active_card"))
        assert connection.exec_driver_sql(mutation).rowcount
        Invariants().check(connection)


def test_every_judge_sees_what_it_is_there_for(database: Database, pki: Path) -> None:
    walked(database, pki, 5, 1_500)
    assert set(MUTATIONS) == set(CHECKS)
    for invariant, mutation in MUTATIONS.items():
        with pytest.raises(InvariantBroken, match=f"^{invariant}:"):
            judge_after(database, mutation)
    with database.reading() as connection:
        Invariants().check(connection)


def test_an_office_without_four_eyes_is_found_out(
    database: Database, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval_desk, "_require_only_part", lambda *_: None)
    with pytest.raises(InvariantBroken, match=r"^I4:.*seed 3"):
        walked(database, pki, 3, 1_500)


@pytest.mark.parametrize(
    ("invariant", "mutation"),
    [
        ("I1", "UPDATE events SET event = 'find_somebody' WHERE event = 'find_nobody'"),
        ("I4", "UPDATE events SET actor = 'x' WHERE event IN ('decide', 'agree', 'differ', 'settle')"),
        ("I4", "UPDATE events SET actor = 'x' WHERE event IN ('decide', 'capture')"),
        ("I4", "UPDATE events SET detail = '{\"finding\": \"fraud\"}' WHERE event = 'decide'"),
        ("I4", "UPDATE adjudication_cases SET truth = true WHERE state = 'decided'"),
        ("I5", "UPDATE adjudication_cases SET state = 'open' WHERE state = 'decided'"),
    ],
)
def test_the_judge_knows_examiners(examined: Database, invariant: str, mutation: str) -> None:
    with pytest.raises(InvariantBroken, match=f"^{invariant}:"):
        judge_after(examined, mutation)


@pytest.mark.parametrize(
    ("where", "forgotten", "nobody"),
    [(acts, ("took_part", "worked_on"), set), (case_parts, ("examiners",), dict)],
    ids=["at the case", "afterwards"],
)
def test_an_office_whose_examiners_may_have_another_part_is_found_out(
    database: Database,
    pki: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    forgotten: tuple[str, ...],
    nobody: Callable[[], object],
) -> None:
    for each in forgotten:
        monkeypatch.setattr(where, each, lambda *_: nobody())
    with pytest.raises(InvariantBroken, match=r"^I4:.*seed 3"):
        walked(database, pki, 3, 2_500)


def test_a_province_where_one_approves_alone_is_found_out(
    database: Database, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Officer, "is_provincial", False)
    with pytest.raises(InvariantBroken, match=r"^I4:.*at a province alone"):
        walked(database, pki, 3, 1_500)


def test_a_spoiled_blank_that_nobody_writes_off_is_found_out(
    database: Database, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blank_stock, "spoil", lambda *_: None)
    with pytest.raises(InvariantBroken, match=r"^I8:"):
        walked(database, pki, 3, 1_500)


def test_a_desk_that_forgets_what_it_has_seen_is_found_out(
    database: Database, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CaptureDesk, "_replayed", lambda *_: {})
    with pytest.raises(InvariantBroken, match=r"^I6:"):
        walked(database, pki, 3, 1_500)
