"""kill -9 at every point of what else officers decide about a dossier, a card and an electronic account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.delivery import SUPERVISOR, active, card_of
from tests.support.dying_office import Deaths, deaths_of
from tests.support.engines import Engine
from tests.support.issuance_office import PASSWORD, Office, capture_body, citizens, make_office, picture
from tests.support.killing import require_sound

pytestmark = pytest.mark.slow

HOLDER, APPLICANT, STRANGER = citizens()[4], citizens()[2], citizens()[3]
CHIEF, CLERK = "vinh.chief", "an.archive"
CASE = {"case_id": "VA-2026/17"}
FRAUD = {"reason": "fraud", "legal_basis": "Luật 26/2023/QH15, điều 23", "comment": "Giấy tờ giả"}


@pytest.fixture
def deaths(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, database_engine: Engine
) -> Iterator[Deaths]:
    office = make_office(tmp_path, tmp_path_factory.mktemp("decisions") / "pki", database_engine)
    door = OfficerDoor(office.database, lambda: office.now[0])
    for officer, role in ((CHIEF, Role.DISTRICT_CHIEF), (CLERK, Role.ARCHIVE_CLERK)):
        door.enrol(officer, officer.title(), (role,), PASSWORD)
    with deaths_of(office) as deaths:
        yield deaths
    require_sound(office.database)


def captured(office: Office, number: int) -> str:
    """The path of a dossier that waits for its approval."""
    person = {1: APPLICANT, 2: STRANGER}[number]
    made = office.sign_in("lan.capture").capture(person, f"capture-{number:010}")
    return f"/v1/dossiers/{made.get_json()['id']}"


def test_what_stops_a_dossier_or_lets_it_go_on_is_decided_once(deaths: Deaths) -> None:
    office, act = deaths.office, deaths.act
    path = captured(office, 1)
    act("minh.approve", f"{path}/return", {"items": ["portrait"], "comment": "Mờ"}, leaves=["dossier return"])
    again = capture_body(APPLICANT, "capture-0000000009", portrait=picture(3))
    deaths.capture("lan.capture", f"{path}/recapture", again)
    lookup = f"{path}/archive-lookup"
    act("minh.approve", lookup, {"reason": "paper_prints"}, leaves=["dossier ask_archive"])
    act(CHIEF, f"{lookup}/approval", leaves=["dossier approve_lookup"])
    act(CLERK, f"{lookup}/result", {"result": "agrees"}, leaves=["dossier answer_lookup"])
    act(CHIEF, f"{path}/suspension", CASE, leaves=["dossier suspend"])
    act(CHIEF, f"{path}/resumption", CASE, leaves=["dossier resume"])
    act("minh.approve", f"{path}/rejection", FRAUD, leaves=["dossier propose_rejection"])
    act(CHIEF, f"{path}/rejection/confirmation", leaves=["dossier reject", "notice owe"])
    act("lan.capture", f"{captured(office, 2)}/withdrawal", leaves=["dossier withdraw"])


def test_a_card_and_an_account_are_held_freed_and_ended_once(deaths: Deaths) -> None:
    office, act = deaths.office, deaths.act
    card = active(office, HOLDER)
    path, held = f"/v1/credentials/{card}", {"reason": "investigation"}
    act(SUPERVISOR, f"{path}/suspension", {**held, "case": "VA-2026/17"}, leaves=["card suspend"])
    act(SUPERVISOR, f"{path}/resumption", leaves=["card resume"])
    act(SUPERVISOR, f"{path}/revocation", {"reason": "handed_in"}, leaves=["card revoke"])
    assert card_of(office, card).state == "revoked"
    number = HOLDER.citizen_number
    act("lan.capture", "/v1/accounts", {"citizen_number": number}, leaves=["account capture"])
    (account,) = office.sign_in("lan.capture").get(f"/v1/accounts?citizen_number={number}").get_json()
    path = f"/v1/accounts/{account['id']}"
    act("thu.central", f"{path}/approval", leaves=["account approve"])
    act(SUPERVISOR, f"{path}/suspension", held, leaves=["account suspend"])
    act(SUPERVISOR, f"{path}/resumption", leaves=["account resume"])
    act(SUPERVISOR, f"{path}/closure", {"reason": "fraud"}, leaves=["account close"])
