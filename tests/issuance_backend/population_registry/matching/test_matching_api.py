from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, text, update

from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching import __main__ as command
from issuance_backend.population_registry.matching import repository
from issuance_backend.population_registry.matching.domain import prepare_claim, prepare_person
from issuance_backend.population_registry.matching.service import MAX_BLOCK, MatchingDesk
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.nation.old_records import old_records
from issuance_backend.population_registry.nation.people import NationPerson, NationPlan, make_nation
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.tables import PERSONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.matching_trial import TODAY
from tests.support.memory_index import MemoryIndex
from tests.support.registry_office import decided_by_two
from verification.identity.legacy_encodings import to_vni
from verification.messages.person_match import MatchQuery
from verification.messages.registry_access import HEADER, ReadingFor, stated

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PLAN = NationPlan(people=1_500, seed=5, today=TODAY)
NATION: list[NationPerson] = list(make_nation(PLAN))
PERSON: RegistryPerson = NATION[0].entry
TOKEN = "case-worker-token"


@pytest.fixture
def database(database_engine: Engine) -> Database:
    database = Database(database_engine.migrated(REGISTRY_MIGRATIONS))
    nation = NationOffice(database, lambda: NOW)
    nation.seed(PLAN)
    nation.index()
    return database


@pytest.fixture
def client(tmp_path: Path, database: Database) -> FlaskClient:
    callers = tmp_path / "callers.json"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    callers.write_text(json.dumps({"office": {"sha256": digest, "roles": ["person.match"]}}))
    settings = RegistrySettings(service_tokens=callers, database_url=database.url)
    return create_registry_app(settings).test_client()


def ask(client: FlaskClient, token: str = TOKEN, **query: Any) -> Any:
    return client.post("/v1/person-matches", json=query, headers={"Authorization": f"Bearer {token}"})


def test_an_old_paper_finds_its_person_with_reasons(client: FlaskClient) -> None:
    answer = ask(
        client,
        full_name=to_vni(PERSON.full_name),
        date_of_birth=f"{PERSON.date_of_birth:%d/%m/%Y}",
        sex=PERSON.sex,
        mother=to_vni(PERSON.mother),
    )
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["complete"] is True
    first = body["candidates"][0]
    assert (first["citizen_number"], first["likeness"]) == (PERSON.citizen_number, "likely")
    assert [item["level"] for item in first["evidence"]] == ["same", "same", "same", "same"]
    assert PERSON.mother not in answer.get_data(as_text=True)


def test_only_likely_others_are_told_and_each_person_once(client: FlaskClient, database: Database) -> None:
    """Who stands three times is one other person, told by the number that stands."""
    twins = [
        replace(PERSON, citizen_number=number, old_id=None) for number in ("001099000017", "001099000025")
    ]
    namesake = replace(
        PERSON,
        citizen_number="001055000033",
        old_id=None,
        date_of_birth=date(1955, 3, 3),
        mother="Đỗ Thị Mơ",
        father="",
    )
    with database.writing() as connection:
        entries.add(connection, [*twins, namesake], NOW)
    MatchingDesk(database, lambda: NOW).refresh()
    asked = {"full_name": PERSON.full_name, "date_of_birth": PERSON.date_of_birth.isoformat()}
    asked |= {"sex": PERSON.sex, "mother": PERSON.mother, "father": PERSON.father}
    everybody = {
        each["citizen_number"]: each["likeness"] for each in ask(client, **asked).get_json()["candidates"]
    }
    assert {everybody[number] for number in ("001099000017", "001099000025", PERSON.citizen_number)} == {
        "likely"
    }
    own = asked | {"others_than": PERSON.citizen_number}
    numbers = [each["citizen_number"] for each in ask(client, **own).get_json()["candidates"]]
    assert sorted(numbers) == ["001099000017", "001099000025"]
    decided_by_two(MergeDesk(database, lambda: NOW), "001099000017", "001099000025")
    numbers = [each["citizen_number"] for each in ask(client, **own).get_json()["candidates"]]
    assert numbers == ["001099000017"]
    own["others_than"] = "001099000025"
    numbers = [each["citizen_number"] for each in ask(client, **own).get_json()["candidates"]]
    assert numbers == [PERSON.citizen_number]


