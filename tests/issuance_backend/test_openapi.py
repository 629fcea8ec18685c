"""The documents of ``issuance_backend/openapi``: valid, complete, kept by every real answer."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
import schemathesis
import yaml
from flask import Flask
from hypothesis import HealthCheck, given, settings
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_spec_validator import validate
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

import verification.messages
from issuance_backend.credentials.undelivered_desk import age as age_cards
from issuance_backend.idempotency.api import answered_once
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import migrated
from monitoring.stand.drawn_people import prints
from tests.support.delivery import card_of, deliver, finished
from tests.support.engines import Sqlite
from tests.support.form_room import CLERK, REGISTRARS, form_room
from tests.support.issuance_office import (
    NOW,
    PASSWORD,
    SIGNATURE,
    STATUS_TOKEN,
    Office,
    OfficerClient,
    capture_body,
    citizens,
    make_office,
)
from verification.messages.person_match import MatchCandidate, MatchEvidence

FOLDER = Path(importlib.import_module("issuance_backend").__file__ or "").parent / "openapi"
SHARED = "shared"
DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))
}
CONTRACTS = sorted(DOCUMENTS.keys() - {SHARED})
OF_REGISTRY = {"dc01_work": CLERK, "registry_work": REGISTRARS[0]}
"""Documents of which every answer is the registry's, and whose work they are."""

