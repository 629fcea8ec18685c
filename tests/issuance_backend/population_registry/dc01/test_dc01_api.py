"""The DC01 office, the map and the indices over HTTP: roles, codes, pages, nothing of a person too much."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from tests.support.dc01_office import COMMUNE, SCAN, WHOLE, Dc01Office
from tests.support.engines import Engine

ROLES = {
    "worker": ["dc01.work"],
    "reader": ["quality.read", "units.read"],
    "counter": ["units.count"],
    "gateway": ["person.query"],
}


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    return Dc01Office(database_engine.new())


@pytest.fixture
def client(office: Dc01Office, tmp_path: Path) -> FlaskClient:
    callers = {
        name: {"sha256": hashlib.sha256(name.encode()).hexdigest(), "roles": roles}
        for name, roles in ROLES.items()
    }
    tokens = tmp_path / "callers.json"
    tokens.write_text(json.dumps(callers))
    settings = RegistrySettings(service_tokens=tokens, database_url=office.url)
    return create_registry_app(settings, clock=office.clock).test_client()


def contract(name: str) -> OpenAPI:
    folder = Path(importlib.import_module("issuance_backend").__file__ or "").parent / "openapi"
    readers = {"application/problem+json": json.loads}
    return OpenAPI.from_file_path(
        str(folder / f"{name}.yaml"), config=Config(extra_media_type_deserializers=readers)
    )


CONTRACTS = {
    "/v1/dc01": contract("dc01"),
    "/v1/quality-indices": contract("quality_indices"),
    "/v1/units": contract("units"),
    "/v1/officer-counts": contract("units"),
}


def judged(answer: Any) -> Any:
    """Every answer of these tests is held against the published contract."""
    path = answer.request.path
    asked = EnvironBuilder(path=path, method=answer.request.method, base_url="http://localhost")
    (kept,) = [known for prefix, known in CONTRACTS.items() if path.startswith(prefix)]
    request = WerkzeugOpenAPIRequest(asked.get_request(Request))
    kept.validate_response(request, WerkzeugOpenAPIResponse(answer))
    return answer


def post(client: FlaskClient, path: str, caller: str = "worker", **body: Any) -> Any:
    return judged(client.post(path, json=body, headers={"Authorization": f"Bearer {caller}"}))


def get(client: FlaskClient, path: str, caller: str = "worker", **query: str) -> Any:
    headers = {"Authorization": f"Bearer {caller}"}
    return judged(client.get(path, query_string=query or None, headers=headers))


def test_a_form_goes_all_the_way_over_http(client: FlaskClient) -> None:
    batch = post(client, "/v1/dc01/batches", unit=COMMUNE, officer="lan").get_json()["id"]
    planned = post(client, "/v1/dc01/forms", unit=COMMUNE, barcodes=["A1"], officer="lan")
    assert planned.status_code == 201
    form = f"/v1/dc01/forms/{planned.get_json()[0]['id']}"
    steps = [
        ("collection", {"collected_on": "2021-01-10"}, "collected"),
        ("scan", {"scan": SCAN}, "scanned"),
        ("index", {"batch": batch}, "indexed"),
        ("keying", {"values": {**WHOLE, "religion": ""}}, "auto_checked"),
    ]
    for step, body, state in steps:
        assert post(client, f"{form}/{step}", officer="clerk", **body).get_json()["state"] == state
    assert get(client, form).get_json()["findings"] == ["MISSING:religion"]
    drawn = post(client, f"/v1/dc01/batches/{batch}/sample", officer="leader").get_json()
    assert (drawn["state"], drawn["sample_size"], drawn["wrong"]) == ("sampled", 1, None)
    assert get(client, "/v1/dc01/second-keyings/next", officer="clerk").status_code == 204
    task = get(client, "/v1/dc01/second-keyings/next", officer="second").get_json()
    assert task == {"form": form.rpartition("/")[2], "barcode": "A1", "scan": SCAN}
    second = {**WHOLE, "religion": "", "mother": "TRẦN THỊ B"}
    assert post(client, f"{form}/second-keying", values=second, officer="second").status_code == 204
    difference = get(client, "/v1/dc01/differences/next", officer="third").get_json()
    assert [part["field"] for part in difference["differences"]] == ["mother"]
    right = {"mother": WHOLE["mother"]}
    assert post(client, f"{form}/decision", values=right, officer="third").status_code == 204
    assert get(client, f"/v1/dc01/batches/{batch}").get_json()["state"] == "accepted"
    assert post(client, f"/v1/dc01/batches/{batch}/matching", officer="leader").get_json() == {"matched": 1}
    assert get(client, form).get_json()["state"] == "clean"
    rates = get(client, "/v1/dc01/clerk-rates", area=COMMUNE).get_json()
    assert [(rate["clerk"], rate["forms"], rate["wrong_forms"]) for rate in rates] == [("clerk", 1, 0)]
    failing = get(client, "/v1/quality-indices/du/failing", "reader", area=COMMUNE)
    assert [entry["reasons"] for entry in failing.get_json()] == [["MISSING:religion"]]


def test_what_a_form_says_is_shown_to_nobody_who_asks_where_it_stands(
    client: FlaskClient, office: Dc01Office
) -> None:
    ids = office.accepted(2)
    for path in (f"/v1/dc01/forms/{ids[0]}", "/v1/dc01/forms?state=accepted", "/v1/dc01/batches"):
        answer = get(client, path)
        assert answer.status_code == 200
        assert "NGUY" not in json.dumps(answer.get_json(), ensure_ascii=False)
        assert answer.headers["Cache-Control"] == "no-store"


def test_lists_come_in_pages_with_a_link_to_the_next(client: FlaskClient, office: Dc01Office) -> None:
    ids = sorted(office.plan(3))
    first = get(client, "/v1/dc01/forms", state="planned", limit="2")
    assert [form["id"] for form in first.get_json()] == ids[:2]
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert [form["id"] for form in get(client, link).get_json()] == ids[2:]


def test_indices_name_what_they_are_made_of(client: FlaskClient, office: Dc01Office) -> None:
    office.accepted(3)
    found = get(client, "/v1/quality-indices", "reader", area="001.005", on="2021-02-01").get_json()
    (collected,) = [i for i in found if i["unit"] == COMMUNE and i["index"] == "thu-thap"]
    assert collected == {
        "unit": COMMUNE,
        "index": "thu-thap",
        "definition": "thu-thap-1",
        "numerator": 3,
        "denominator": 3,
        "value": 1.0,
        "as_of": "2021-02-01",
    }


def test_the_map_of_a_day(client: FlaskClient) -> None:
    assert len(get(client, "/v1/units", "reader", on="2025-06-30").get_json()) == 63
    assert len(get(client, "/v1/units", "reader", on="2025-07-01").get_json()) == 34
    assert (
        get(client, f"/v1/units/{COMMUNE}/line", "reader", on="2026-01-01").get_json()["line"] == "01.00157"
    )
    counted = {"counted_on": "2021-01-01", "officers": 5, "officer": "lan"}
    assert post(client, f"/v1/officer-counts/{COMMUNE}", "counter", **counted).status_code == 204
    few = get(client, "/v1/units/understaffed", "reader", area="001.005").get_json()
    assert [gap["code"] for gap in few] == ["001.005.00160"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/dc01/forms/none", 404, "DC01_FORM_UNKNOWN"),
        ("/v1/dc01/batches/none", 404, "DC01_BATCH_UNKNOWN"),
        ("/v1/dc01/forms?state=gone", 422, "FIELDS_REFUSED"),
        ("/v1/dc01/forms", 422, "FIELDS_REFUSED"),
        ("/v1/dc01/second-keyings/next", 422, "FIELDS_REFUSED"),
    ],
)
def test_work_that_is_not_there_is_refused(client: FlaskClient, path: str, status: int, code: str) -> None:
    answer = get(client, path)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/quality-indices?area=777", 404, "UNIT_UNKNOWN"),
        ("/v1/quality-indices?on=2021-13-01", 422, "FIELDS_REFUSED"),
        ("/v1/quality-indices?on=2099-01-01", 422, "FIELDS_REFUSED"),
        ("/v1/quality-indices/none/failing", 422, "FIELDS_REFUSED"),
        ("/v1/units?parent=777", 404, "UNIT_UNKNOWN"),
        ("/v1/units?on=x", 422, "FIELDS_REFUSED"),
    ],
)
def test_questions_about_what_is_not_there_are_refused(
    client: FlaskClient, path: str, status: int, code: str
) -> None:
    answer = get(client, path, "reader")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize("body", [{}, {"values": {"father": 1}, "officer": "a"}, {"values": {}, "x": 1}])
def test_a_body_that_is_no_keying_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    assert post(client, "/v1/dc01/forms/none/keying", **body).status_code == 400


@pytest.mark.parametrize("token", ["", "wrong", "gateway", "counter"])
@pytest.mark.parametrize("path", ["/v1/dc01/batches", "/v1/quality-indices", "/v1/units"])
def test_each_door_asks_for_its_role(client: FlaskClient, token: str, path: str) -> None:
    assert get(client, path, token).status_code == 401
