"""What goes out of an entry without a question about the person is told to them, without a line a person."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.extracts.domain import communes_of, homes
from issuance_backend.population_registry.matching.place import read_place
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.reads.service import KEPT, ONE_EXTRACT, ReadBook
from issuance_backend.population_registry.reads.tables import COMMUNE_READS, PERSON_READS
from issuance_backend.population_registry.units.service import UnitOffice
from tests.support.communes import ADDRESSES, NEW, OLD_ONE, OLD_TWO, TABLES
from tests.support.issuance_office import citizens
from tests.support.registry_office import NOW, TODAY, RegistryClient, RegistryWorld, decided_by_two
from verification.messages.life_event import Move
from verification.messages.publication import PublicationProposal, Receiver, SignOff
from verification.messages.registry_access import HEADER, PersonRead, ReadingFor

FIRST, SECOND, THIRD, ELSEWHERE = (person.citizen_number for person in citizens()[:4])
UNTIL = rfc3339(NOW + timedelta(days=14))
FOR_KIT = ReadingFor(purpose="commune_extract", kit="kit-7", until=UNTIL)


@pytest.fixture
def settled(registry: RegistryWorld) -> RegistryWorld:
    """The first three citizens live in what is one commune now, the others elsewhere."""
    UnitOffice(registry.database, registry.clock).load(TABLES, "bộ nội vụ")
    with registry.database.writing() as connection:
        for person, address in zip(citizens(), ADDRESSES, strict=False):
            entries.update_fields(connection, person.citizen_number, {"current_residence": address})
    MatchingDesk(registry.database, registry.clock).refresh()
    return registry


@pytest.fixture
def client(settled: RegistryWorld, tmp_path: Path) -> RegistryClient:
    return settled.client(tmp_path)


def take_along(client: RegistryClient, commune: str = NEW, reading: ReadingFor = FOR_KIT) -> int:
    """Ask for a commune's people one by one, as an office does; how many there were."""
    headers = {"Authorization": "Bearer registry.extract", HEADER: reading.header()}
    page: str | None = f"/v1/communes/{commune}/residents?limit=1"
    people = 0
    while page is not None:
        answer = client.http.get(page, headers=headers)
        people += len(answer.get_json())
        page = answer.headers["Link"].partition(">")[0][1:] if "Link" in answer.headers else None
    return people


def told(registry: RegistryWorld, number: str) -> list[PersonRead]:
    return list(AccessLog(registry.database, registry.clock).of_person(number))


def lines(registry: RegistryWorld) -> tuple[int, int]:
    with registry.database.reading() as connection:
        of_people, of_communes = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (PERSON_READS, COMMUNE_READS)
        )
    return of_people, of_communes


def test_an_extract_is_one_line_and_everybody_in_it_is_told(
    settled: RegistryWorld, client: RegistryClient
) -> None:
    assert take_along(client) == 3
    assert lines(settled) == (0, 1)
    for number in (FIRST, SECOND, THIRD):
        (read,) = told(settled, number)
        assert (read.reader, read.purpose, read.unit) == ("registry.extract", "commune_extract", NEW)
        assert (read.kit, read.until, read.read_at) == ("kit-7", UNTIL, rfc3339(NOW))
    assert told(settled, ELSEWHERE) == []


def test_another_kit_or_another_day_is_another_extract(
    settled: RegistryWorld, client: RegistryClient
) -> None:
    take_along(client)
    take_along(client)
    assert lines(settled) == (0, 1)
    take_along(client, reading=ReadingFor(purpose="commune_extract", kit="kit-8", until=UNTIL))
    take_along(client, reading=ReadingFor())
    take_along(client, reading=ReadingFor())
    assert lines(settled) == (0, 3)
    settled.now[0] += ONE_EXTRACT + timedelta(seconds=1)
    take_along(client)
    assert [read.kit for read in told(settled, FIRST)] == ["kit-7", None, "kit-8", "kit-7"]


