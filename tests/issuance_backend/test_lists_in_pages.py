"""Lists longer than a page: every entry once, whatever changes meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.credentials import orders
from issuance_backend.credentials.domain import CardEvent
from issuance_backend.credentials.orders import Order
from issuance_backend.dossiers import repository
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.paging import MAX_PAGE, PageAsked, page_asked, page_of
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient, citizens, make_office
from verification.errors import FieldsRefused


def pages(client: OfficerClient, path: str) -> list[list[Any]]:
    """Follow ``Link`` until there is none."""
    found = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found.append(answer.get_json())
        link = answer.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
        assert not link or link.endswith('; rel="next"')
    return found


def captured(office: Office, count: int) -> list[str]:
    lan, ids = office.sign_in("lan.capture"), []
    for number, person in enumerate(citizens()[:count]):
        # Two of them in one moment: the id decides between them.
        office.now[0] = NOW + timedelta(minutes=number // 2)
        ids.append(lan.capture(person, f"capture-000000000{number}").get_json()["id"])
    return ids


@pytest.mark.parametrize("state", ["", "validated"])
@pytest.mark.parametrize("limit", [2, 5])
def test_every_dossier_once_in_every_size_of_page(office: Office, state: str, limit: int) -> None:
    ids, lan = captured(office, 6), office.sign_in("lan.capture")
    whole = [each["id"] for each in lan.get(f"/v1/dossiers?state={state}").get_json()]
    assert sorted(whole) == sorted(ids)
    found = pages(lan, f"/v1/dossiers?state={state}&limit={limit}")
    assert [each["id"] for page in found for each in page] == whole
    assert {len(page) for page in found[:-1]} <= {limit}


def test_what_nobody_checked_is_listed_in_pages(office: Office) -> None:
    ids, lan = captured(office, 4), office.sign_in("lan.capture")
    OfficerDoor(office.database, lambda: NOW).enrol("hai", "Hai", (Role.PROCESSOR,), PASSWORD)
    hai = office.sign_in("hai")
    assert hai.post(f"/v1/dossiers/{ids[1]}/check").status_code == 200
    path = "/v1/dossiers?state=validated&unchecked=true"
    found = pages(lan, f"{path}&limit=2")
    assert sorted(each["id"] for page in found for each in page) == sorted({*ids} - {ids[1]})
    assert len(found) == 2
    for wrong in ("/v1/dossiers?unchecked=true", "/v1/dossiers?state=draft&unchecked=true", f"{path}x"):
        assert lan.get(wrong).status_code == 422


def test_what_changes_meanwhile_neither_hides_nor_repeats_what_waits(office: Office) -> None:
    ids, lan = captured(office, 6), office.sign_in("lan.capture")
    first = lan.get("/v1/dossiers?state=validated&limit=2")
    seen = [each["id"] for each in first.get_json()]
    # What was seen leaves the list, and what was not yet seen stays in its place.
    for dossier in seen:
        lan.post(f"/v1/dossiers/{dossier}/withdrawal")
    rest = pages(lan, first.headers["Link"].partition("<")[2].partition(">")[0])
    seen += [each["id"] for page in rest for each in page]
    assert sorted(seen) == sorted(ids)


def test_more_than_five_hundred_dossiers_are_all_reached(office: Office) -> None:
    """The work list stopped at five hundred once, and nobody was told."""
    (known,) = captured(office, 1)
    with office.database.writing() as connection:
        dossier = repository.find(connection, known)
        assert dossier is not None
        others = [
            replace(dossier, id=f"{number:016x}", citizen_number=f"{number:012}")
            for number in range(MAX_PAGE + 20)
        ]
        repository.add(connection, others)
    found = pages(office.sign_in("lan.capture"), "/v1/dossiers?state=validated")
    assert [len(page) for page in found] == [MAX_PAGE, 21]
    assert len({each["id"] for page in found for each in page}) == MAX_PAGE + 21


def test_cards_of_a_number_come_in_pages_too(office: Office) -> None:
    (dossier,) = captured(office, 1)
    person = citizens()[0]
    with office.database.writing() as connection:
        for attempt in range(1, 6):
            order = Order(
                dossier=dossier, citizen_number=person.citizen_number, date_of_birth=person.date_of_birth,
                attempt=attempt,
            )  # fmt: skip
            card = orders.place(connection, order, "minh.approve", NOW)
            for event in (CardEvent.BEGIN, CardEvent.SPOIL):
                card = orders.take_step(connection, card, event, actor="system", moment=NOW)
    lan, path = office.sign_in("lan.capture"), f"/v1/credentials?citizen_number={person.citizen_number}"
    found = pages(lan, f"{path}&limit=2")
    assert [len(page) for page in found] == [2, 2, 1]
    assert [card["id"] for page in found for card in page] == [
        card["id"] for card in lan.get(path).get_json()
    ]
    assert {card["since"] for page in found for card in page} == {rfc3339(NOW)}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("limit=٢", "limit"),
        ("cursor=", "cursor"), ("cursor=x", "cursor"), ("cursor=W10", "cursor"), ("cursor=WyJhIl0", "cursor"),
        ("cursor=" + "A" * 500, "cursor"), ("cursor=đ", "cursor"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/dossiers", "/v1/credentials"])
def test_a_page_that_is_none_is_named(
    tmp_path: Path, office_pki: Path, path: str, query: str, field: str
) -> None:
    answer = make_office(tmp_path, office_pki).sign_in("lan.capture").get(f"{path}?{query}")
    assert (answer.status_code, answer.get_json()["fields"]) == (422, {field: "FIELD_CHARACTERS"})


@given(
    entries=st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), unique=True, max_size=30),
    limit=st.integers(1, 7),
)
def test_cursors_lead_through_any_list(entries: list[tuple[str, str]], limit: int) -> None:
    ordered, seen, cursor = sorted(entries), [], None
    while True:
        asked = page_asked(str(limit), cursor, 2) if cursor else PageAsked(limit)
        rest = [entry for entry in ordered if asked.after is None or entry > asked.after]
        page = page_of(rest[: limit + 1], asked, lambda entry: entry)
        seen.extend(page.entries)
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ordered


@given(cursor=st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(cursor: str) -> None:
    try:
        asked = page_asked(None, cursor, 2)
    except FieldsRefused:
        return
    assert asked.after is not None
    assert len(asked.after) == 2