METHODS = {"get", "post", "put", "delete", "patch"}
BASE = "http://localhost"
PERSON = citizens()[0]
FILES = (
    "image/jpeg", "image/png", "text/csv", "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """What is answered does not depend on the engine."""
    return make_office(tmp_path, office_pki, Sqlite(tmp_path), with_search=True)


@pytest.fixture
def registry(tmp_path: Path) -> Flask:
    tokens, url = tmp_path / "registry_tokens.json", f"sqlite:///{tmp_path / 'registry.db'}"
    digest = hashlib.sha256(STATUS_TOKEN.encode()).hexdigest()
    roles = ["person.query", "registry.read"]
    tokens.write_text(json.dumps({"office": {"sha256": digest, "roles": roles}}))
    with migrated(url).writing() as connection:
        repository.add(connection, [PERSON], datetime.now(UTC))
    return create_registry_app(RegistrySettings(service_tokens=tokens, database_url=url))


def programs(office: Office, registry: Flask) -> dict[str, Flask]:
    return {"issuance": office.app, "registry": registry}


# -- the documents themselves


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_openapi_31(name: str) -> None:
    validate(DOCUMENTS[name], base_uri=(FOLDER / f"{name}.yaml").as_uri())
    assert DOCUMENTS[name]["openapi"].startswith("3.1")


def test_an_operation_has_one_name_in_all_documents() -> None:
    names = [
        operation["operationId"]
        for document in DOCUMENTS.values()
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in METHODS
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_refusal_is_a_problem(name: str) -> None:
    for path, item in DOCUMENTS[name]["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                assert operation["responses"]["default"]["$ref"].endswith("responses/Problem"), path


def known_messages() -> dict[str, type[msgspec.Struct]]:
    found = {}
    for module in pkgutil.iter_modules(verification.messages.__path__, "verification.messages."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, msgspec.Struct):
                found[name] = value
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_schema_that_is_named_like_a_message_has_its_fields(name: str) -> None:
    known, compared = known_messages(), 0
    for title, schema in DOCUMENTS[name]["components"].get("schemas", {}).items():
        if title not in known or schema.get("type") != "object":
            continue
        compared += 1
        fields = {field.name: field for field in msgspec.structs.fields(known[title])}
        assert set(schema["properties"]) == set(fields), title
        if known[title].__struct_config__.forbid_unknown_fields:
            # What we take: what must be there, and nothing else.
            assert set(schema["required"]) == {key for key, field in fields.items() if field.required}, title
            assert schema["additionalProperties"] is False, title
        else:
            # What we send, we send whole.
            assert set(schema["required"]) == set(fields), title
    assert compared


# -- the documents and the programs


def test_every_blueprint_is_described_by_one_document(office: Office, registry: Flask) -> None:
    for program, app in programs(office, registry).items():
        described = [
            blueprint
            for name in CONTRACTS
            if DOCUMENTS[name]["x-program"] == program
            for blueprint in DOCUMENTS[name]["x-blueprints"]
        ]
        assert sorted(described) == sorted(set(app.blueprints) - {"health"}), program


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_route_is_in_its_document_and_says_whether_it_takes_a_key(
    office: Office, registry: Flask, name: str
) -> None:
    document = DOCUMENTS[name]
    app = programs(office, registry)[document["x-program"]]
    routes = {
        (path_of(rule), method.lower()): takes_key(app, blueprint, method)
        for rule in app.url_map.iter_rules()
        if (blueprint := rule.endpoint.partition(".")[0]) in document["x-blueprints"]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = {
        (path, method): "IdempotencyKey" in str(operation.get("parameters"))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
    assert routes == told


def path_of(rule: Rule) -> str:
    """The address of a route as a document writes it."""
    return re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule.rule)


def takes_key(app: Flask, blueprint: str, method: str) -> bool:
    """Whether the guard of a route knows requests that come again."""
    guard = app.extensions["guards"][blueprint]
    return method != "GET" and guard.__qualname__.startswith(f"{answered_once.__name__}.")


class Contract:
    """Answers held against a document as they are given."""

    def __init__(self, name: str) -> None:
        path = FOLDER / f"{name}.yaml"
        readers: dict[str, Any] = {"application/problem+json": json.loads, **dict.fromkeys(FILES, bytes)}
        self._openapi = OpenAPI.from_file_path(
            str(path), config=Config(extra_media_type_deserializers=readers)
        )
        self.statuses: set[int] = set()

    def judge(self, response: TestResponse) -> TestResponse:
        # The body has been read; a response is judged by its address and method.
        asked = EnvironBuilder(
            path=response.request.path, method=response.request.method, base_url=BASE
        ).get_request(Request)
        self._openapi.validate_response(WerkzeugOpenAPIRequest(asked), WerkzeugOpenAPIResponse(response))
        self.statuses.add(response.status_code)
        return response


def sealed_by_contract(lan: OfficerClient, begun: Any, office: Office) -> str:
    """A capture at a counter, step by step, each answer judged; its dossier."""
    counter, dossiers = Contract("counter_captures"), Contract("dossiers")
    capture = counter.judge(begun).get_json()
    path, agreement = f"/v1/counter-captures/{capture['id']}", {"language": "vi", "signature": SIGNATURE}
    counter.judge(lan.get("/v1/counter-captures?limit=1"))
    counter.judge(lan.get(f"{path}/form.pdf"))
    counter.judge(lan.post(f"{path}/form"))
    counter.judge(lan.get(f"{path}/form.pdf"))
    counter.judge(lan.post(f"{path}/agreement", {"language": "?"}))
    counter.judge(lan.post(f"{path}/agreement", agreement))
    if capture["exceptions"]:
        counter.judge(lan.post(f"{path}/seal"))
        counter.judge(lan.post(f"{path}/answer"))
        supervisor = office.sign_in("son.supervisor")
        counter.judge(supervisor.post(f"{path}/answer", {"form": "0" * 64}))
        counter.judge(supervisor.post(f"{path}/answer"))
    counter.judge(lan.get(f"{path[:-1]}x"))
    sealed = lan.post(f"{path}/seal")
    counter.judge(sealed)
    counter.judge(lan.get(path))
    counter.judge(lan.post(f"{path}/withdrawal"))
    assert counter.statuses >= {200, 201, 404, 409, 422}
    return str(dossiers.judge(lan.get(f"/v1/dossiers/{sealed.get_json()['id']}")).get_json()["id"])


def test_prints_at_a_counter_keep_the_contract(office: Office) -> None:
    counter, lan = Contract("counter_captures"), office.sign_in("lan.capture")
    body = capture_body(PERSON, "capture-0000000077", exceptions=[])
    path = f"/v1/counter-captures/{counter.judge(lan.post('/v1/counter-captures', body)).get_json()['id']}"
    ten, ink = prints(7), {"capture_method": "ink_rescan"}
    taken = counter.judge(lan.post(f"{path}/prints", {"prints": ten})).get_json()
    assert {each["state"] for each in taken["fingers"]} == {"taken"}
    counter.judge(lan.post(f"{path}/prints", {"prints": {"finger_02": ten["finger_02"]}, **ink}))
    counter.judge(lan.post(f"{path}/prints", {"prints": {"finger_99": b""}}))
    assert counter.judge(lan.get(f"{path}/prints/finger_04")).data == ten["finger_04"]
    counter.judge(lan.get(f"{path}/prints/finger_13"))
    counter.judge(lan.delete(f"{path}/prints/finger_04"))
    counter.judge(lan.delete(f"{path}/prints/finger_04"))
    worn = {"item": "finger_04", "code": "FINGER_WORN"}
    counter.judge(lan.post(f"{path}/reasons", worn))
    counter.judge(lan.post(f"{path}/reasons", worn | {"code": "NO_SCANNER"}))
    counter.judge(lan.post(f"{path}/form"))
    counter.judge(lan.post(f"{path}/agreement", {"language": "vi", "scan": SIGNATURE}))
    assert counter.statuses >= {200, 201, 404, 422}


def test_a_real_day_at_the_office_keeps_the_contracts(office: Office) -> None:
    officers, dossiers, events = map(Contract, ("officers", "dossiers", "events"))
    for password in ("x", None):
        body = {"officer": "lan.capture"} | ({"password": password} if password else {})
        officers.judge(office.client().post("/v1/officer-sessions", json=body))
    lan, minh = office.sign_in("lan.capture"), office.sign_in("minh.approve")
    dossiers.judge(lan.get(f"/v1/prefill/{PERSON.citizen_number}"))
    dossiers.judge(lan.get("/v1/prefill/1"))
    dossiers.judge(lan.get("/v1/portrait-gate"))
    body, key = capture_body(PERSON, "capture-0000000001"), "key-0000000000001"
    made = sealed_by_contract(lan, lan.post("/v1/counter-captures", body, key=key), office)
    path = f"/v1/dossiers/{made}"
    dossiers.judge(minh.post(f"{path}/return", {"items": ["portrait"], "comment": "mờ"}))
    again = {**body, "capture_id": "capture-0000000002"}
    assert sealed_by_contract(lan, lan.post(f"{path}/recapture", again), office) == made
    dossiers.judge(lan.get(f"{path}/portrait.jpg"))
    evidence = (MatchEvidence("full_name", "same", 12.0),)
    office.registry.others[PERSON.citizen_number] = (
        MatchCandidate("001099000017", "likely", 40.0, evidence),
    )
    assert dossiers.judge(minh.get(f"{path}/candidates")).status_code == 200
    dossiers.judge(lan.get(f"{path}/candidates"))
    minh.approve(made)
    dossiers.judge(office.sign_in("hoa.production").post(f"{path}/production"))
    dossiers.judge(lan.post(f"{path}/withdrawal"))
    dossiers.judge(lan.get("/v1/dossiers/x"))
    lan.capture(citizens()[1], "capture-0000000003")
    dossiers.judge(lan.get("/v1/dossiers?limit=1"))
    dossiers.judge(lan.get("/v1/dossiers?state=none&limit=0"))
    service = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    for query in ("after=0", "after=0&limit=1", "after=99", "wait=99"):
        events.judge(office.client().get(f"/v1/events?{query}", headers=service))
    events.judge(office.client().put("/v1/events/position", json={"position": 1}, headers=service))
    events.judge(office.client().get("/v1/events/position", headers=service))
    events.judge(office.client().get("/v1/events", headers=service))
    officers.judge(lan.client.delete("/v1/officer-sessions/current", headers=lan._headers))
    dossiers.judge(lan.get("/v1/dossiers"))
    assert dossiers.statuses >= {200, 401, 403, 404, 409, 422}
    assert officers.statuses == {204, 400, 401}
    assert events.statuses == {200, 409, 422}


def test_real_lists_of_approvals_keep_the_contract(office: Office) -> None:
    lists, lan, minh = (
        Contract("approval_lists"),
        office.sign_in("lan.capture"),
        office.sign_in("minh.approve"),
    )
    made = [lan.capture(citizens()[n], f"capture-{n:010d}").get_json()["id"] for n in range(2)]
    for body in ({"dossiers": made}, {"dossiers": []}, {}):
        lists.judge(minh.post("/v1/approval-lists/preparations", body))
    signed = minh.signed(*made)
    for changed in ({}, {}, {"signature": "AA"}, {"key": "x"}):
        lists.judge(minh.post("/v1/approval-lists", {**signed, **changed}))
    lists.judge(minh.post("/v1/approval-lists", {"dossiers": made}))
    lists.judge(minh.post("/v1/approval-lists/preparations", {"dossiers": made}))
    (one,) = lists.judge(minh.get("/v1/approval-lists?limit=1")).get_json()
    for officer, path in ((minh, f"/{one['id']}"), (minh, "/x"), (lan, ""), (minh, "?limit=0")):
        lists.judge(officer.get(f"/v1/approval-lists{path}"))
    assert lists.statuses == {200, 201, 400, 403, 404, 409, 422}


@pytest.fixture
def unsearched(tmp_path: Path, office_pki: Path) -> Office:
    """Nobody is searched for here: what the centre approves is approved at once."""
    return make_office(tmp_path, office_pki, Sqlite(tmp_path))


def test_real_boxes_keep_the_contract(unsearched: Office) -> None:
    boxes = Contract("boxes")
    cards = [finished(unsearched, citizens()[n], f"capture-000000000{n}") for n in (0, 1)]
    stock, courier, mai = (unsearched.sign_in(name) for name in ("khoa.stock", "dung.courier", "mai.office"))
    for body in ({"unit": "001.002", "cards": cards}, {"unit": "001.002", "cards": cards}, {}):
        boxes.judge(stock.post("/v1/boxes", body))
    box = stock.get("/v1/boxes?state=sealed").get_json()[0]
    path = f"/v1/boxes/{box['id']}"
    for digest in ("x", box["digest"]):
        boxes.judge(courier.post(f"{path}/dispatch", {"digest": digest}))
    for scanned in (cards[:1], cards):
        boxes.judge(mai.post(f"{path}/receipt", {"cards": scanned}))
    for query in ("?state=received&limit=1", "?state=lost", f"/{box['id']}", "/x"):
        boxes.judge(mai.get(f"/v1/boxes{query}"))
    assert boxes.statuses == {200, 201, 400, 404, 409, 422}


def test_real_cards_keep_the_contract(unsearched: Office) -> None:
    cards, held = Contract("credentials"), finished(unsearched, PERSON)
    deliver(unsearched, held)
    mai, stock, son = (unsearched.sign_in(name) for name in ("mai.office", "khoa.stock", "son.supervisor"))
    for officer, step, body in (
        (mai, "handover", {}),
        (mai, "handover", {"receipt": "no receipt"}),
        (son, "holder-confirmation", {"reason": "holder_visited"}),
        (son, "holder-confirmation", {"reason": "for no reason"}),
        (mai, "handover", None),
        (mai, "loss-report", None),
        (son, "resumption", None),
        (son, "suspension", {"reason": "investigation"}),
        (son, "suspension", {"reason": "investigation", "case": "VA-1"}),
        (son, "revocation", {"reason": "data_error"}),
        (stock, "return", None),
        (stock, "destruction", None),
    ):
        cards.judge(officer.post(f"/v1/credentials/{held}/{step}", body))
    for query in (
        "/work-list?state=revoked",
        "/work-list?state=there",
        f"?citizen_number={PERSON.citizen_number}",
    ):
        cards.judge(son.get(f"/v1/credentials{query}"))
    service = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    for key in (card_of(unsearched, held).status_key, "0" * 16):
        asked = {"status_key": key}
        cards.judge(unsearched.client().post("/v1/credential-status-queries", json=asked, headers=service))
    cards.judge(mai.post("/v1/credentials/x/loss-report"))
    assert cards.statuses == {200, 400, 403, 404, 409, 422}


def test_a_card_that_nobody_fetched_keeps_the_contract(unsearched: Office) -> None:
    cards, left = Contract("credentials"), finished(unsearched, PERSON)
    deliver(unsearched, left)
    age_cards(unsearched.database, lambda: NOW + timedelta(days=99))
    for officer, step in (
        ("khoa.stock", "return"),
        ("khoa.stock", "destruction"),
        ("son.supervisor", "destruction"),
    ):
        ended = cards.judge(unsearched.sign_in(officer).post(f"/v1/credentials/{left}/{step}"))
    assert ended.get_json()["state"] == "destroyed"


def test_real_accounts_keep_the_contract(office: Office) -> None:
    accounts, number = Contract("accounts"), PERSON.citizen_number
    lan, thu, son = (office.sign_in(name) for name in ("lan.capture", "thu.central", "son.supervisor"))
    for body in ({"citizen_number": number}, {"citizen_number": number}, {"citizen_number": "1"}, {}):
        accounts.judge(lan.post("/v1/accounts", body))
    made = accounts.judge(lan.get(f"/v1/accounts?citizen_number={number}")).get_json()[0]["id"]
    for state in ("captured", "used"):
        accounts.judge(thu.get(f"/v1/accounts/work-list?state={state}"))
    path, why = f"/v1/accounts/{made}", {"reason": "investigation"}
    accounts.judge(thu.post(f"{path}/approval"))
    for token in (STATUS_TOKEN, "wrong"):
        headers = {"Authorization": f"Bearer {token}"}
        accounts.judge(office.client().post(f"/v1/account-activations/{made}", headers=headers))
    for step, body in (("suspension", why), ("suspension", {}), ("resumption", None), ("closure", why)):
        accounts.judge(son.post(f"{path}/{step}", body))
    accounts.judge(son.post("/v1/accounts/x/closure", why))
    assert accounts.statuses == {200, 201, 400, 401, 404, 409, 422}


def test_real_dossiers_at_every_desk_keep_the_contract(office: Office) -> None:
    dossiers, door = Contract("dossiers"), OfficerDoor(office.database, lambda: NOW)
    for officer, role in (
        ("chief", Role.DISTRICT_CHIEF),
        ("leader", Role.TEAM_LEADER),
        ("clerk", Role.ARCHIVE_CLERK),
        ("son.central", Role.CENTRAL_APPROVER),
    ):
        door.enrol(officer, officer, (role,), PASSWORD)
    lan, minh, thu = map(office.sign_in, ("lan.capture", "minh.approve", "thu.central"))
    chief, leader, clerk, son = map(office.sign_in, ("chief", "leader", "clerk", "son.central"))
    captured = [lan.capture(each, f"capture-000000000{n}") for n, each in enumerate(citizens()[:3])]
    path, other, last = (f"/v1/dossiers/{each.get_json()['id']}" for each in captured)
    hold, reason = {"case_id": "KN-2026-7"}, {"reason": "fraud", "legal_basis": "Điều 7", "comment": "Giả"}
    for by, step, body in (
        (minh, "/archive-lookup", {"reason": "none"}),
        (minh, "/archive-lookup", {"reason": "no_data"}),
        (leader, "/archive-lookup/approval", None),
        (chief, "/archive-lookup/approval", None),
        (clerk, "/archive-lookup/result", {"result": "agrees", "note": "tờ khai"}),
        (chief, "/suspension", {"case_id": "?"}),
        (chief, "/suspension", hold),
        (chief, "/resumption", hold),
        (minh, "/central-approval", None),
        (thu, "/central-approval", None),
    ):
        dossiers.judge(by.post(f"{path}{step}", body))
    for by, step, body in (
        (minh, "/rejection", {"reason": "x"}),
        (minh, "/rejection", reason),
        (minh, "/rejection/confirmation", None),
        (chief, "/rejection/confirmation", None),
    ):
        dossiers.judge(by.post(f"{other}{step}", body))
    notice = f"{other}/rejection-notice"
    for told in (lan.post(f"{notice}/handover"), lan.get(f"{notice}.pdf"), lan.post(f"{notice}/handover")):
        dossiers.judge(told)
    minh.approve(last.rsplit("/", 1)[1])
    for by, step, body in (
        (thu, "/return", {"items": ["portrait", "form"], "comment": "mờ"}),
        (son, "/rejection", reason),
    ):
        dossiers.judge(by.post(f"{last}{step}", body))
    dossiers.judge(thu.get("/v1/dossiers"))
    assert dossiers.statuses == {200, 400, 403, 404, 409, 422}


def test_real_figures_keep_the_contract(office: Office) -> None:
    figures, lan = Contract("statistics"), office.sign_in("lan.capture")
    for number in (0, 1):
        lan.capture(citizens()[number], f"capture-000000000{number}")
    target = {
        "definition": "captured", "unit": "", "starts_on": "2026-01-01", "ends_on": "2026-12-31",
        "amount": 4, "basis": "Kế hoạch",
    }  # fmt: skip
    service = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    for targets in ([target], []):
        figures.judge(
            office.client().post("/v1/statistics-targets", json={"targets": targets}, headers=service)
        )
    for question in (
        "definitions", "report?period=month", "report?as_of=2026-11-20", "report?unit=hanoi",
        "report?period=decade", "report.csv", "report.xlsx", "report.pdf", "report.exe",
        "records?figure=captured&limit=1", "records?figure=issued",
    ):  # fmt: skip
        figures.judge(lan.get(f"/v1/statistics/{question}"))
    report = lan.get("/v1/statistics/report").get_json()
    assert report["targets"]
    assert report["stages"]
    chief = office.sign_in("son.supervisor")
    for by, wanted in ((chief, target), (chief, {**target, "amount": 0}), (chief, {}), (lan, target)):
        figures.judge(by.post("/v1/statistics/targets", wanted))
    for body in ({"text": "Đã thu 85.172.210 phiếu DC01/87.306.594 nhân khẩu, đạt 97,5 %."}, {}):
        figures.judge(lan.post("/v1/statistics/text-checks", body))
    assert figures.statuses == {200, 201, 400, 403, 404, 422}


def test_real_answers_of_the_registry_keep_the_contract(registry: Flask) -> None:
    contract, client = Contract("registry"), registry.test_client()
    service = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    query = {"full_name": PERSON.full_name, "date_of_birth": "1990-01-01", "sex": "M"}
    for number in (PERSON.citizen_number, "001099000000"):
        contract.judge(client.get(f"/v1/persons/{number}", headers=service))
        asked = {**query, "citizen_number": number}
        contract.judge(client.post("/v1/person-queries", json=asked, headers=service))
    contract.judge(client.post("/v1/person-queries", json=[], headers=service))
    contract.judge(client.get(f"/v1/persons/{PERSON.citizen_number}"))
    assert contract.statuses == {200, 400, 401, 404}


def test_health_keeps_the_contract(office: Office, registry: Flask) -> None:
    contract = Contract(SHARED)
    for app in programs(office, registry).values():
        for path in ("/healthz", "/readyz"):
            contract.judge(app.test_client().get(path))
    assert contract.statuses == {200}


@pytest.mark.parametrize("name", sorted(set(CONTRACTS) - OF_REGISTRY.keys()))
def test_generated_requests_find_no_server_error(office: Office, registry: Flask, name: str) -> None:
    """Whatever is sent: no 5xx and every answer in the contract."""
    require_no_server_error(office, registry, name, "binh.both")


@pytest.mark.parametrize("name", OF_REGISTRY)
def test_generated_requests_to_the_registry_find_no_server_error(
    office: Office, registry: Flask, tmp_path: Path, name: str
) -> None:
    """The same of what officers send on to the registry."""
    with form_room(office, Sqlite(tmp_path), tmp_path) as room:
        require_no_server_error(room.office, registry, name, OF_REGISTRY[name])


def require_no_server_error(office: Office, registry: Flask, name: str, officer_name: str) -> None:
    contract = Contract(name)
    client = programs(office, registry)[DOCUMENTS[name]["x-program"]].test_client()
    officer = office.sign_in(officer_name)
    for result in schemathesis.openapi.from_path(str(FOLDER / f"{name}.yaml")).get_all_operations():
        drive(result.ok(), contract, client, officer.token)
    assert max(contract.statuses) < 500
    assert contract.statuses & {200, 201, 400, 401, 404, 422}


def drive(operation: Any, contract: Contract, client: Any, officer: str) -> None:
    """Send generated cases of one operation, as an officer or as a service."""
    schemes = str(operation.definition.raw.get("security") or DOCUMENTS_OF[operation.path].get("security"))
    token = officer if "officerSession" in schemes else STATUS_TOKEN

    @settings(
        max_examples=10, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        path = operation.path
        for parameter, value in (case.path_parameters or {}).items():
            segment = quote(str(value), safe="").replace(".", "%2E") or "x"
            path = path.replace(f"{{{parameter}}}", segment)
        query = {key: value for key, value in (case.query or {}).items() if key != "wait"}
        body = b"" if case.method in {"GET", "DELETE"} else json.dumps(case.body, default=str).encode()
        response = client.open(
            f"{path}?{urlencode(query, doseq=True)}", method=case.method, data=body,
            content_type="application/json", headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        contract.judge(response)

    if operation.path != "/v1/officer-sessions/current":  # one sign-out and nothing else would be tried
        one()


DOCUMENTS_OF = {path: document for document in DOCUMENTS.values() for path in document["paths"]}
