"""Who reads the whole nation's work, and has no part in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend import __main__ as command
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens, make_office
from verification.messages.signing_key import public_jwk

AUDITOR = "thanh.tra"
NUMBER = citizens()[0].citizen_number
ASKED = {
    "/v1/credentials": f"citizen_number={NUMBER}",
    "/v1/credentials/work-list": "state=active",
    "/v1/accounts": f"citizen_number={NUMBER}",
    "/v1/accounts/work-list": "state=active",
    "/v1/boxes": "state=sealed",
    "/v1/boxes/waiting-cards": "unit=001.02.00013",
    "/v1/statistics/records": "figure=captured",
}
"""What a question cannot be asked without."""
OF_SERVICES = {"/v1/events", "/v1/events/position", "/v1/packet-keys"}
OF_THE_REGISTRY = ("/v1/dc01-", "/v1/registry-")
"""These are the registry's: ``dc01_work`` and ``registry_work`` ask there, with one beside the office."""


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """With an auditor who is entered in a commune where nothing happens: that bounds nothing."""
    made = make_office(tmp_path, office_pki, Sqlite(tmp_path))
    OfficerDoor(made.database, lambda: NOW).enrol(AUDITOR, "Thanh", (Role.AUDITOR,), PASSWORD, "079.01")
    return made


def test_an_auditor_reads_every_list_of_the_office(office: Office) -> None:
    auditor = office.sign_in(AUDITOR)
    lists = {
        rule.rule
        for rule in office.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.arguments
        and rule.rule.startswith("/v1/")
        and not rule.rule.startswith(OF_THE_REGISTRY)
    }
    answers = {path: auditor.get(f"{path}?{ASKED.get(path, '')}") for path in lists - OF_SERVICES}
    assert {path: each.status_code for path, each in answers.items()} == dict.fromkeys(answers, 200)
    assert len(answers) > 12


def test_an_auditor_sees_every_unit_and_what_is_in_each(office: Office) -> None:
    dossier = office.sign_in("lan.capture").capture(citizens()[0]).get_json()["id"]
    jwk = dict(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    kit = {"kit": "kit-1", "jwk": jwk, "unit": "001.02.00013"}
    assert office.sign_in("son.supervisor").post("/v1/kits", kit).status_code == 204
    auditor = office.sign_in(AUDITOR)
    assert dossier in auditor.get("/v1/dossiers").get_data(as_text=True)
    for part in ("", "/portrait.jpg", "/forms", "/forms/CC01.pdf"):
        assert auditor.get(f"/v1/dossiers/{dossier}{part}").status_code == 200, part
    assert [each["kit"] for each in auditor.get("/v1/kits").get_json()] == ["kit-1"]
    assert auditor.get("/v1/kits/kit-1/numbers").status_code == 200
    # The nation's, for somebody of a unit as well.
    assert auditor.get("/v1/statistics/returns").get_json()["unit"] == ""


def test_an_auditor_begins_no_capture(office: Office) -> None:
    """What a capture begins with is the registry's, and asked for captures only."""
    refused = office.sign_in(AUDITOR).get(f"/v1/prefill/{NUMBER}")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


def test_who_audits_has_no_other_role_by_either_command(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", office.database.url)
    secret, roster = tmp_path / "password", tmp_path / "officers.json"
    secret.write_text(PASSWORD)
    add = ["officer", "add", "--id", AUDITOR, "--role", "auditor", "--password-file", str(secret)]
    assert command.main(add) == 0
    assert command.main([*add, "--role", "capture"]) == 1
    entry = {"id": "lan.capture", "roles": ["capture", "auditor"], "password_file": str(secret)}
    roster.write_text(json.dumps([entry]))
    assert command.main(["officer", "add-all", "--roster", str(roster)]) == 1
    assert capsys.readouterr().err.count("an auditor has no other role") == 2
    for officer, roles in ((AUDITOR, ["auditor"]), ("lan.capture", ["capture"])):
        asked = {"officer": officer, "password": PASSWORD}
        assert office.client().post("/v1/officer-sessions", json=asked).get_json()["roles"] == roles
