"""The search as other programs and officers meet it: over HTTP, each with their own door."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from issuance_backend.app import create_issuance_app
from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.settings import IssuanceSettings
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.issuance_backend.test_openapi import Contract
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, InventedRegistry, make_office
from tests.support.query_plans import plans_of
from tests.support.running import run_pending
from tests.support.search_bed import finger_modality, identify, investigation, samples_of
from verification.errors import LimitExceeded
from verification.messages.biometric_search import MAX_TASK_BYTES, SampleMessage

PASSWORD = "giữ-kín-mật-khẩu-2026"
TOKENS = {"card-office": ["search.task"], "crime-bureau": ["search.crime"], "gateway": ["status.query"]}
ROLES = {
    "e.mot": Role.EXAMINER,
    "e.hai": Role.EXAMINER,
    "truong": Role.ADJUDICATION_LEAD,
    "dtv.mot": Role.INVESTIGATOR,
    "dtv.hai": Role.INVESTIGATOR,
    "kiem.toan": Role.AUDITOR,
}


def finger_messages(person: int, touch: int = 2) -> tuple[SampleMessage, ...]:
    samples = samples_of(person, touch=touch)
    return tuple(
        SampleMessage(*(getattr(each, n) for n in ("modality", "position", "format", "content")))
        for each in samples
        if each.modality == "finger"
    )


class Door:
    """The office with a search, and requests of programs and officers."""

    def __init__(self, folder: Path, pki: Path, engine: Engine) -> None:
        make_office(folder, pki)  # holds the ceremony
        tokens = folder / "search-tokens.json"
        tokens.write_text(
            json.dumps(
                {n: {"sha256": hashlib.sha256(n.encode()).hexdigest(), "roles": r} for n, r in TOKENS.items()}
            )
        )
        url, keys = engine.migrated(ISSUANCE_MIGRATIONS), folder / "keys"
        self.database = Database(url)
        door = OfficerDoor(self.database, lambda: NOW)
        for name, role in ROLES.items():
            door.enrol(name, name, (role,), PASSWORD)
        settings = IssuanceSettings(
            service_tokens=tokens, registry_url="http://127.0.0.1:9", registry_token_file=tokens, pki_dir=pki,
            card_dir=folder / "cards", database_url=url, search_key_dir=keys,
        )  # fmt: skip
        self.app: Flask = create_issuance_app(settings, clock=lambda: NOW, registry=InventedRegistry())
        modalities = Modalities((finger_modality(),))
        desk = SearchDesk(self.database, KeyRoom(keys), modalities, lambda: NOW)
        desk.open_gallery("national", GalleryKind.NATIONAL)
        desk.open_gallery("crime", GalleryKind.CRIME)
        self.worker = SearchWorker(self.database, KeyRoom(keys), modalities, lambda: NOW)
        self._sessions: dict[str, str] = {}

    def ask(self, who: str, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        return self.app.test_client().open(
            path, method=method, data=content, content_type="application/json",
            headers={"Authorization": f"Bearer {self._token(who)}"},
        )  # fmt: skip

    def _token(self, who: str) -> str:
        if who not in ROLES:
            return who
        if who not in self._sessions:
            body = {"officer": who, "password": PASSWORD}
            answer = self.app.test_client().post("/v1/officer-sessions", json=body)
            self._sessions[who] = answer.get_json()["token"]
        return self._sessions[who]


@pytest.fixture
def door(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Door:
    return Door(tmp_path, office_pki, database_engine)


def insert(person: int, gallery: str) -> dict[str, object]:
    return {
        "operation": "insert", "task_id": f"insert-{gallery}-{person}", "gallery": gallery,
        "subject": f"subject-{person}", "encounter": f"dossier-{person}", "legal_basis": "Luật 26/2023/QH15",
        "samples": finger_messages(person, 1),
    }  # fmt: skip


def test_from_enrolment_to_two_examiners(door: Door) -> None:
    for person in (1, 2):
        answer = door.ask("card-office", "POST", "/v1/search-tasks", insert(person, "national"))
        assert (answer.status_code, answer.get_json()["status"]) == (202, "queued")
    request = identify(1, samples=finger_messages(1))
    assert door.ask("card-office", "POST", "/v1/search-tasks", request).status_code == 202
    assert run_pending(door.worker) == 3
    task = door.ask("card-office", "GET", "/v1/search-tasks/identify-1").get_json()
    assert (task["status"], task["outcome"]) == ("done", "adjudication")
    assert "subject-1" not in str(task), "a program learns that somebody is enrolled, not who"
    (national,) = door.ask("card-office", "GET", "/v1/galleries").get_json()
    assert (national["code"], national["enrolments"]) == ("national", 2)
    case = door.ask("e.mot", "GET", "/v1/adjudication-cases/next").get_json()
    assert set(case) == {"case_id", "opened_at", "my_decision", "prints"}
    path = f"/v1/adjudication-cases/{case['case_id']}"
    for examiner in ("e.mot", "e.hai"):
        said = door.ask(examiner, "POST", f"{path}/decision", {"decision": "fraud"})
        assert said.get_json()["my_decision"] == "fraud"
        assert said.headers["Cache-Control"] == "no-store"
    assert door.ask("e.mot", "GET", "/v1/adjudication-cases/next").status_code == 204
    figures = door.ask("truong", "GET", "/v1/adjudication-cases/figures").get_json()
    assert [(each["examiner"], each["agreed"]) for each in figures] == [("e.hai", 1), ("e.mot", 1)]


def test_by_warrant_and_released_by_a_second_officer(door: Door) -> None:
    door.ask("crime-bureau", "POST", "/v1/search-tasks", insert(3, "crime"))
    request = investigation(3, samples=finger_messages(3))
    assert door.ask("dtv.mot", "POST", "/v1/investigations", request).status_code == 202
    run_pending(door.worker)
    asked = door.ask("dtv.mot", "GET", "/v1/investigations/investigation-3").get_json()
    assert asked["task"]["candidates"][0]["subject"] is None
    refused = door.ask("dtv.mot", "POST", "/v1/investigations/investigation-3/release")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER")
    released = door.ask("dtv.hai", "POST", "/v1/investigations/investigation-3/release").get_json()
    assert released["task"]["candidates"][0]["subject"] == "subject-3"


def test_searches_by_warrant_are_listed_without_whom_they_are_about(door: Door) -> None:
    door.ask("crime-bureau", "POST", "/v1/search-tasks", insert(3, "crime"))
    for number in (3, 4, 5):
        request = investigation(number, samples=finger_messages(3))
        assert door.ask("dtv.mot", "POST", "/v1/investigations", request).status_code == 202
    run_pending(door.worker)
    assert door.ask("dtv.hai", "POST", "/v1/investigations/investigation-3/release").status_code == 200
    contract = Contract("biometric_search")
    with plans_of("issuance_backend") as plans:
        whole = contract.judge(door.ask("kiem.toan", "GET", "/v1/investigations")).get_json()
    # The few that are by warrant, in an index of their own and in its order.
    of_tasks = [plan for question, plan in plans.items() if "FROM search_tasks" in question]
    assert all(plan == ("SCAN search_tasks USING INDEX search_tasks_by_warrant",) for plan in of_tasks)
    assert [
        (each["task_id"], each["requested_by"], each["released_by"], each["status"]) for each in whole
    ] == [
        ("investigation-5", "dtv.mot", None, "done"),
        ("investigation-4", "dtv.mot", None, "done"),
        ("investigation-3", "dtv.mot", "dtv.hai", "done"),
    ]
    assert "subject" not in str(whole)
    found, path = [], "/v1/investigations?limit=2"
    while path:
        answer = door.ask("dtv.mot", "GET", path)
        found += answer.get_json()
        path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert found == whole


def test_without_a_warrant_there_is_no_such_request(door: Door) -> None:
    body = msgspec.to_builtins(investigation(3, samples=finger_messages(3)), builtin_types=(bytes,))
    del body["warrant"]
    answer = door.ask("dtv.mot", "POST", "/v1/investigations", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "REQUEST_MALFORMED")


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("gateway", "GET", "/v1/galleries", 401),
        ("nobody", "POST", "/v1/search-tasks", 401),
        ("card-office", "GET", "/v1/adjudication-cases/next", 401),
        ("card-office", "GET", "/v1/search-tasks/no-such-task", 404),
        ("e.mot", "GET", "/v1/investigations/investigation-3", 403),
        ("e.mot", "GET", "/v1/investigations", 403),
        ("truong", "GET", "/v1/investigations", 403),
        ("kiem.toan", "GET", "/v1/investigations/investigation-3", 403),
        ("dtv.mot", "GET", "/v1/investigations?cursor=x", 422),
        ("e.mot", "GET", "/v1/adjudication-cases/figures", 403),
        ("dtv.mot", "GET", "/v1/adjudication-cases/next", 403),
        ("e.mot", "GET", "/v1/adjudication-cases/0000000000000000", 404),
        ("e.mot", "GET", "/v1/adjudication-cases/0000000000000000/probe.jpg", 404),
        ("e.mot", "GET", "/v1/adjudication-cases/0000000000000000/prints/2/probe.png", 404),
        ("e.mot", "GET", "/v1/adjudication-cases/0000000000000000/prints/x/probe.png", 404),
        ("dtv.mot", "GET", "/v1/adjudication-cases/0000000000000000/prints/2/probe.png", 403),
    ],
)
def test_each_door_opens_to_its_own_people(door: Door, who: str, method: str, path: str, status: int) -> None:
    assert door.ask(who, method, path).status_code == status


def test_each_gallery_is_for_its_own_caller(door: Door) -> None:
    for caller, gallery in (("card-office", "crime"), ("crime-bureau", "national")):
        answer = door.ask(caller, "POST", "/v1/search-tasks", insert(1, gallery))
        assert (answer.status_code, answer.get_json()["code"]) == (403, "GALLERY_PURPOSE_REFUSED")


def test_a_malformed_task_is_refused_and_quoted_nowhere(door: Door) -> None:
    for body in ({"operation": "reject"}, {"operation": "insert", "subject": "bí mật"}, [1]):
        answer = door.ask("card-office", "POST", "/v1/search-tasks", body)
        assert answer.status_code == 400
        assert "bí mật" not in answer.get_data(as_text=True)


def test_a_task_larger_than_any_persons_is_not_read(door: Door) -> None:
    body = {"operation": "insert", "subject": "x" * MAX_TASK_BYTES}
    answer = door.ask("card-office", "POST", "/v1/search-tasks", body)
    assert (answer.status_code, answer.get_json()["code"]) == (413, LimitExceeded.code)


def test_without_a_folder_of_keys_there_is_no_search(tmp_path: Path, office_pki: Path) -> None:
    rules = {rule.rule for rule in make_office(tmp_path, office_pki).app.url_map.iter_rules()}
    assert "/v1/search-tasks" not in rules
    assert "/v1/investigations" not in rules
