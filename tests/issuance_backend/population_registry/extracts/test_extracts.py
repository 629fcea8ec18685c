"""What kits take along of the registry: a commune's people and the filters of everybody, on both engines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.domain import RegistryPerson, extract
from issuance_backend.population_registry.extracts.service import KEPT, RENEWED_AFTER, ExtractDesk
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.matching.tables import MATCH_ENTRIES
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import UnitUnknown
from tests.support.communes import ADDRESSES, TABLES
from tests.support.issuance_office import citizens
from tests.support.registry_office import RegistryWorld, decided_by_two
from verification.messages.commune_extract import KnownFilters, Resident, name_key, number_key

ROLE = "registry.extract"


@pytest.fixture
def desk(registry: RegistryWorld) -> ExtractDesk:
    """The first three citizens live in what is one commune now, the others elsewhere."""
    units = UnitOffice(registry.database, registry.clock)
    units.load(TABLES, "bộ nội vụ")
    with registry.database.writing() as connection:
        for person, address in zip(citizens(), ADDRESSES, strict=False):
            repository.update_fields(connection, person.citizen_number, {"current_residence": address})
    MatchingDesk(registry.database, registry.clock).refresh()
    return ExtractDesk(registry.database, registry.clock, units)


def numbers(desk: ExtractDesk, code: str) -> set[str]:
    return {resident.entry.citizen_number for resident in desk.residents(code, PageAsked()).entries}


def own(*positions: int) -> set[str]:
    return {citizens()[position].citizen_number for position in positions}


def test_a_commune_s_people_are_found_by_every_name_it_had(desk: ExtractDesk) -> None:
    assert numbers(desk, "01.00600") == own(0, 1, 2)
    # A kit that is registered for one of the communes of before.
    assert numbers(desk, "001.01.00592") == own(0)
    assert numbers(desk, "001.01.00595") == own(1, 2)


def test_a_registry_that_was_never_indexed_has_no_empty_commune(
    desk: ExtractDesk, registry: RegistryWorld
) -> None:
    with registry.database.writing() as connection:
        connection.execute(delete(MATCH_ENTRIES))
    assert numbers(desk, "01.00600") == own(0, 1, 2)


def test_a_commune_is_named_with_what_it_lies_in(desk: ExtractDesk) -> None:
    assert desk.commune("01.00600").name == "Phường Phú Diễn, Hà Nội"
    assert desk.commune("001.01.00592").name == "Xã Minh Khai, Quận Bắc Từ Liêm, Hà Nội"


@pytest.mark.parametrize("code", ["001", "001.01", "001.01.99999", "x", ""])
def test_only_a_commune_has_an_extract(desk: ExtractDesk, code: str) -> None:
    for question in (desk.commune, lambda code: desk.residents(code, PageAsked())):
        with pytest.raises(UnitUnknown):
            question(code)


def test_pages_come_in_order_and_hold_everybody_once(desk: ExtractDesk) -> None:
    found: list[str] = []
    for _ in range(4):
        page = desk.residents("01.00600", PageAsked(1, (found[-1],) if found else None))
        found += [resident.entry.citizen_number for resident in page.entries]
        if page.cursor is None:
            break
    assert found == sorted(own(0, 1, 2))


def test_an_entry_is_the_one_that_pre_fills_a_capture(desk: ExtractDesk, registry: RegistryWorld) -> None:
    entries = [resident.entry for resident in desk.residents("01.00600", PageAsked()).entries]
    assert entries == [extract(registry.person(number)) for number in sorted(own(0, 1, 2))]


def test_whoever_was_merged_is_an_alias_and_nobody_of_their_own(
    desk: ExtractDesk, registry: RegistryWorld
) -> None:
    first, second, third = (citizens()[position].citizen_number for position in (0, 1, 2))
    decided_by_two(registry.merges, second, first)
    decided_by_two(registry.merges, third, second)
    (resident,) = desk.residents("01.00600", PageAsked()).entries
    assert resident == Resident(extract(registry.person(third)), tuple(sorted((first, second))))


def filters(content: bytes) -> KnownFilters:
    return msgspec.json.decode(content, type=KnownFilters)


def is_known(known: KnownFilters, person: RegistryPerson) -> tuple[bool, bool]:
    key = name_key(person.full_name, person.date_of_birth.isoformat(), person.sex)
    return known.numbers.holds(number_key(person.citizen_number)), known.names.holds(key)


def test_the_filters_hold_everybody_and_few_others(desk: ExtractDesk) -> None:
    known, strangers = filters(desk.filters()), citizens(400)[len(citizens()) :]
    assert {is_known(known, person) for person in citizens()} == {(True, True)}
    assert sum(any(is_known(known, person)) for person in strangers) <= 2


def test_the_filters_are_kept_renewed_once_a_day_and_never_older_than_two(
    desk: ExtractDesk, registry: RegistryWorld
) -> None:
    first = desk.filters()
    assert desk.renew() == 0
    registry.now[0] += RENEWED_AFTER + timedelta(seconds=1)
    assert desk.filters() == first
    assert desk.renew() == len(citizens())
    second = desk.filters()
    assert filters(second).as_of > filters(first).as_of
    assert filters(second).numbers.salt != filters(first).numbers.salt
    registry.now[0] += KEPT + timedelta(seconds=1)
    assert filters(desk.filters()).as_of > filters(second).as_of


def test_over_http_a_commune_comes_in_pages_to_whoever_may_have_it(
    desk: ExtractDesk, registry: RegistryWorld, tmp_path: Path
) -> None:
    client = registry.client(tmp_path)
    path = "/v1/communes/01.00600/residents?limit=2"
    first = client.call(ROLE, "GET", path)
    assert len(msgspec.json.decode(first.data, type=list[Resident])) == 2
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    second = client.call(ROLE, "GET", following)
    assert len(second.get_json()) == 1
    assert "Link" not in second.headers
    assert client.call(ROLE, "GET", "/v1/communes/01.00600").get_json()["code"] == "01.00600"
    assert client.call(ROLE, "GET", "/v1/communes/01").get_json()["code"] == "UNIT_UNKNOWN"
    assert filters(client.call(ROLE, "GET", "/v1/known-filters").data)
    for address in (path, "/v1/communes/01.00600", "/v1/known-filters"):
        assert client.call("registry.read", "GET", address).status_code == 401
