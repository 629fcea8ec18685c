"""kill -9 of the population registry inside every act that changes whom it holds, and the same asked again.

A request is killed at each of its statements and commits, every time under one key, until it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuance_backend.population_registry.legacy_import import repository as legacy
from issuance_backend.population_registry.legacy_import.domain import COLUMNS, Outcome
from issuance_backend.population_registry.life_events.domain import SINGLE
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS
from issuance_backend.population_registry.storage import MIGRATIONS
from issuance_backend.population_registry.tables import PERSONS
from tests.support.dc01_office import COMMUNE, Dc01Office, somebody
from tests.support.dying_programs import archive_taker
from tests.support.dying_registry import RegistryDeaths, deaths_in_registry
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from tests.support.killing import Point, ready_to_die
from tests.support.recounted_indices import recounted
from tests.support.registry_office import NOW, RegistryWorld, make_registry
from verification.messages.dc01 import FormKeyed
from verification.messages.life_event import Correction
from verification.messages.publication import PublicationProposal, Receiver
from verification.messages.registry_merge import MergeProposal

pytestmark = pytest.mark.slow

ONE, OTHER = (person.citizen_number for person in citizens()[:2])
REPORT = {"document": "Trích lục 1/2026", "officer": "lan"}
PARTICULARS = (
    *("nationality", "ethnicity", "religion", "birth_registration_place", "place_of_origin"),
    *("permanent_residence", "current_residence", "father", "mother", "household_head", "relation_to_head"),
)
FORMS = 3


@pytest.fixture
def registry(database_engine: Engine) -> RegistryWorld:
    return make_registry(database_engine.migrated(MIGRATIONS))


@pytest.fixture
def deaths(registry: RegistryWorld, tmp_path: Path) -> Iterator[RegistryDeaths]:
    with deaths_in_registry(registry.database, NOW, tmp_path) as deaths:
        yield deaths


def test_a_signature_publishes_and_a_merge_withdraws_whole_and_once(
    registry: RegistryWorld, deaths: RegistryDeaths
) -> None:
    for receiver in ("tax", "health"):
        registry.publications.subscribe("admin", Receiver(receiver, ("full_name", "sex")))
    proposal = PublicationProposal(OTHER, ("full_name", "sex"), "lan.proposes")
    proposed = registry.publications.propose(proposal)
    path = f"/v1/publications/{proposed.id}/signature"
    signed = {"values_digest": proposed.values_digest}
    deaths.act("person.publish", path, {**signed, "officer": "minh"}, leaves=["publication sign"])
    published = ["publication sign", "publication deliver"]
    deaths.act("person.publish", path, {**signed, "officer": "hoa"}, leaves=published)
    assert sent(registry) == {("publish", "full_name"): 2, ("publish", "sex"): 2}
    merge = registry.merges.propose(MergeProposal("merge", ONE, OTHER, "registered_twice", "lan")).id
    shown = registry.merges.entries(merge, "minh", lambda _: None).entries_digest
    signed = {"entries_digest": shown, "approves": True, "officer": "minh"}
    path = f"/v1/merge-proposals/{merge}/decision"
    deaths.act("person.merge", path, signed, leaves=["merge merge", "person withdraw", "merge-proposal sign"])
    assert sent(registry)["withdraw", "full_name"] == sent(registry)["withdraw", "sex"] == 2
    assert registry.records.history(OTHER).citizen_number == ONE


def test_an_event_of_life_is_registered_whole_and_once(
    registry: RegistryWorld, deaths: RegistryDeaths
) -> None:
    for number in (ONE, OTHER):
        registry.report(Correction(number, {"marital_status": SINGLE, "spouse": None}))
    deaths.moments[0] += timedelta(minutes=1)
    path, before = "/v1/life-event-reports", people(registry)
    marriage = {"kind": "marriage", "citizen_number": ONE, "spouse_number": OTHER}
    married = {**REPORT, "report_id": "report-married", "occurred_on": "2026-11-01", "event": marriage}
    deaths.act("person.register", path, married, leaves=["life-event marriage"])
    particulars = {
        "full_name": "Lê Minh An",
        "date_of_birth": "2026-11-10",
        "sex": "F",
        **dict.fromkeys(PARTICULARS, "Việt Nam"),
    }
    birth = {"kind": "birth", "province": "001", "particulars": particulars}
    born = {**REPORT, "report_id": "report-born", "occurred_on": "2026-11-10", "event": birth}
    claimed = ["number-block reserve", "number-block confirm"]
    claimed += ["identity claim", "identity validate", "person refer"]
    deaths.act("person.register", path, born, leaves=[*claimed, "life-event birth"])
    assert people(registry) == before + 1
    whole = deaths.contents()
    again = deaths.ask("person.register", path, born, deaths.new_key())
    assert again.status_code == 201, "the report is known under whatever key it comes"
    assert drawn(registry) == {again.get_json()["citizen_number"]: "issued"}
    assert deaths.contents() == whole
    death = {"kind": "death", "citizen_number": ONE}
    died = {**REPORT, "report_id": "report-died", "occurred_on": "2026-11-12", "event": death}
    deaths.act("person.register", path, died, leaves=["life-event death"])
    widowed, dead = registry.person(OTHER), registry.person(ONE)
    assert (dead.life_status, widowed.marital_status, widowed.spouse) == ("deceased", "Góa", None)


def test_a_batch_of_forms_is_accepted_whole_and_each_form_is_one_entry(
    database_engine: Engine, tmp_path: Path
) -> None:
    office = Dc01Office(database_engine.migrated(MIGRATIONS))
    batch, ids = office.indexed(FORMS, COMMUNE)
    office.key(ids, read=somebody)
    sample = office.batches.draw(batch, "leader").sample_size or 0
    for _ in range(sample - 1):
        key_again(office, ids)
    task = office.batches.next_keying("second")
    assert task is not None
    last = {"values": somebody(ids.index(task.form)), "officer": "second"}
    with deaths_in_registry(office.database, office.now, tmp_path) as deaths:
        path = f"/v1/dc01/forms/{task.form}/second-keying"
        judged = ["dc01 rechecked", "dc01-batch accept", *["dc01 accept_batch"] * FORMS]
        deaths.act("dc01.work", path, last, leaves=judged)
        office.now = deaths.moments[0]
        assert office.indices.indices("", None) == recounted(office)
        assert office.forms.match(batch) == FORMS
        register_dying(office, deaths, batch, ids)
        office.now = deaths.moments[0]
    assert office.indices.indices("", None) == recounted(office)
    assert office.batches.batch(batch).unregistered == 0


def register_dying(office: Dc01Office, deaths: RegistryDeaths, batch: str, ids: list[str]) -> None:
    """Register a batch form by form, killed at one point later each time, until the request is answered."""
    role, path, said = "dc01.work", f"/v1/dc01/batches/{batch}/registration", {"officer": "leader"}
    key, seen = deaths.new_key(), set()
    for number in count(1):
        before = deaths.contents()
        is_killed = deaths.kill(role, path, said, key, number)
        seen.add(registered_whole(office, ids))
        if not is_killed:
            break
        if deaths.contents() != before:
            # Of this request forms became entries, and nobody was told which: another goes on behind them.
            deaths.require_answer_lost(role, path, said, key)
            key = deaths.new_key()
    assert seen == set(range(FORMS + 1)), "killed before each of the entries, and after the last"
    whole = deaths.contents()
    answered = deaths.ask(role, path, said, key)
    assert answered.headers["Idempotent-Replayed"] == "true"
    assert deaths.contents() == whole
    assert Counter(deaths.recorded())["dc01 registered"] == FORMS


def registered_whole(office: Dc01Office, ids: list[str]) -> int:
    """How many forms are entries; each has a number of its own that is drawn, issued and somebody's."""
    done = [form for form in ids if office.forms.form(form).registered]
    with office.database.reading() as connection:
        numbers = connection.execute(select(CITIZEN_NUMBERS)).all()
        entries = connection.execute(select(PERSONS.c.citizen_number)).scalars().all()
    assert {row.request_id: row.state for row in numbers} == {f"dc01/{form}": "issued" for form in done}
    assert sorted(entries) == sorted(row.citizen_number for row in numbers)
    return len(done)