def test_whoever_is_named_in_an_answer_is_told_of_it(client: FlaskClient, database: Database) -> None:
    statement = ReadingFor(purpose="comparison", unit="001.002", roles="approver", officer="minh")
    headers = {"Authorization": f"Bearer {TOKEN}", HEADER: statement.header()}
    asked = {"full_name": PERSON.full_name, "date_of_birth": PERSON.date_of_birth.isoformat()}
    found = client.post("/v1/person-matches", json=asked, headers=headers).get_json()["candidates"]
    log = AccessLog(database, lambda: NOW)
    assert found
    for each in found:
        (told,) = log.of_person(each["citizen_number"])
        assert (told.reader, told.purpose, told.unit, told.officer) == (
            "office",
            "comparison",
            "001.002",
            "minh",
        )
    named = {each["citizen_number"] for each in found}
    stranger = next(each.entry.citizen_number for each in NATION if each.entry.citizen_number not in named)
    assert log.of_person(stranger) == ()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"full_name": ""}, 400),
        ({"full_name": "A" * 201}, 400),
        ({"full_name": "Lê Hoa", "sex": "X"}, 400),
        ({"full_name": "Lê Hoa", "limit": 51}, 400),
        ({"full_name": "Lê Hoa", "unknown": 1}, 400),
        ({"full_name": "Lê Hoa", "date_of_birth": "31/02/1990"}, 422),
    ],
)
def test_a_question_that_is_none_is_refused(client: FlaskClient, query: dict[str, Any], status: int) -> None:
    assert ask(client, **query).status_code == status


def test_a_caller_without_the_role_learns_nothing(client: FlaskClient) -> None:
    answer = ask(client, token="wrong", full_name=PERSON.full_name)
    assert answer.status_code == 401


def test_the_database_lists_whom_the_memory_lists(database: Database) -> None:
    index = MemoryIndex([prepare_person(person.entry) for person in NATION])
    with database.reading() as connection:
        counted = repository.frequencies(connection)
        for record in list(old_records(NATION, 8))[:300]:
            asked = prepare_claim(record.claim)
            block = repository.block(connection, asked, MAX_BLOCK)
            numbers = sorted(person.citizen_number for person in block)
            assert numbers == sorted(person.citizen_number for person in index.block(asked))
    assert counted.bits(["NGUYEN"]) == pytest.approx(index.scorer._frequencies.bits(["NGUYEN"]))


def test_every_key_is_looked_up_in_an_index(database: Database) -> None:
    """No question reads the whole table, on either engine."""
    asked = prepare_claim(next(old_records([NATION[0]], 1)).claim)
    asked = replace(asked, born=19800101, citizen_number="001080000001", old_id="010000001")
    seen: list[str] = []
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement = repository.BLOCK.params({**repository.keys_looked_up(asked), "most": 100})
        compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        seen = [str(row) for row in connection.exec_driver_sql(explain + str(compiled).replace("%", "%%"))]
    plan = "\n".join(seen)
    assert "SCAN match_entries" not in plan
    assert "Seq Scan" not in plan
    for name in ("old_id", "born", "whole_year", "whole_day", "head", "ends", "tail"):
        assert f"match_entries_{name}" in plan, name


def test_the_index_follows_the_registry(database: Database) -> None:
    desk = MatchingDesk(database, lambda: NOW)
    assert desk.refresh() == 0
    with database.writing() as connection:
        connection.execute(
            update(PERSONS)
            .where(PERSONS.c.citizen_number == PERSON.citizen_number)
            .values(full_name="Khổng Tước Vỹ")
        )
    assert desk.refresh() == 1
    found = desk.find(MatchQuery("Khong Tuoc Vi", date_of_birth=PERSON.date_of_birth.isoformat()))
    assert found.candidates[0].citizen_number == PERSON.citizen_number
    assert desk.refresh() == 0


def test_a_round_that_finds_nothing_holds_nobody_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(_: Database) -> None:
        raise AssertionError("readers of entries write it down, and wait for whoever writes")

    monkeypatch.setattr(Database, "writing", held)
    assert MatchingDesk(database, lambda: NOW).refresh() == 0


