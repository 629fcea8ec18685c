"""A real search, its examiners and an investigation keep the documents of ``issuance_backend/openapi``."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.dossiers import acts, repository
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.issuance_backend.test_openapi import Contract
from tests.support.cheap_prints import cheap_print
from tests.support.engines import Sqlite
from tests.support.issuance_office import (
    NOW,
    PASSWORD,
    STATUS_TOKEN,
    Office,
    citizens,
    make_office,
)
from tests.support.running import run_pending
from tests.support.search_bed import finger_modality, messages, samples_of
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition

SEARCHERS = {
    "e.mot": Role.EXAMINER,
    "truong": Role.ADJUDICATION_LEAD,
    "dtv.mot": Role.INVESTIGATOR,
    "dtv.hai": Role.INVESTIGATOR,
}


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """What is answered does not depend on the engine."""
    return make_office(tmp_path, office_pki, Sqlite(tmp_path), with_search=True)


def test_a_real_search_keeps_the_contract(office: Office, tmp_path: Path) -> None:
    search, service = Contract("biometric_search"), {"Authorization": f"Bearer {STATUS_TOKEN}"}
    keys, modalities = KeyRoom(tmp_path / "search_keys"), Modalities((finger_modality(),))
    desk = SearchDesk(office.database, keys, modalities, lambda: NOW)
    desk.open_gallery("national", GalleryKind.NATIONAL)
    door = OfficerDoor(office.database, lambda: NOW)
    for name, role in SEARCHERS.items():
        door.enrol(name, name, (role,), PASSWORD)
    lan, judge = office.sign_in("lan.capture"), search.judge
    dossiers = [lan.capture(citizens()[n], f"capture-000000000{n}").get_json()["id"] for n in (0, 1)]
    with office.database.reading() as connection:
        made = [acts.found(connection, each).encounter for each in dossiers]
    kept = Pictures(office.database, None).put(cheap_print(2))
    with office.database.writing() as connection:
        Pictures.keep(connection, kept)
        for each in dossiers:
            repository.set_prints(connection, each, {2: kept.name})
    prints = msgspec.to_builtins(messages(samples_of(1)[1:]))
    insert = {
        "operation": "insert", "task_id": "task-00000001", "gallery": "national", "subject": "subject-1",
        "encounter": made[0], "legal_basis": "Luật 26/2023/QH15", "samples": prints,
    }  # fmt: skip
    identify = {
        "operation": "identify", "task_id": "task-00000002", "gallery": "national", "encounter": made[1],
        "samples": prints, "officers": ["lan.capture"],
    }  # fmt: skip
    for body in (insert, identify, {**identify, "gallery": "nowhere", "task_id": "task-00000003"}, {}):
        judge(office.client().post("/v1/search-tasks", json=body, headers=service))
    run_pending(SearchWorker(office.database, keys, modalities, lambda: NOW))
    found = judge(office.client().get("/v1/search-tasks/task-00000002", headers=service)).get_json()
    assert found["candidates"][0]["likenesses"]
    judge(office.client().get("/v1/search-tasks/task-00000009", headers=service))
    judge(office.client().get("/v1/galleries", headers=service))
    judge(lan.get("/v1/adjudication-cases/next"))
    mot, lead = office.sign_in("e.mot"), office.sign_in("truong")
    path = f"/v1/adjudication-cases/{judge(mot.get('/v1/adjudication-cases/next')).get_json()['case_id']}"
    judge(mot.get(path))
    assert judge(mot.get(f"{path}/prints/2/candidate.png")).content_type == "image/png"
    assert judge(mot.get(f"{path}/prints/3/probe.png")).get_json()["code"] == "CASE_PRINT_UNKNOWN"
    assert judge(mot.get(f"{path}/probe.jpg")).content_type == "image/jpeg"
    for decision in ("fraud", "poor_data", "no word for it"):
        judge(mot.post(f"{path}/decision", {"decision": decision}))
    judge(mot.get("/v1/adjudication-cases/next"))
    bait = {"probe_encounter": made[1], "candidate_encounter": made[0], "are_same_person": False}
    judge(lead.post("/v1/adjudication-cases/baits", bait))
    judge(lead.get("/v1/adjudication-cases/figures"))
    one, two = office.sign_in("dtv.mot"), office.sign_in("dtv.hai")
    warrant = {"number": "1", "authority": "VKS", "valid_from": "2026-11-01", "valid_through": "2026-12-31"}
    ordered = {"task_id": "order-00000001", "warrant": warrant, "gallery": "national", "samples": prints}
    judge(one.post("/v1/investigations", ordered))
    judge(one.get("/v1/investigations/order-00000001"))
    finger = io.BytesIO()
    Image.fromarray(render_finger(5, FingerPosition.RIGHT_INDEX)).save(finger, "PNG")
    for sent in ({"2": finger.getvalue()}, {"2": b"x"}):
        by_picture = {**ordered, "task_id": "order-00000002", "prints": msgspec.to_builtins(sent)}
        del by_picture["samples"]
        judge(one.post("/v1/investigation-pictures", by_picture))
    for officer in (one, two):
        judge(officer.post("/v1/investigations/order-00000001/release"))
    assert search.statuses >= {200, 202, 204, 400, 403, 404, 409, 422}
