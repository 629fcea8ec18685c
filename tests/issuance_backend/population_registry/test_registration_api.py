"""The registry's own programs over HTTP: each role opens its own doors and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.issuance_office import citizens
from tests.support.registry_office import ROLES, RegistryClient, RegistryWorld

ONE, OTHER = (person.citizen_number for person in citizens()[:2])
MERGE = {"act": "merge", "kept": ONE, "merged": OTHER, "reason": "registered_twice", "officer": "lan"}
DECISION = {"entries_digest": "", "approves": True, "officer": "minh"}
WANTED = {
    "request_id": "request-0000000001",
    "province": "001",
    "date_of_birth": "1990-05-01",
    "sex": "M",
}
DEATH = {
    "report_id": "report-0001",
    "occurred_on": "2026-11-01",
    "document": "Trích lục 1/2026",
    "officer": "lan",
    "event": {"kind": "death", "citizen_number": ONE},
}
CLAIM = {"citizen_number": ONE, "kind": "cmnd_9", "officer": "lan", "document_number": "012345678"}
SAID = {
    "attribute": "tax_code",
    "value": "0101",
    "valid_from": "2026-01-01",
    "evidence": "E1",
    "confidence": 90,
}
TEXTS = (
    *("nationality", "ethnicity", "religion", "birth_registration_place", "place_of_origin"),
    *("permanent_residence", "current_residence", "father", "mother", "household_head", "relation_to_head"),
)
PROPOSAL = {"citizen_number": ONE, "attributes": ["full_name"], "officer": "lan"}
DOORS = [
    ("registry.read", "GET", f"/v1/person-records/{ONE}", None, 200),
    ("registry.read", "GET", "/v1/life-events/0000000000000000", None, 404),
    ("person.register", "POST", "/v1/life-event-reports", DEATH, 201),
    ("person.register", "POST", "/v1/identities", CLAIM, 201),
    (
        "person.register",
        "POST",
        "/v1/identities/0000000000000000/decision",
        {"decision": "validate", "officer": "l"},
        404,
    ),
    ("person.merge", "POST", "/v1/merge-proposals", MERGE, 201),
    ("person.merge", "GET", "/v1/merge-proposals?state=proposed", None, 200),
    ("person.merge", "GET", "/v1/merge-proposals?state=nowhere", None, 422),
    ("person.merge", "GET", "/v1/merge-proposals/0000000000000000", None, 404),
    ("person.merge", "GET", "/v1/merge-proposals/0000000000000000/entries?officer=lan", None, 404),
    ("person.merge", "GET", "/v1/merge-proposals/0000000000000000/entries", None, 422),
    ("person.merge", "POST", "/v1/merge-proposals/0000000000000000/decision", DECISION, 404),
    ("person.enrich", "POST", f"/v1/person-enrichments/{ONE}", SAID, 204),
    ("number.issue", "POST", "/v1/number-reservations", WANTED, 201),
    ("number.issue", "POST", "/v1/number-reservations/none/confirmation", None, 404),
    ("number.issue", "DELETE", "/v1/number-reservations/none", None, 404),
    ("number.issue", "GET", "/v1/number-blocks?alarming=true", None, 200),
    ("person.publish", "POST", "/v1/publications", PROPOSAL, 201),
    ("person.publish", "PUT", "/v1/publications/receivers", {"receiver": "tax", "attributes": ["sex"]}, 200),
    ("person.publish", "GET", "/v1/publications/missing-acknowledgements?older_than_minutes=60", None, 200),
    ("person.publish", "GET", "/v1/publications?state=checked", None, 200),
    ("person.publish", "GET", "/v1/publications?state=nowhere", None, 422),
    ("person.publish", "GET", "/v1/publications/0000000000000000", None, 404),
    ("person.publish", "GET", "/v1/publications/0000000000000000/values?officer=lan", None, 404),
    ("person.publish", "GET", "/v1/publications/0000000000000000/values", None, 422),
    ("person.receive", "GET", "/v1/deliveries", None, 200),
    ("person.receive", "POST", "/v1/deliveries/0000000000000000/acknowledgement", None, 404),
    ("events.life-event", "GET", "/v1/events?after=0", None, 200),
]


@pytest.fixture
def client(registry: RegistryWorld, tmp_path: Path) -> RegistryClient:
    return registry.client(tmp_path)


@pytest.mark.parametrize(("role", "method", "path", "body", "status"), DOORS)
def test_a_door_opens_to_its_role_and_to_no_other(
    client: RegistryClient, role: str, method: str, path: str, body: Any, status: int
) -> None:
    family = "events." if role.startswith("events.") else role
    for other in ROLES:
        if not other.startswith(family):
            refused = client.call(other, method, path, body)
            assert (refused.status_code, refused.get_json()["code"]) == (401, "SERVICE_NOT_PERMITTED")
    answer = client.call(role, method, path, body)
    assert answer.status_code == status, answer.get_data(as_text=True)


def test_a_child_is_born_published_corrected_and_acknowledged(client: RegistryClient) -> None:
    born = {
        **DEATH,
        "occurred_on": "2026-11-10",
        "event": {
            "kind": "birth",
            "province": "001",
            "particulars": {
                "full_name": "Lê Minh An",
                "date_of_birth": "2026-11-10",
                "sex": "F",
                **dict.fromkeys(TEXTS, "Việt Nam"),
            },
        },
    }
    event = client.call("person.register", "POST", "/v1/life-event-reports", born).get_json()
    number = event["citizen_number"]
    [told] = client.call("events.life-event", "GET", "/v1/events?after=0").get_json()["events"]
    assert told["key"] == event["id"]
    assert client.call("registry.read", "GET", f"/v1/life-events/{told['key']}").get_json() == event
    receiver = {"receiver": "person.receive", "attributes": ["full_name"]}
    client.call("person.publish", "PUT", "/v1/publications/receivers", receiver)
    proposal = {**PROPOSAL, "citizen_number": number}
    view = client.call("person.publish", "POST", "/v1/publications", proposal).get_json()
    for officer in ("minh", "hoa"):
        signature = {"officer": officer, "values_digest": view["values_digest"]}
        path = f"/v1/publications/{view['id']}/signature"
        answer = client.call("person.publish", "POST", path, signature)
    assert answer.get_json()["state"] == "published"
    [sent] = client.call("person.receive", "GET", "/v1/deliveries").get_json()
    assert (sent["kind"], sent["value"]) == ("publish", "Lê Minh An")
    done = client.call("person.receive", "POST", f"/v1/deliveries/{sent['id']}/acknowledgement")
    assert (done.status_code, done.get_data()) == (204, b"")
    correction = {"kind": "correction", "citizen_number": number, "attributes": {"full_name": "Lê Minh Anh"}}
    report = {**DEATH, "report_id": "report-0002", "occurred_on": "2026-11-20", "event": correction}
    assert client.call("person.register", "POST", "/v1/life-event-reports", report).status_code == 201
    [withdrawn] = client.call("person.receive", "GET", "/v1/deliveries").get_json()
    assert (withdrawn["kind"], withdrawn["value"]) == ("withdraw", None)


def test_faults_are_named_field_by_field(client: RegistryClient) -> None:
    answer = client.call("number.issue", "POST", "/v1/number-reservations", {**WANTED, "sex": "X"})
    assert (answer.status_code, answer.get_json()["fields"]) == (422, {"sex": "FIELD_CHARACTERS"})
    beyond = ("known_at=9999-12-31T23:59:59-14:00", "known_at=0001-01-01T00:00:00%2B14:00")
    for query in ("valid_on=soon", "known_at=soon", "known_at=2026-01-01T00:00:00", *beyond):
        asked = client.call("registry.read", "GET", f"/v1/person-records/{ONE}?{query}")
        assert (asked.status_code, asked.get_json()["code"]) == (422, "FIELDS_REFUSED")
    missing = "/v1/publications/missing-acknowledgements?older_than_minutes=-1"
    assert client.call("person.publish", "GET", missing).status_code == 422


@pytest.mark.parametrize(
    "event", [{"kind": "wedding"}, {}, {"kind": "death"}, {"kind": "death", "x": 1}, None]
)
def test_an_event_that_is_none_is_refused(client: RegistryClient, event: Any) -> None:
    answer = client.call("person.register", "POST", "/v1/life-event-reports", {**DEATH, "event": event})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "REQUEST_MALFORMED")


def test_a_record_can_be_asked_for_as_it_was(client: RegistryClient) -> None:
    client.call("person.register", "POST", "/v1/life-event-reports", DEATH)
    path = f"/v1/person-records/{ONE}?valid_on=2026-11-20&known_at="
    now = client.call("registry.read", "GET", f"{path}2026-11-22T00:00:00Z").get_json()
    then = client.call("registry.read", "GET", f"{path}2026-11-20T00:00:00Z").get_json()

    def status(history: Any) -> str:
        return next(str(a["value"]) for a in history["attributes"] if a["name"] == "life_status")

    assert (status(now), status(then)) == ("deceased", "alive")
    early = client.call("registry.read", "GET", f"{path}2025-01-01T00:00:00Z")
    assert (early.status_code, early.get_json()["code"]) == (404, "REGISTRY_PERSON_UNKNOWN")


HOSTILE = ["", "\x00", "a\x00b", "x" * 300, "'; --", "\ud7ff\u202e", 10**30, -1, None, [], {}]


def altered(body: Any) -> list[Any]:
    """The body with each of its parts replaced by each hostile value in turn."""
    if isinstance(body, dict):
        whole = [{**body, key: value} for key in body for value in HOSTILE]
        return whole + [{**body, key: part} for key in body for part in altered(body[key])]
    if isinstance(body, list):
        return [[value] for value in HOSTILE]
    return []


@pytest.mark.parametrize(("role", "method", "path", "body", "status"), DOORS)
def test_whatever_is_sent_is_answered_and_never_breaks(
    client: RegistryClient, role: str, method: str, path: str, body: Any, status: int
) -> None:
    for sent in altered(body):
        assert client.call(role, method, path, sent).status_code < 500, sent
    for segment in ("%00", "%27", "x" * 300, "%F0%9F%98%80"):
        for part in (ONE, "0" * 16, "none"):
            if part in path:
                asked = client.call(role, method, path.replace(part, segment), body)
                assert asked.status_code < 500, segment