def test_entries_are_read_while_words_are_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, book = repository.names, ReadBook(database, lambda: NOW)

    def read_meanwhile(connection: Connection) -> Iterator[str]:
        book.note(PERSON.citizen_number, "gateway", stated("hospital.check_in", "clinic"))
        return counted(connection)

    monkeypatch.setattr(repository, "names", read_meanwhile)
    with database.writing() as connection:
        connection.execute(update(PERSONS).values(full_name="Khổng Tước Vỹ"))
    assert MatchingDesk(database, lambda: NOW).refresh() == PLAN.people
    assert len(AccessLog(database, lambda: NOW).of_person(PERSON.citizen_number)) == 1


def test_a_registry_that_was_never_indexed_does_not_say_that_there_is_nobody(database_engine: Engine) -> None:
    database = Database(database_engine.migrated(REGISTRY_MIGRATIONS))
    desk = MatchingDesk(database, lambda: NOW)
    asked = MatchQuery(PERSON.full_name, date_of_birth=PERSON.date_of_birth.isoformat())
    assert desk.find(asked).complete, "of nobody there is nobody"
    with database.writing() as connection:
        entries.add(connection, [PERSON], NOW)
    found = desk.find(asked)
    assert (found.candidates, found.complete) == ((), False)
    desk.refresh()
    assert desk.find(asked).complete
    assert desk.find(MatchQuery("Không Ai Cả", date_of_birth="1901-01-01")).complete


def test_shares_of_names_are_counted_anew_after_a_while(database: Database) -> None:
    now = [NOW]
    desk = MatchingDesk(database, lambda: now[0])
    query = MatchQuery(PERSON.full_name, date_of_birth=PERSON.date_of_birth.isoformat())
    before = desk.find(query).candidates[0].bits
    with database.writing() as connection:
        repository.write_frequencies(connection, {})
    assert desk.find(query).candidates[0].bits == before
    now[0] += timedelta(minutes=11)
    assert desk.find(query).candidates[0].bits > before


def test_an_index_that_is_still_being_made_is_not_called_whole(
    database_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_engine.migrated(REGISTRY_MIGRATIONS))
    NationOffice(database, lambda: NOW).seed(PLAN)
    desk = MatchingDesk(database, lambda: NOW)
    asked = MatchQuery(PERSON.full_name, date_of_birth=PERSON.date_of_birth.isoformat())
    service = "issuance_backend.population_registry.matching.service"
    monkeypatch.setattr(f"{service}._BATCH", PLAN.people // 2 + 1)
    found = []

    def look(*_connection: object) -> None:
        found.append(desk.find(asked))

    def cut_off(*_connection: object) -> None:
        look()
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "give_way", look)
    with monkeypatch.context() as patch:
        patch.setattr(f"{service}.repository.names", cut_off)
        with pytest.raises(KeyboardInterrupt):
            desk.refresh()
    assert len(found) == 2
    # All are indexed in the end, and whoever indexed them was stopped before it counted their words.
    assert found[-1].candidates
    assert not any(each.complete for each in found)
    desk.begin()
    assert desk.find(asked).complete
    assert desk.refresh() == 0


def test_too_large_a_block_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("issuance_backend.population_registry.matching.service.MAX_BLOCK", 0)
    found = MatchingDesk(database, lambda: NOW).find(
        MatchQuery(PERSON.full_name, date_of_birth=PERSON.date_of_birth.isoformat())
    )
    assert (found.candidates, found.complete) == ((), False)


def test_the_command_indexes_and_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'r.db'}")
    with migrated(f"sqlite:///{tmp_path / 'r.db'}").writing() as connection:
        rows = [
            {name: getattr(PERSON, name) for name in RegistryPerson.__dataclass_fields__}
            | {"recorded_at": "2026-11-21T04:00:00.000000Z"}
        ]
        connection.execute(PERSONS.insert(), rows)
    assert command.main(["refresh"]) == 0
    bare = "".join(
        char for char in unicodedata.normalize("NFD", PERSON.full_name) if not unicodedata.combining(char)
    )
    assert command.main(["find", "--name", bare, "--born", str(PERSON.date_of_birth.year)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 entries indexed")
    assert PERSON.citizen_number in out
    assert command.main(["find", "--name", "x", "--born", "never"]) == 1
