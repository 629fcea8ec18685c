"""Nothing of an entry is answered that does not stand in the book of readings, and the book forgets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from issuance_backend.citizen_access.registry_records import RecordsOverHttp
from issuance_backend.dossiers.registry_client import RegistryOverHttp
from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.accesses import service
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.merges.domain import MergeAct
from issuance_backend.population_registry.reads.service import KEPT, ReadBook
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.refusals import IdempotencyConflict
from monitoring.refusals import DatabaseBusy
from tests.support.issuance_office import citizens
from tests.support.registry_office import NOW, RegistryClient, RegistryWorld, decided_by_two
from tests.support.served_app import serving
from verification.errors import FieldsRefused
from verification.messages.life_event import CorrectionReport
from verification.messages.registry_access import (
    HEADER,
    PersonRead,
    Purpose,
    ReadingFor,
    read_statement,
    stated,
)

PERSON, OTHER = citizens()[:2]
NUMBER = PERSON.citizen_number
STATEMENT = ReadingFor(purpose="capture", unit="001.02", roles="capture,office", officer="lan")
QUERY = {
    "citizen_number": NUMBER,
    "full_name": PERSON.full_name,
    "date_of_birth": PERSON.date_of_birth.isoformat(),
    "sex": PERSON.sex,
}


@pytest.fixture
def client(registry: RegistryWorld, tmp_path: Path) -> RegistryClient:
    return registry.client(tmp_path)


def book(registry: RegistryWorld) -> ReadBook:
    return ReadBook(registry.database, registry.clock)


def log(registry: RegistryWorld) -> AccessLog:
    return AccessLog(registry.database, registry.clock)


def reads(registry: RegistryWorld, number: str = NUMBER) -> list[tuple[str, str, str | None]]:
    return [(each.reader, each.purpose, each.agency) for each in log(registry).of_person(number)]


def test_every_way_to_an_entry_is_recorded(registry: RegistryWorld, client: RegistryClient) -> None:
    for path in (f"/v1/persons/{NUMBER}", f"/v1/person-records/{NUMBER}"):
        assert client.call("registry.read", "GET", path).status_code == 200
    said = QUERY | {"purpose": "bank.counter.identify", "agency": "bank-demo"}
    assert client.call("person.query", "POST", "/v1/person-queries", said).get_json()["found"]
    assert client.call("person.query", "POST", "/v1/person-queries", QUERY).get_json()["found"]
    assert reads(registry) == [
        ("person.query", "unstated", None),
        ("person.query", "bank.counter.identify", "bank-demo"),
        ("registry.read", "unstated", None),
        ("registry.read", "unstated", None),
    ]
    assert reads(registry, OTHER.citizen_number) == []


def test_of_nobody_nothing_is_recorded(registry: RegistryWorld, client: RegistryClient) -> None:
    nobody = "001099999999"
    assert client.call("registry.read", "GET", f"/v1/persons/{nobody}").status_code == 404
    assert client.call("registry.read", "GET", f"/v1/person-records/{nobody}").status_code == 404
    asked = QUERY | {"citizen_number": nobody}
    assert not client.call("person.query", "POST", "/v1/person-queries", asked).get_json()["found"]
    assert reads(registry, nobody) == []


def test_what_cannot_be_recorded_is_not_answered(
    registry: RegistryWorld, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise DatabaseBusy("locked")

    MatchingDesk(registry.database, registry.clock).refresh()
    monkeypatch.setattr(ReadBook, "note_all", busy)
    for role, method, path, body in (
        ("registry.read", "GET", f"/v1/persons/{NUMBER}", None),
        ("registry.read", "GET", f"/v1/person-records/{NUMBER}", None),
        ("person.query", "POST", "/v1/person-queries", QUERY),
        ("person.match", "POST", "/v1/person-matches", {"full_name": PERSON.full_name}),
    ):
        answer = client.call(role, method, path, body)
        assert answer.status_code == 503, path
        assert PERSON.full_name not in answer.get_data(as_text=True)
        assert NUMBER not in answer.get_data(as_text=True)


def test_whoever_reads_says_for_whom(registry: RegistryWorld, client: RegistryClient) -> None:
    headers = {"Authorization": "Bearer registry.read", HEADER: STATEMENT.header()}
    assert client.http.get(f"/v1/persons/{NUMBER}", headers=headers).status_code == 200
    (told,) = log(registry).of_person(NUMBER)
    assert (told.reader, told.read_at) == ("registry.read", rfc3339(NOW))
    assert (told.purpose, told.unit, told.roles, told.officer) == (
        "capture",
        "001.02",
        STATEMENT.roles,
        "lan",
    )


def test_a_person_is_told_of_every_number_they_had(registry: RegistryWorld) -> None:
    book(registry).note(OTHER.citizen_number, "gateway", stated("hospital.check_in", "clinic"))
    decided_by_two(registry.merges, NUMBER, OTHER.citizen_number)
    book(registry).note(OTHER.citizen_number, "gateway", stated("hospital.check_in", "clinic"))
    assert len(reads(registry)) == len(reads(registry, OTHER.citizen_number)) == 2
    decided_by_two(registry.merges, NUMBER, OTHER.citizen_number, MergeAct.SEPARATE)
    # What was read while they were one person was the record that stayed.
    assert len(reads(registry)) == len(reads(registry, OTHER.citizen_number)) == 1


def test_the_newest_are_told(registry: RegistryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_TOLD", 2)
    for each in range(3):
        book(registry).note(NUMBER, "gateway", stated(f"p{each}", None))
    assert [purpose for _, purpose, _ in reads(registry)] == ["p2", "p1"]


def test_who_read_is_for_a_role_of_its_own(registry: RegistryWorld, client: RegistryClient) -> None:
    path = f"/v1/person-reads/{NUMBER}"
    assert client.call("registry.read", "GET", path).status_code == 401
    book(registry).note(NUMBER, "gateway", stated("hospital.check_in", "clinic"))
    answer = client.call("registry.read_log", "GET", path)
    (told,) = msgspec.json.decode(answer.data, type=list[PersonRead])
    assert (told.agency, told.purpose, told.officer) == ("clinic", "hospital.check_in", None)


def test_readings_are_forgotten_after_two_years(registry: RegistryWorld) -> None:
    book(registry).note(NUMBER, "gateway", ReadingFor())
    registry.now[0] = NOW + KEPT
    assert book(registry).forget() == 0
    registry.now[0] += timedelta(seconds=1)
    assert book(registry).forget() == 1
    assert reads(registry) == []


@pytest.mark.parametrize(
    "said",
    ["", "purpose=", "purpose=<script>", "a=1;b=2;c=3;d=4;e=5;f=6;" * 99, "purpose=" + "x" * 600, "%zz", "="],
)
def test_a_statement_that_says_nothing_is_kept_as_that(said: str) -> None:
    assert read_statement(said) == ReadingFor()


def test_a_statement_is_read_as_it_was_said() -> None:
    assert read_statement(STATEMENT.header()) == STATEMENT
    assert read_statement(ReadingFor().header()) == ReadingFor()
    assert read_statement("officer=lan;reader=x;id=1") == ReadingFor(officer="lan")
    assert read_statement("officer=" + "x" * 41) == ReadingFor()
    assert stated("nói dối", "bank-demo") == ReadingFor(agency="bank-demo")


@pytest.mark.usefixtures("client")
def test_an_office_says_it_over_http(registry: RegistryWorld, tmp_path: Path) -> None:
    callers = RegistrySettings(service_tokens=tmp_path / "callers.json", database_url=registry.database.url)
    with serving(create_registry_app(callers, clock=registry.clock)) as url:
        assert RegistryOverHttp(url, "registry.read", lambda: STATEMENT).extract(NUMBER)
        assert RegistryOverHttp(url, "registry.read").extract(NUMBER)
        approving = RegistryOverHttp(url, "registry.read", lambda: STATEMENT)
        assert approving.extract(NUMBER, Purpose.CENTRAL_APPROVAL)
        own = ReadingFor(purpose="own_record", officer="mai")
        assert RecordsOverHttp(url, "registry.read").history(NUMBER, own).citizen_number == NUMBER
        told = RecordsOverHttp(url, "registry.read_log").reads(NUMBER)
    assert [(each.purpose, each.officer) for each in told] == [
        ("own_record", "mai"),
        ("central_approval", "lan"),
        ("capture", None),
        ("capture", "lan"),
    ]


def test_another_correction_under_the_same_id_is_told_from_a_registry_that_is_away(
    registry: RegistryWorld, client: RegistryClient
) -> None:
    def report(religion: str) -> CorrectionReport:
        return CorrectionReport(
            report_id="complaint-kn-0123456789ab",
            occurred_on=NOW.date(),
            document="Đơn 17/2026",
            officer="son",
            citizen_number=NUMBER,
            attributes={"religion": religion},
        )

    with serving(client.http.application) as url:
        records = RecordsOverHttp(url, "person.correct")
        for _ in range(2):
            records.correct(report("Phật giáo"))
        with pytest.raises(IdempotencyConflict):
            records.correct(report("Công giáo"))
        with pytest.raises(FieldsRefused):
            records.correct(structs.replace(report(""), report_id="complaint-kn-000000000000"))
    assert registry.value(NUMBER, "religion") == "Phật giáo"
