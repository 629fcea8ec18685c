"""Figures of partners' calls: held against the log itself, told to whom they belong, and as a page."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import sqlite3
from base64 import b64encode
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from werkzeug.test import TestResponse

from gateway import __main__ as program
from gateway.adapters.evidence_log import SqlEvidenceLog, audit
from gateway.adapters.sql_schema import MIGRATIONS
from gateway.adapters.sql_sessions import SqlSessions
from gateway.domain.call_figures import LATENCY_LIMITS_MS, SLOWER, UNMEASURED, latency_class, quantile_ms
from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.session import Session, SessionState
from gateway.ports import DecisionRecord
from tests.support.engines import Engine
from tests.support.gateway_world import AGENT, PARTNER, World, make_world, write_secret
from tests.support.partner_program import PartnerProgram
from verification.errors import RegistryUnavailable
from verification.messages.receipt import LogEntry

OPERATOR = "o" * 40
ALL, OWN, PAGE = "/v1/operator/figures/calls", "/v1/figures/calls", "/operator/figures"
OTHER = "hospital-two"


@pytest.fixture
def world(tmp_path: Path, database_engine: Engine) -> World:
    token = tmp_path / "operator.token"
    write_secret(token, OPERATOR.encode())
    return make_world(tmp_path, database_url=database_engine.migrated(MIGRATIONS), operator_token_file=token)


def operator(world: World, path: str = ALL, **query: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    return world.app.test_client().get(path, query_string=query, headers=headers)


def told(world: World, **query: str) -> dict[str, Any]:
    answer = operator(world, **query)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = json.loads(answer.data)
    return content


def decided(world: World, purpose: str, took_ms: int = 0, **evidence: object) -> None:
    """A decision of the real desk, whose registry needs so long to answer."""
    ask = world.registry.ask

    def slowly(query: Any) -> Any:
        world.clock.move(milliseconds=took_ms)
        return ask(query)

    world.registry.ask = slowly  # type: ignore[method-assign]
    try:
        opened = world.counter.open(purpose)
        world.answer(world.counter.submit(world.evidence(opened, **evidence)))  # type: ignore[arg-type]
    finally:
        world.registry.ask = ask  # type: ignore[method-assign]


def at_facility(world: World, facility: str | None) -> None:
    key = world.counter.key.public_key()
    world.directory.add_agent(Agent(AGENT, PARTNER, Standing.ACTIVE, key, facility))


def test_a_decision_is_counted_with_its_result_its_time_and_its_facility(world: World) -> None:
    at_facility(world, "01013")
    for took_ms in (40, 120, 120, 6_000):
        decided(world, "hospital.check_in", took_ms)
    decided(world, "bank.counter.identify", chip=False)
    world.registry.answer = RegistryUnavailable("down")
    decided(world, "hospital.check_in", 300)
    report = told(world)
    assert (report["records"], report["counted"]) == (6, 6)
    day = report["results"][0]["day"]
    by_result = {
        (line["purpose"], line["outcome"], line["code"]): line["calls"] for line in report["results"]
    }
    assert by_result == {
        ("hospital.check_in", "verified", None): 4,
        ("hospital.check_in", "unavailable", "REGISTRY_UNAVAILABLE"): 1,
        ("bank.counter.identify", "refused", "ASSURANCE_TOO_LOW"): 1,
    }
    bank, hospital = report["services"]
    assert (bank["product"], bank["verified"], bank["calls"]) == ("bank.counter.identify@2026-11-01", 0, 1)
    assert (hospital["verified"], hospital["calls"], hospital["measured"]) == (4, 5, 5)
    assert hospital["latency"] == [
        {"up_to_ms": 50, "calls": 1},
        {"up_to_ms": 200, "calls": 2},
        {"up_to_ms": 300, "calls": 1},
        {"up_to_ms": None, "calls": 1},
    ]
    assert (hospital["p50_ms"], hospital["p95_ms"]) == (200, None)
    assert report["facilities"] == [
        {"day": day, "partner": PARTNER, "facility": "01013", "checked_in": 4, "calls": 5}
    ]


def test_a_counter_that_moves_takes_none_of_its_former_check_ins_along(world: World) -> None:
    for facility in ("01013", "01013", "79005", None):
        at_facility(world, facility)
        decided(world, "hospital.check_in")
    lines = {line["facility"]: line["checked_in"] for line in told(world)["facilities"]}
    assert lines == {"01013": 2, "79005": 1, None: 1}


def test_what_was_refused_before_it_was_decided_is_no_call(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    world.answer(world.counter.submit(evidence))
    assert world.counter.submit(evidence).status_code == 409
    assert [line["calls"] for line in told(world)["results"]] == [1]


def test_a_partner_sees_its_own_calls_and_nobody_elses(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = frozenset({"hospital.check_in"})
    world.directory.add_partner(Partner(OTHER, "H", Standing.ACTIVE, key.public_key(), purposes))
    decided(world, "hospital.check_in")
    write_log(world, 25, seed=3, partners=(PARTNER, OTHER))
    everybody = told(world, since="2026-10-01", until="2026-12-01")
    assert {line["partner"] for line in everybody["results"]} == {PARTNER, OTHER}
    for partner, signing in ((PARTNER, world.partner_key), (OTHER, key)):
        program = PartnerProgram(world, partner, signing)
        query = "?since=2026-10-01&until=2026-12-01"
        own = json.loads(program.send("GET", f"{OWN}{query}").data)
        for part in ("results", "services", "facilities"):
            assert own[part] == [line for line in everybody[part] if line["partner"] == partner]
            assert own[part]
        assert (own["records"], own["counted"]) == (None, None)
        rows = list(csv.DictReader(io.StringIO(program.send("GET", f"{OWN}{query}&format=csv").text)))
        assert {row["partner"] for row in rows} == {partner}
        assert program.send("GET", ALL).status_code == 401
        assert program.send("GET", PAGE).status_code == 401


def test_a_counter_sees_no_figures(world: World) -> None:
    for path in (OWN, ALL, PAGE):
        assert world.counter.send("GET", path).status_code == 401


def test_only_the_operators_secret_opens_every_partners_figures(world: World, tmp_path: Path) -> None:
    client = world.app.test_client()
    for secret in ("", "x", OPERATOR[:-1], OPERATOR + "o", OPERATOR.upper()):
        for header in (f"Bearer {secret}", "Basic " + b64encode(f"op:{secret}".encode()).decode(), secret):
            answer = client.get(ALL, headers={"Authorization": header})
            assert (answer.status_code, json.loads(answer.data)["code"]) == (401, "OPERATOR_UNKNOWN")
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    basic = "Basic " + b64encode(f"anybody:{OPERATOR}".encode()).decode()
    assert client.get(PAGE, headers={"Authorization": basic}).status_code == 200
    folder = tmp_path / "none"
    folder.mkdir()
    nobody = make_world(folder)
    for header in ("Bearer ", "Bearer None", "Basic Og==", f"Bearer {OPERATOR}"):
        assert nobody.app.test_client().get(ALL, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-11-02", "until": "2026-11-01"},
        {"since": "2026-08-01", "until": "2026-11-01"},
        {"since": "20261101"},
        {"until": "2026-W47-1"},
        {"until": "x" * 9},
        {"since": "0001-01-01"},
        {"format": "xml"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "50001", "format": "csv"},
        {"limit": "٣"},
        {"results_after": "x"},
        {"facilities_after": "é"},
        {"calls_after": "WzFd", "format": "csv"},
        {"results_after": "a" * 2_000},
    ],
)
def test_a_question_that_is_none_is_refused(world: World, query: dict[str, str]) -> None:
    answer = operator(world, **query)
    assert (answer.status_code, json.loads(answer.data)["code"]) == (400, "REQUEST_MALFORMED")


def test_long_lists_come_in_pages(world: World) -> None:
    write_log(world, 40, seed=5)
    days = {"since": "2026-10-01", "until": "2026-12-01"}
    whole = told(world, **days)
    for name in ("results", "facilities"):
        assert len(whole[name]) > 7
        found, after = [], {}
        while after is not None:
            page = told(world, limit="7", **days, **after)
            assert len(page[name]) <= 7
            assert page["services"] == whole["services"], "sums are of the whole time"
            found += page[name]
            after = {f"{name}_after": page[f"{name}_next"]} if page[f"{name}_next"] else None
        assert found == whole[name]
    everything = list(csv.DictReader(io.StringIO(operator(world, format="csv", **days).text)))
    rows, path = [], f"{ALL}?format=csv&limit=7&since=2026-10-01&until=2026-12-01"
    while path:
        answer = world.app.test_client().get(path, headers={"Authorization": f"Bearer {OPERATOR}"})
        rows += list(csv.DictReader(io.StringIO(answer.text)))
        path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert rows == everything
    assert len(rows) > 7
    page = operator(world, PAGE, limit="7", **days).text
    assert "Xem tiếp" in page
    assert f"results_after={told(world, limit='7', **days)['results_next']}" in page
    assert "Xem tiếp" not in operator(world, PAGE, **days).text


def test_the_first_day_of_all_can_be_asked_for(world: World) -> None:
    assert told(world, until="0001-01-01")["results"] == []
    assert told(world, since="9999-12-31", until="9999-12-31")["results"] == []


def test_the_page_draws_the_figures_in_both_languages(world: World) -> None:
    assert "Không có lượt gọi nào" in operator(world, PAGE).text
    at_facility(world, "01013")
    decided(world, "hospital.check_in", 120)
    page = operator(world, PAGE)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for word in ("hospital.check_in@2026-11-02", "01013", "100,0 %", "đến 200 ms: 1 lượt", "1 / 1"):
        assert word in page.text
    assert "<td>04/05/2026</td>" in page.text, "days are written alike everywhere"
    english = operator(world, PAGE, lang="en").text
    assert "up to 200 ms: 1" in english
    assert 'role="alert"' not in english
    with world.database.writing() as connection:
        connection.execute(text("UPDATE counted_calls SET calls = 2"))
    assert 'role="alert"' in operator(world, PAGE).text


RESULTS = (
    ("verified", None),
    ("refused", "CARD_LOST"),
    ("refused", "FACE_NOT_MATCHED"),
    ("unavailable", "X"),
)
PURPOSES = ("hospital.check_in", "bank.counter.identify", "bank.counter.identify.passive")
FACILITIES = (None, "01013", "79005")


def write_log(world: World, entries: int, *, seed: int, partners: tuple[str, ...] = (PARTNER,)) -> None:
    """Decisions of any kind, straight into the log: its own code counts them."""
    drawn = random.Random(seed)  # noqa: S311 - of no use to anybody who guesses it
    log = SqlEvidenceLog(world.database, "test", world.log_key)
    sessions = SqlSessions(world.database)
    for number in range(entries):
        # Around midnight in Viet Nam as well as at any hour.
        recorded = datetime(2026, 11, 1, 16, 59, tzinfo=UTC) + timedelta(minutes=drawn.randrange(20_000))
        outcome, code = drawn.choice(RESULTS)
        partner, purpose = drawn.choice(partners), drawn.choice(PURPOSES)
        name = f"vs_{seed}_{number}"
        session = Session(
            id=name, partner=partner, agent=None, purpose=purpose, language="vi", challenge=b"12345678",
            state=SessionState.OPENED, opened_at=recorded, expires_at=recorded + timedelta(minutes=5),
            consent="1 vi card_presented",
        )  # fmt: skip
        sessions.open(session, partner, name, "0" * 64)
        record = DecisionRecord(
            recorded_at=recorded, action="verification.decided", actor="agent:a", partner=partner,
            purpose=purpose, session=name, subject="", evidence="", outcome=outcome, code=code, assurance={},
            checks=(), policy=f"{purpose}@{drawn.choice(('1', '2'))}", took_ms=drawn.randrange(7_000),
            facility=drawn.choice(FACILITIES),
        )  # fmt: skip
        log.record(record, sessions.claim(name, "e", recorded))


def in_the_log(world: World) -> list[tuple[LogEntry, str | None, int | None]]:
    with world.database.reading() as connection:
        rows = connection.execute(text("SELECT entry, facility, took_ms FROM log_entries")).all()
    return [(msgspec.json.decode(bytes(entry), type=LogEntry), *others) for entry, *others in rows]


def vietnamese_day(entry: LogEntry) -> date:
    return (datetime.fromisoformat(entry.recorded_at) + timedelta(hours=7)).date()


def test_the_counts_are_those_of_the_log(world: World) -> None:
    write_log(world, 80, seed=1)
    since, until = date(2026, 11, 3), date(2026, 11, 12)
    report = told(world, since=since.isoformat(), until=until.isoformat())
    entries = in_the_log(world)
    assert (report["records"], report["counted"]) == (len(entries), len(entries))
    inside = [each for each in entries if since <= vietnamese_day(each[0]) <= until]
    assert 0 < len(inside) < len(entries)
    results = Counter(
        (vietnamese_day(e).isoformat(), e.policy, e.purpose, e.outcome, e.code) for e, _, _ in inside
    )
    assert results == {
        (line["day"], line["product"], line["purpose"], line["outcome"], line["code"]): line["calls"]
        for line in report["results"]
    }
    assert sum(line["calls"] for line in report["results"]) == len(inside)
    for line in report["services"]:
        times = sorted(took for e, _, took in inside if e.policy == line["product"] and took is not None)
        assert (line["calls"], line["measured"]) == (len(times), len(times))
        for percent, said in ((50, line["p50_ms"]), (95, line["p95_ms"])):
            nearest = times[math.ceil(len(times) * percent / 100) - 1]
            assert said == next((limit for limit in LATENCY_LIMITS_MS if nearest <= limit), None)
    check_ins = Counter(
        (vietnamese_day(e).isoformat(), facility) for e, facility, _ in inside if e.purpose == PURPOSES[0]
    )
    assert check_ins == {(line["day"], line["facility"]): line["calls"] for line in report["facilities"]}
    rows = list(
        csv.DictReader(io.StringIO(operator(world, since=str(since), until=str(until), format="csv").text))
    )
    assert sum(int(row["calls"]) for row in rows) == len(inside)
    assert {row["as_of"] for row in rows} == {report["as_of"]}
    assert audit(world.database, world.log_key.public_key()) == len(entries)


def test_a_log_from_before_is_counted_when_the_gateway_is_brought_up_to_date(world: World) -> None:
    write_log(world, 30, seed=2)
    before = told(world, since="2026-11-01", until="2026-11-30")
    bring_to(world, "0004")
    bring_to(world, "head")
    after = told(world, since="2026-11-01", until="2026-11-30")
    assert after["results"] == before["results"]
    assert (after["records"], after["counted"]) == (30, 30)
    assert {(line["measured"], line["p50_ms"]) for line in after["services"]} == {(0, None)}
    assert {line["facility"] for line in after["facilities"]} == {None}


def bring_to(world: World, revision: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    with world.database.writing() as connection:
        configuration.attributes["connection"] = connection
        move = command.downgrade if revision.isdecimal() else command.upgrade
        move(configuration, revision)


def test_a_health_counter_is_registered_with_its_facility(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("trust_dir", "registry_url", "credentials_url", "service_token_file", "log_key", "seal_key"):
        monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(getattr(world.settings, name)))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", world.settings.public_url)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", world.settings.database_url)
    jwk = str(world.folder / "trust" / "log_key.jwk")
    add = ["agent", "add", "--id", "clinic", "--partner", PARTNER, "--jwk", jwk, "--facility"]
    assert program.main([*add, "01013"]) == 0
    found = world.directory.agent("clinic")
    assert found is not None
    assert found.facility == "01013"
    for wrong in ("", "01 013", "x" * 17, "0101é"):
        with pytest.raises(SystemExit):
            program.main([*add, wrong])
    capsys.readouterr()


def test_figures_read_the_days_asked_for_and_not_every_day(world: World) -> None:
    if not world.database.url.startswith("sqlite"):
        return
    question = "SELECT * FROM counted_calls WHERE day >= '2026-11-01' AND day <= '2026-11-30'"
    with sqlite3.connect(world.database.url.removeprefix("sqlite:///")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")]
    assert all(line.startswith("SEARCH counted_calls USING") for line in plan)


@given(st.lists(st.integers(0, 20_000), min_size=1), st.integers(1, 100))
def test_a_quantile_is_the_class_of_the_nearest_rank(times: list[int], percent: int) -> None:
    classes = Counter(latency_class(took) for took in times)
    nearest = sorted(times)[-(-len(times) * percent // 100) - 1]
    expected = latency_class(nearest)
    assert quantile_ms({**classes, UNMEASURED: 7}, percent) == (None if expected == SLOWER else expected)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile_ms({UNMEASURED: 3}, 95) is None
    assert quantile_ms({}, 50) is None