def test_a_page_without_the_first_one_is_told_as_well(settled: RegistryWorld, client: RegistryClient) -> None:
    headers = {"Authorization": "Bearer registry.extract", HEADER: FOR_KIT.header()}
    first = client.http.get(f"/v1/communes/{NEW}/residents?limit=1", headers=headers)
    settled.now[0] += KEPT + timedelta(days=1)
    ReadBook(settled.database, settled.clock).forget()
    assert lines(settled) == (0, 0)
    client.http.get(first.headers["Link"].partition(">")[0][1:], headers=headers)
    assert lines(settled) == (0, 1)


def test_a_kit_of_a_former_commune_is_told_to_those_who_lived_there(
    settled: RegistryWorld, client: RegistryClient
) -> None:
    take_along(client, OLD_ONE)
    assert [len(told(settled, number)) for number in (FIRST, SECOND, THIRD, ELSEWHERE)] == [1, 0, 0, 0]
    take_along(client, OLD_TWO)
    assert [len(told(settled, number)) for number in (FIRST, SECOND, THIRD, ELSEWHERE)] == [1, 1, 1, 0]


def test_where_somebody_lived_at_that_moment_counts(settled: RegistryWorld, client: RegistryClient) -> None:
    """Who moved away later was in it, and who moved in later was not."""
    take_along(client)
    settled.pass_time(days=1)
    settled.report(Move(FIRST, citizens()[3].current_residence), TODAY + timedelta(days=1))
    settled.report(Move(ELSEWHERE, ADDRESSES[0]), TODAY + timedelta(days=1))
    settled.pass_time(days=1)
    take_along(client)
    assert [read.read_at for read in told(settled, FIRST)] == [rfc3339(NOW)]
    assert [read.read_at for read in told(settled, ELSEWHERE)] == [rfc3339(NOW + timedelta(days=2))]
    assert len(told(settled, SECOND)) == 2


def test_of_a_merged_person_the_number_that_was_in_it_counts(
    settled: RegistryWorld, client: RegistryClient
) -> None:
    take_along(client)
    decided_by_two(settled.merges, ELSEWHERE, FIRST)
    settled.pass_time(hours=2)
    take_along(client)
    # The second one left the merged number out, and the number that stands lives elsewhere.
    for number in (FIRST, ELSEWHERE):
        assert [read.read_at for read in told(settled, number)] == [rfc3339(NOW)]


def test_communes_and_homes_are_the_same_relation(settled: RegistryWorld) -> None:
    register = UnitOffice(settled.database, settled.clock).register()
    for address in ADDRESSES:
        meant = {
            code for code in (NEW, OLD_ONE, OLD_TWO) if read_place(address).text in homes(register, code)
        }
        assert communes_of(register, address) == meant


def test_whoever_was_handed_what_is_published_is_told(settled: RegistryWorld, client: RegistryClient) -> None:
    office = settled.publications
    office.subscribe("quản trị", Receiver("tax", ("full_name", "date_of_birth")))
    office.subscribe("quản trị", Receiver("health", ("full_name",)))
    made = office.propose(PublicationProposal(FIRST, ("full_name", "date_of_birth", "sex"), "lan"))
    for officer in ("minh", "son"):
        office.sign(made.id, SignOff(officer, made.values_digest, approves=True))
    assert [(read.reader, read.purpose, read.attributes) for read in told(settled, FIRST)] == [
        ("health", "publication", ("full_name",)),
        ("tax", "publication", ("date_of_birth", "full_name")),
    ]
    assert len({read.id for read in told(settled, FIRST)}) == 2
    decided_by_two(settled.merges, SECOND, FIRST)
    # A withdrawal hands nothing out; what went out of the other number is the person's as well.
    assert [read.reader for read in told(settled, SECOND)] == ["health", "tax"]
    settled.now[0] += KEPT + timedelta(seconds=1)
    assert told(settled, SECOND) == []


def test_every_number_of_a_person_is_told_to_the_log(settled: RegistryWorld, client: RegistryClient) -> None:
    decided_by_two(settled.merges, SECOND, FIRST)
    for number in (FIRST, SECOND):
        path = f"/v1/person-reads/{number}/numbers"
        assert client.call("registry.read_log", "GET", path).get_json() == [SECOND, FIRST]
        assert client.call("registry.read", "GET", path).status_code == 401
    assert date(2026, 11, 21) == TODAY
