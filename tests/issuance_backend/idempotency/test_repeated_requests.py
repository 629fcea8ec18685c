"""A request that comes again with its key: answered as before, worked on once, on both engines."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import insert, select

from issuance_backend import recorded_events
from issuance_backend.dossiers.approval_lists.service import ListDesk
from issuance_backend.idempotency.domain import ATTEMPT_LENGTH, KEPT_FOR, Attempt, KeptAnswer
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.idempotency.tables import IDEMPOTENT_REQUESTS
from issuance_backend.refusals import AnswerLost, IdempotencyConflict, RequestStillRunning
from issuance_backend.schema import PORTRAITS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, Office, OfficerClient, capture_body, citizens
from verification.errors import VerificationError

KEY, OTHER_KEY = "key-0000000000001", "key-0000000000002"
DONE = KeptAnswer(200, "application/json", b"{}")
PERSON = citizens()[0]
LISTS = "/v1/approval-lists"


def dossier_of(office: Office) -> str:
    return str(office.sign_in("lan.capture").capture(PERSON).get_json()["id"])


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_the_same_request_again_is_answered_as_before_and_done_once(office: Office) -> None:
    dossier, minh = dossier_of(office), office.sign_in("minh.approve")
    body = minh.signed(dossier)
    first, second = minh.post(LISTS, body, key=KEY), minh.post(LISTS, body, key=KEY)
    assert (first.status_code, first.data) == (second.status_code, second.data) == (201, first.data)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Cache-Control"] == "no-store"
    another = minh.post(LISTS, body)
    assert "Idempotent-Replayed" not in another.headers, "without a key it is another request"
    assert another.data == first.data, "of the same list"
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"dossier/{dossier}")
    assert [step.event for step in steps].count("approve_locally") == 1


def test_another_request_with_the_same_key_is_refused(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    body = capture_body(PERSON, "capture-0000000001")
    assert lan.post("/v1/counter-captures", body, key=KEY).status_code == 201
    other = {**body, "capture_id": "capture-0000000002"}
    assert code(lan.post("/v1/counter-captures", other, key=KEY)) == (422, "IDEMPOTENCY_CONFLICT")
    assert code(lan.post("/v1/counter-captures?x=1", body, key=KEY)) == (422, "IDEMPOTENCY_CONFLICT")
    # The same request again is none of that, and a capture that was begun is again told as begun.
    assert lan.post("/v1/counter-captures", body, key=KEY).status_code == 201


def test_a_key_is_its_callers_own(office: Office) -> None:
    minh = office.sign_in("minh.approve")
    body = minh.signed(dossier_of(office))
    assert minh.post(LISTS, body, key=KEY).status_code == 201
    assert code(office.sign_in("lan.capture").post(LISTS, body, key=KEY)) == (403, "OFFICER_ROLE_MISSING")


def test_a_kept_answer_is_told_to_nobody_who_is_not_signed_in(office: Office) -> None:
    minh = office.sign_in("minh.approve")
    body = minh.signed(dossier_of(office))
    minh.post(LISTS, body, key=KEY)
    minh.client.delete("/v1/officer-sessions/current", headers={"Authorization": f"Bearer {minh.token}"})
    assert code(minh.post(LISTS, body, key=KEY)) == (401, "OFFICER_SESSION_ENDED")


def test_a_refusal_that_changed_nothing_may_turn_out_otherwise_later(office: Office) -> None:
    """The registry was down: the same request with the same key goes through when it is up again."""
    lan, body = office.sign_in("lan.capture"), capture_body(PERSON, "capture-0000000001")
    office.registry.is_up = False
    assert lan.post("/v1/counter-captures", body, key=KEY).status_code == 503
    office.registry.is_up = True
    assert lan.post("/v1/counter-captures", body, key=KEY).status_code == 201


@pytest.mark.parametrize("key", ["short", "x" * 129, "with spaces in the key", "có-dấu-tiếng-Việt-0000"])
def test_a_key_that_could_come_twice_by_chance_is_refused(office: Office, key: str) -> None:
    refused = office.sign_in("lan.capture").post("/v1/counter-captures", {}, key=key)
    assert code(refused) == (400, "REQUEST_MALFORMED")


def test_what_took_effect_and_then_failed_is_not_done_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier, minh = dossier_of(office), office.sign_in("minh.approve")
    body = minh.signed(dossier)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ListDesk, "view", fails)
    assert minh.post(LISTS, body, key=KEY).status_code == 500
    monkeypatch.undo()
    assert code(minh.post(LISTS, body, key=KEY)) == (409, "ANSWER_LOST")
    assert minh.get(f"/v1/dossiers/{dossier}").get_json()["state"] == "dedup_1n"


def test_the_same_request_many_times_at_once_takes_effect_once(office: Office) -> None:
    dossier, minh = dossier_of(office), office.sign_in("minh.approve")
    body = minh.signed(dossier)
    start = threading.Barrier(6)

    def send() -> Any:
        start.wait(20)
        return OfficerClient(office.client(), minh.token).post(LISTS, body, key=KEY)

    with ThreadPoolExecutor(6) as pool:
        answers = [each.result(60) for each in [pool.submit(send) for _ in range(6)]]
    codes = {answer.get_json().get("code") for answer in answers}
    assert codes <= {None, "REQUEST_STILL_RUNNING"}
    assert None in codes
    assert minh.post(LISTS, body, key=KEY).status_code == 201
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"dossier/{dossier}")
    assert [step.event for step in steps].count("approve_locally") == 1


# -- the register itself: programs that stop, clocks that run


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(ISSUANCE_MIGRATIONS))


def effect(database: Database, name: str) -> None:
    with database.writing() as connection:
        connection.execute(insert(PORTRAITS).values(name=name, content=b"x"))


def effects(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(PORTRAITS.c.name)).scalars())


def begun(register: RequestRegister, digest: str = "d") -> Attempt:
    attempt = register.begin("lan", KEY, digest)
    assert isinstance(attempt, Attempt)
    return attempt


def test_a_program_that_stopped_before_the_effect_lets_another_try(database: Database) -> None:
    now = [NOW]
    register = RequestRegister(database, lambda: now[0])
    stopped = begun(register)
    with pytest.raises(RequestStillRunning):
        begun(register)
    now[0] += ATTEMPT_LENGTH
    second = begun(register)
    # The one that was thought dead wakes up: what it commits under this key is taken back.
    with pytest.raises(RequestStillRunning), register.executing(stopped):
        effect(database, "twice")
    with register.executing(second):
        effect(database, "once")
    assert effects(database) == ["once"]


def test_a_program_that_stopped_after_the_effect_is_followed_by_nobody(database: Database) -> None:
    now = [NOW]
    register = RequestRegister(database, lambda: now[0])
    with register.executing(begun(register)):
        effect(database, "once")
    with pytest.raises(RequestStillRunning):
        begun(register)
    now[0] += ATTEMPT_LENGTH
    with pytest.raises(AnswerLost):
        begun(register)
    with pytest.raises(IdempotencyConflict):
        begun(register, "another")


def test_an_answer_is_kept_a_day_and_then_forgotten(database: Database) -> None:
    now = [NOW]
    register = RequestRegister(database, lambda: now[0])
    register.finish(begun(register), DONE)
    now[0] += KEPT_FOR - timedelta(microseconds=1)
    assert register.begin("lan", KEY, "d") == DONE
    assert register.purge() == 0
    now[0] += timedelta(microseconds=1)
    assert register.purge() == 1
    begun(register)
    with database.reading() as connection:
        assert len(connection.execute(select(IDEMPOTENT_REQUESTS)).all()) == 1


def test_an_old_key_is_free_again_before_anybody_purges(database: Database) -> None:
    now = [NOW]
    register = RequestRegister(database, lambda: now[0])
    register.finish(begun(register), DONE)
    now[0] += KEPT_FOR
    begun(register, "another request")


class Register(RuleBasedStateMachine):
    """Two programs under one key: they begin, commit, answer, stop and sleep in any order."""

    engine: Engine

    @initialize()
    def open(self) -> None:
        self.now = [NOW]
        self.database = Database(self.engine.copy(EMPTY[self.engine.name]))
        self.register = RequestRegister(self.database, lambda: self.now[0])
        self.attempts: list[Attempt] = []
        self.answered: list[KeptAnswer] = []

    @rule()
    def begin(self) -> None:
        with suppress(VerificationError):
            begun = self.register.begin("lan", KEY, "d")
            if isinstance(begun, Attempt):
                assert not self.answered
                self.attempts.append(begun)
            else:
                assert begun == self.answered[0]

    @rule(which=st.integers(0, 9))
    def commit(self, which: int) -> None:
        if self.attempts:
            attempt = self.attempts[which % len(self.attempts)]
            # One attempt may commit several times, as production does; two attempts never both.
            with suppress(RequestStillRunning), self.register.executing(attempt):
                effect(self.database, f"{attempt.name}{len(effects(self.database))}")

    @rule(which=st.integers(0, 9), status=st.sampled_from([200, 409, 500]))
    def answer(self, which: int, status: int) -> None:
        if self.attempts:
            attempt = self.attempts[which % len(self.attempts)]
            answer = KeptAnswer(status, "application/json", attempt.name.encode())
            self.register.finish(attempt, answer)
            with self.database.reading() as connection:
                row = connection.execute(select(IDEMPOTENT_REQUESTS)).one_or_none()
            if row is not None and row.status is not None and not self.answered:
                self.answered.append(KeptAnswer(row.status, row.content_type, bytes(row.answer)))
            self.attempts.remove(attempt)

    @rule()
    def stop(self) -> None:
        self.attempts.clear()

    @rule()
    def sleep(self) -> None:
        self.now[0] += ATTEMPT_LENGTH

    @invariant()
    def only_one_attempt_took_effect(self) -> None:
        if hasattr(self, "database"):
            assert len({name[:32] for name in effects(self.database)}) <= 1

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()


EMPTY: dict[str, str] = {}


def test_no_two_attempts_ever_take_effect(database_engine: Engine) -> None:
    EMPTY[database_engine.name] = database_engine.new()
    empty = Database(EMPTY[database_engine.name])
    empty.migrate(ISSUANCE_MIGRATIONS)
    empty.close()
    examples = 40 if database_engine.name == "sqlite" else 15
    machine = type("OnThisEngine", (Register,), {"engine": database_engine})
    limits = settings(max_examples=examples, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(machine, settings=settings(limits, suppress_health_check=list(HealthCheck)))