def test_an_archive_whose_import_is_killed_is_taken_over_once(
    registry: RegistryWorld, database_engine: Engine
) -> None:
    lines = [",".join(COLUMNS) + "\n", *(line(person.citizen_number) for person in citizens()[:3])]
    lines.append("barcode_card,001090777777,Người Xa Lạ,1990-05-01,M,2015-06-01,,80\n")
    seen, point = [0], 1
    with ready_to_die(archive_taker, registry.database.url, lines) as is_killed:
        while is_killed(registry.pass_time(minutes=1), Point(point, between_statements=True)):
            seen.append(taken_over(registry))
            # What is taken over already is behind whoever goes on: it dies from its own beginning again.
            point = point + 1 if seen[-1] == seen[-2] else 1
    assert set(seen) == {0, 2, 4}, "killed in each portion, and after the last"
    assert seen == sorted(seen)
    with registry.database.reading() as connection:
        assert legacy.counted(connection) == {Outcome.LINKED: 3, Outcome.UNKNOWN: 1}
    for person in citizens()[:3]:
        found = registry.records.history(person.citizen_number).identities
        assert [(each.kind, each.status) for each in found] == [("barcode_card", "valid")]
    assert taken_over(registry) == 4


def taken_over(registry: RegistryWorld) -> int:
    """How many lines are in; each of them has its number kept from being drawn, and nothing else has."""
    registry.chain_length()
    with registry.database.reading() as connection:
        counted = sum(legacy.counted(connection).values())
    assert len(drawn(registry)) == counted
    return counted


def line(number: str) -> str:
    """Somebody's older card in an archive."""
    (person,) = (each for each in citizens() if each.citizen_number == number)
    return f"barcode_card,{number},{person.full_name},{person.date_of_birth},{person.sex},2015-06-01,,80\n"


def key_again(office: Dc01Office, ids: list[str]) -> None:
    """Somebody reads a drawn form as its clerk did."""
    task = office.batches.next_keying("second")
    assert task is not None
    said = FormKeyed(values=somebody(ids.index(task.form)), officer="second")
    office.batches.key_again(task.form, said)


def people(registry: RegistryWorld) -> int:
    with registry.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(PERSONS)).scalar_one())


def drawn(registry: RegistryWorld) -> dict[str, str]:
    """The numbers that are drawn or kept, each with its state."""
    with registry.database.reading() as connection:
        rows = connection.execute(select(CITIZEN_NUMBERS.c.citizen_number, CITIZEN_NUMBERS.c.state))
        return {row.citizen_number: row.state for row in rows}


def sent(registry: RegistryWorld) -> Counter[tuple[str, str]]:
    """How many deliveries of each kind and attribute there are."""
    with registry.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT kind, attribute FROM deliveries")
        return Counter((row.kind, row.attribute) for row in rows)
