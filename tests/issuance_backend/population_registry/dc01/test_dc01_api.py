"""The DC01 office, the map and the indices over HTTP: roles, codes, pages, nothing of a person too much."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from sqlalchemy import select
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from issuance_backend.blob_store.keys import add_key
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.reads.tables import PERSON_READS
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, PAGES, WHOLE, Dc01Office
from tests.support.engines import Engine
from verification.messages.registry_access import HEADER

ROLES = {
    "worker": ["dc01.work"],
    "reader": ["quality.read", "units.read"],
    "counter": ["units.count"],
    "gateway": ["person.query"],
}


@pytest.fixture
def office(database_engine: Engine) -> Dc01Office:
    return Dc01Office(database_engine.migrated(REGISTRY_MIGRATIONS))


@pytest.fixture
def client(office: Dc01Office, tmp_path: Path) -> FlaskClient:
    callers = {
        name: {"sha256": hashlib.sha256(name.encode()).hexdigest(), "roles": roles}
        for name, roles in ROLES.items()
    }
    tokens = tmp_path / "callers.json"
    tokens.write_text(json.dumps(callers))
    add_key(tmp_path / "keys.json", "2026")
    settings = RegistrySettings(
        service_tokens=tokens,
        database_url=office.url,
        blob_keys_file=tmp_path / "keys.json",
        blob_dir=tmp_path / "blobs",
    )
    return create_registry_app(settings, clock=office.clock).test_client()


def contract(name: str) -> OpenAPI:
    folder = Path(importlib.import_module("issuance_backend").__file__ or "").parent / "openapi"
    readers: dict[str, Any] = {"application/problem+json": json.loads, "image/png": bytes}
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
        ("scan", {"pages": [base64.b64encode(page).decode() for page in PAGES]}, "scanned"),
        ("index", {"batch": batch}, "indexed"),
        ("keying", {"values": {**WHOLE, "religion": ""}}, "auto_checked"),
    ]
    for step, body, state in steps:
        assert post(client, f"{form}/{step}", officer="clerk", **body).get_json()["state"] == state
    assert get(client, form).get_json()["findings"] == [], "whoever keys it again reads here as well"
    mending = get(client, f"{form}/values", officer="clerk").get_json()
    assert (mending["findings"], mending["values"]["mother"]) == (["MISSING:religion"], WHOLE["mother"])
    assert get(client, f"{form}/values", officer="second").status_code == 409
    assert get(client, "/v1/dc01/waiting", area=COMMUNE).get_json() == {"states": {"auto_checked": 1}}
    assert get(client, "/v1/dc01/waiting", area=NEIGHBOUR).get_json() == {"states": {}}
    drawn = post(client, f"/v1/dc01/batches/{batch}/sample", officer="leader").get_json()
    assert (drawn["state"], drawn["sample_size"], drawn["wrong"]) == ("sampled", 1, None)
    assert get(client, "/v1/dc01/second-keyings/next", officer="clerk").status_code == 204
    task = get(client, "/v1/dc01/second-keyings/next", officer="second").get_json()
    assert task == {
        **{"form": form.rpartition("/")[2], "barcode": "A1", "unit": COMMUNE},
        **{"pages": 2, "scan": None},
    }
    picture = get(client, f"{form}/pages/2", officer="second")
    assert picture.data == PAGES[1]
    assert {name: picture.headers[name] for name in ("Content-Type", "Cache-Control")} == {
        "Content-Type": "image/png",
        "Cache-Control": "no-store",
    }
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "ETag" not in picture.headers
    refused = get(client, f"{form}/pages/1", officer="clerk")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER")
    second = {**WHOLE, "religion": "", "mother": "TRẦN THỊ B"}
    assert post(client, f"{form}/second-keying", values=second, officer="second").status_code == 204
    difference = get(client, "/v1/dc01/differences/next", officer="third").get_json()
    assert [part["field"] for part in difference["differences"]] == ["mother"]
    right = {"mother": WHOLE["mother"]}
    assert post(client, f"{form}/decision", values=right, officer="third").status_code == 204
    judged_batch = get(client, f"/v1/dc01/batches/{batch}").get_json()
    assert (judged_batch["state"], judged_batch["states"]) == ("accepted", {"accepted": 1})
    assert (judged_batch["wrong"], judged_batch["low"], judged_batch["high"]) == (0, 0.0, 0.975)
    assert post(client, f"/v1/dc01/batches/{batch}/matching", officer="leader").get_json() == {"matched": 1}
    assert get(client, form).get_json()["state"] == "clean"
    rates = get(client, "/v1/dc01/clerk-rates", area=COMMUNE).get_json()
    assert [(rate["clerk"], rate["forms"], rate["wrong_forms"]) for rate in rates] == [("clerk", 1, 0)]
    failing = get(client, "/v1/quality-indices/du/failing", "reader", area=COMMUNE)
    assert [entry["reasons"] for entry in failing.get_json()] == [["MISSING:religion"]]


def test_officers_who_ask_at_once_get_forms_of_their_own(client: FlaskClient, office: Dc01Office) -> None:
    clerks = [f"clerk-{number}" for number in range(12)]
    batch, ids = office.indexed(13)
    told = [get(client, "/v1/dc01/keyings/next", officer=clerk).get_json()["id"] for clerk in clerks]
    # Of ids drawn at random: eight different ones as a rule, no more than two once in ten million.
    assert len(set(told)) > 2, "of thirteen forms twelve clerks do not all key the same"
    assert told[0] == get(client, "/v1/dc01/keyings/next", officer=clerks[0], area=COMMUNE).get_json()["id"]
    assert get(client, "/v1/dc01/keyings/next", officer="clerk-1", area=NEIGHBOUR).status_code == 204
    office.key(ids)
    assert get(client, "/v1/dc01/keyings/next", officer="clerk-1").status_code == 204
    office.batches.draw(batch, "leader")
    drawn = [
        get(client, "/v1/dc01/second-keyings/next", officer=clerk).get_json()["form"] for clerk in clerks
    ]
    assert len(set(drawn)) > 2
    assert set(drawn) <= {
        form for form, state in zip(ids, office.states(ids), strict=True) if "sampled" in state
    }


def test_while_a_form_may_be_keyed_blindly_its_standing_tells_nothing_of_the_first_keying(
    client: FlaskClient, office: Dc01Office
) -> None:
    batch, ids = office.indexed(2)
    office.key(ids, read=lambda _: {**WHOLE, "religion": ""})
    asked = [f"/v1/dc01/forms/{ids[0]}", "/v1/dc01/forms?barcode=DC00000000"]
    for state in ("auto_checked", "recheck_sampled"):
        for path in (*asked, f"/v1/dc01/forms?state={state}"):
            assert "MISSING" not in get(client, path).get_data(as_text=True), path
        if state == "auto_checked":
            office.batches.draw(batch, "leader")
    office.recheck(ids, lambda _: {**WHOLE, "religion": ""})
    assert get(client, asked[0]).get_json()["findings"] == ["MISSING:religion"]


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


def test_work_is_of_the_area_that_is_asked_for(client: FlaskClient, office: Dc01Office) -> None:
    office.plan(1)
    (there,) = office.plan(1, NEIGHBOUR)
    for area, count in (("001", 2), ("001.005", 2), (NEIGHBOUR, 1), ("001.006", 0)):
        assert len(get(client, "/v1/dc01/forms", state="planned", area=area).get_json()) == count
    _, ids = office.indexed(1, NEIGHBOUR)
    assert len(get(client, "/v1/dc01/batches", area=COMMUNE).get_json()) == 0
    (batch,) = get(client, "/v1/dc01/batches", area="001.005").get_json()
    office.key(ids)
    office.batches.draw(batch["id"], "leader")
    asked = {"officer": "second"}
    assert get(client, "/v1/dc01/second-keyings/next", **asked, area=COMMUNE).status_code == 204
    task = get(client, "/v1/dc01/second-keyings/next", **asked, area="001.005").get_json()
    assert task["form"] == ids[0]
    barcode = office.forms.form(there).barcode
    assert [each["id"] for each in get(client, "/v1/dc01/forms", barcode=barcode).get_json()] == [there]
    assert get(client, "/v1/dc01/forms", barcode="none").get_json() == []
    assert get(client, "/v1/dc01/forms", state="planned", area="%").status_code == 422


def test_pictures_are_for_who_works_on_forms_and_says_who_looks(
    client: FlaskClient, office: Dc01Office
) -> None:
    (form,) = office.scanned()
    for caller in ("reader", "gateway", "wrong"):
        for path in ("pages/1", "values"):
            assert get(client, f"/v1/dc01/forms/{form}/{path}", caller, officer="lan").status_code == 401
        assert post(client, f"/v1/dc01/forms/{form}/scan", caller, pages=[], officer="x").status_code == 401
    assert get(client, f"/v1/dc01/forms/{form}/pages/1").status_code == 422
    assert get(client, f"/v1/dc01/forms/{form}/pages/9", officer="lan").status_code == 404
    assert get(client, f"/v1/dc01/forms/{form}/pages/x", officer="lan").status_code == 404
    assert get(client, f"/v1/dc01/forms/{form}/values", officer="lan").status_code == 409
    said = {"Authorization": "Bearer worker", HEADER: "unit=001.005;roles=capture;officer=somebody"}
    client.get(f"/v1/dc01/forms/{form}/pages/1?officer=lan", headers=said)
    with office.database.reading() as connection:
        newest = connection.execute(select(PERSON_READS).order_by(PERSON_READS.c.id.desc())).first()
    assert newest is not None
    assert (newest.reader, newest.purpose, newest.unit, newest.roles, newest.officer, newest.form) == (
        *("worker", "population_form", "001.005", "capture", "lan"),
        form,
    )


def test_only_a_scan_may_be_as_large_as_one(client: FlaskClient, office: Dc01Office) -> None:
    (form,) = office.scanned()
    page = base64.b64encode(bytes(3 * 1024 * 1024)).decode()
    path = f"/v1/dc01/forms/{form}"
    refused = post(client, f"{path}/scan", pages=[page, page], officer="lan")
    assert refused.get_json()["fields"] == {"pages": "DC01_SCAN_NO_PICTURE"}
    assert post(client, f"{path}/scan", pages=[page] * 4, officer="lan").status_code == 413
    assert post(client, f"{path}/collection", pages=[page], officer="lan").status_code == 413
    assert post(client, f"{path}/scan", pages=[], officer="lan").status_code == 400
