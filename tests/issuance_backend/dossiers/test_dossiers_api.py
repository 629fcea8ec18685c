from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from issuance_backend import recorded_events
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.domain import DossierEvent, fold
from issuance_backend.dossiers.service import READERS
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.portrait_judge import NoEngine
from tests.support.issuance_office import PASSWORD, STATUS_TOKEN, Office, capture_body, citizens, picture
from verification.messages.enrollment import MAX_PORTRAIT_BYTES
from verification.messages.person_query import LifeStatus

PERSON = citizens()[0]
PREPARATIONS = "/v1/approval-lists/preparations"


def captured(office: Office, officer: str = "lan.capture") -> str:
    answer = office.sign_in(officer).capture(PERSON)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def fields(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert answer.get_json()["code"] == "FIELDS_REFUSED"
    return dict(answer.get_json()["fields"])


def steps(office: Office, dossier: str) -> list[str]:
    return [
        step["event"]
        for step in office.sign_in("lan.capture").get(f"/v1/dossiers/{dossier}").get_json()["steps"]
    ]


def test_from_capture_to_the_order_of_a_card_every_step_is_recorded(office: Office) -> None:
    dossier = captured(office)
    view = office.approve_all(dossier)
    assert (view["state"], view["search"], view["approved_by"]) == (
        "central_approved",
        "no_gallery",
        "thu.central",
    )
    assert [(step["event"], step["actor"]) for step in view["steps"]] == [
        ("capture", "lan.capture"),
        ("validate", "system"),
        ("approve_locally", "minh.approve"),
        ("skip_search", "system"),
        ("approve_centrally", "thu.central"),
    ]
    assert view["card_steps"][0]["event"] == "order"
    assert fold(DossierEvent(step["event"]) for step in view["steps"]) == view["state"]
    with office.database.reading() as connection:
        assert recorded_events.verify(connection) >= 6


def test_four_eyes_hold_for_an_officer_with_both_roles(office: Office) -> None:
    dossier = captured(office, "binh.both")
    both = office.sign_in("binh.both")
    reasons = {"items": ["portrait"], "comment": "mờ"}
    for path, body in ((PREPARATIONS, {"dossiers": [dossier]}), (f"/v1/dossiers/{dossier}/return", reasons)):
        answer = both.post(path, body)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "SAME_OFFICER")
    assert steps(office, dossier) == ["capture", "validate"]


def test_who_captured_an_earlier_version_may_not_approve_a_later_one(office: Office) -> None:
    dossier = captured(office, "binh.both")
    reasons = {"items": ["portrait"], "comment": "Ảnh mờ"}
    office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/return", reasons)
    again = capture_body(PERSON, "capture-0000000002", portrait=picture(2))
    view = office.sign_in("lan.capture").recapture(dossier, again).get_json()
    assert (view["state"], view["captured_by"], view["returned"]) == ("validated", "lan.capture", None)
    answer = office.sign_in("binh.both").post(PREPARATIONS, {"dossiers": [dossier]})
    assert answer.get_json()["code"] == "SAME_OFFICER"
    office.approve_all(dossier)


@pytest.mark.parametrize(
    ("officer", "path"),
    [
        ("minh.approve", "/v1/counter-captures"),
        ("hoa.production", "/v1/counter-captures"),
        ("lan.capture", PREPARATIONS),
        ("thu.central", PREPARATIONS),
        ("minh.approve", "/v1/dossiers/{}/central-approval"),
        ("hoa.production", "/v1/dossiers/{}/central-approval"),
        ("minh.approve", "/v1/dossiers/{}/archive-lookup/approval"),
        ("lan.capture", "/v1/dossiers/{}/rejection/confirmation"),
        ("lan.capture", "/v1/dossiers/{}/production"),
        ("minh.approve", "/v1/dossiers/{}/production"),
        ("minh.approve", "/v1/dossiers/{}/withdrawal"),
    ],
)
def test_a_wrong_role_is_refused(office: Office, officer: str, path: str) -> None:
    dossier = captured(office)
    bodies = {
        "/v1/counter-captures": capture_body(PERSON, "capture-0000000009"),
        PREPARATIONS: {"dossiers": [dossier]},
    }
    answer = office.sign_in(officer).post(path.format(dossier), bodies.get(path))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


@pytest.mark.parametrize("step", ["preparation", "return", "withdrawal"])
def test_a_wrong_state_is_refused(office: Office, step: str) -> None:
    dossier = captured(office)
    office.approve_all(dossier)
    officer = "lan.capture" if step == "withdrawal" else "minh.approve"
    body = {"items": ["portrait"], "comment": "muộn"} if step == "return" else None
    path, body = (
        (PREPARATIONS, {"dossiers": [dossier]})
        if step == "preparation"
        else (f"/v1/dossiers/{dossier}/{step}", body)
    )
    answer = office.sign_in(officer).post(path, body)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")


def test_two_offices_at_once_open_one_dossier_of_a_person(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan = office.sign_in("lan.capture")
    assert lan.capture(PERSON).status_code == 201
    # Both looked before either wrote: the second one's look finds nothing.
    monkeypatch.setattr(repository, "open_dossier", lambda _connection, _number: None)
    answer = lan.capture(PERSON, "capture-0000000002")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "DOSSIER_ALREADY_OPEN")


def test_the_newest_are_first_among_all_and_the_longest_waiting_in_one_state(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    for index, person in enumerate(citizens()[:3]):
        office.now[0] += timedelta(minutes=1)
        lan.capture(person, f"capture-000000000{index}")

    def numbers(query: str) -> list[str]:
        return [each["citizen_number"] for each in lan.get(f"/v1/dossiers{query}").get_json()]

    waiting = [person.citizen_number for person in citizens()[:3]]
    assert numbers("?state=validated") == waiting
    assert numbers("") == waiting[::-1]


SERVICES_ROUTES = (
    ("POST", "/v1/credential-status-queries"), ("GET", "/v1/events"), ("GET", "/v1/events/position"),
    ("PUT", "/v1/events/position"), ("POST", "/v1/statistics-targets"),
    ("POST", "/v1/account-activations/1"), ("POST", "/v1/application-status"),
    ("POST", "/v1/complaint-status"),
    ("POST", "/v1/commune-extracts"), ("POST", "/v1/kit-returns"),
    # Officers' pages ask as well, and the public one.
    ("GET", "/v1/unit-names/1"),
)  # fmt: skip


# A kit is no caller who signs in: what it sends is signed by itself and by its officer.
OPEN_BLUEPRINTS = {"static", "health", "officer_sign_in", "packets"}


def _first(part: re.Match[str]) -> str:
    """The first of the words that may stand in a place, or a word that nothing is called by."""
    return part.group(1) or "1"


def guarded_routes(office: Office) -> set[tuple[str, str]]:
    return {
        (method, re.sub(r"<any\((\w+)[^>]*>|<[^>]*>", _first, rule.rule))
        for rule in office.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0] not in OPEN_BLUEPRINTS
    }


def test_every_route_that_is_not_a_services_takes_officers_and_no_service(office: Office) -> None:
    routes = guarded_routes(office)
    assert set(SERVICES_ROUTES) <= routes
    headers = {"Authorization": f"Bearer {STATUS_TOKEN}"}
    for method, path in sorted(routes - set(SERVICES_ROUTES)):
        answer = office.client().open(path, method=method, headers=headers)
        told = (answer.status_code, (answer.get_json() or {}).get("code"))
        assert told == (401, "OFFICER_SESSION_ENDED"), (method, path)


def test_an_officers_session_answers_no_service(office: Office) -> None:
    answer = office.sign_in("lan.capture").post("/v1/credential-status-queries", {"status_key": "00"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "SERVICE_NOT_PERMITTED")


def test_nobody_acts_without_a_session(office: Office) -> None:
    for method, path in (("get", "/v1/dossiers"), ("post", "/v1/counter-captures"), ("get", "/v1/prefill/1")):
        answer = getattr(office.client(), method)(path)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "OFFICER_SESSION_ENDED")


def test_the_same_capture_again_is_the_same_dossier(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    first, second = lan.capture(PERSON), lan.capture(PERSON)
    assert first.get_json()["id"] == second.get_json()["id"]
    assert steps(office, first.get_json()["id"]) == ["capture", "validate"]


def test_a_capture_id_with_other_content_or_officer_is_refused(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    lan.capture(PERSON)
    for answer in (
        lan.capture(PERSON, portrait=picture(3)),
        office.sign_in("binh.both").capture(PERSON),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "CAPTURE_REPLAYED")


def test_one_dossier_of_a_person_at_a_time(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    dossier = lan.capture(PERSON).get_json()["id"]
    assert lan.get(f"/v1/prefill/{PERSON.citizen_number}").get_json()["open_dossier"] == dossier
    answer = lan.capture(PERSON, "capture-0000000002")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "DOSSIER_ALREADY_OPEN")
    lan.post(f"/v1/dossiers/{dossier}/withdrawal")
    assert lan.capture(PERSON, "capture-0000000003").status_code == 201


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("12345", "CITIZEN_NUMBER_MALFORMED"),
        ("00109012345x", "CITIZEN_NUMBER_MALFORMED"),
        ("٠٠١٠٩٠١٢٣٤٥٦", "CITIZEN_NUMBER_MALFORMED"),
        ("../officers", "CITIZEN_NUMBER_MALFORMED"),
        ("001099000000", "REGISTRY_PERSON_UNKNOWN"),
    ],
)
def test_a_number_that_cannot_be_used_is_named_beside_its_field(
    office: Office, number: str, code: str
) -> None:
    answer = office.sign_in("lan.capture").capture(PERSON, citizen_number=number)
    assert fields(answer) == {"citizen_number": code}


def test_the_dead_get_no_card(office: Office) -> None:
    office.registry.people[PERSON.citizen_number] = replace(PERSON, life_status=LifeStatus.DECEASED)
    assert fields(office.sign_in("lan.capture").capture(PERSON)) == {
        "citizen_number": "REGISTRY_PERSON_NOT_ALIVE"
    }


def test_a_registry_that_is_down_is_not_a_missing_person(office: Office) -> None:
    office.registry.is_up = False
    answer = office.sign_in("lan.capture").capture(PERSON)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "REGISTRY_UNAVAILABLE")


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"full_name": "Nguyễn Văn Khác"}, {"full_name": "FIELD_NOT_AS_REGISTERED"}),
        ({"date_of_birth": "1990-02-31"}, {"date_of_birth": "FIELD_DATE"}),
        ({"date_of_birth": "1990"}, {"date_of_birth": "FIELD_DATE_PARTIAL"}),
        ({"date_of_birth": "1990-02"}, {"date_of_birth": "FIELD_DATE_PARTIAL"}),
        ({"sex": "X"}, {"sex": "FIELD_CHARACTERS"}),
        ({"identification": "  "}, {"identification": "FIELD_MISSING"}),
        ({"identification": "a\x01b"}, {"identification": "FIELD_CHARACTERS"}),
        ({"identification": "Sẹo 🙂"}, {"identification": "FIELD_CHARACTERS"}),
        ({"place_of_residence": "Đường 日本, Hà Nội"}, {"place_of_residence": "FIELD_CHARACTERS"}),
        ({"place_of_residence": "Số 5|Láng, Hà Nội"}, {"place_of_residence": "FIELD_CHARACTERS"}),
        ({"place_of_residence": "x" * 201}, {"place_of_residence": "FIELD_TOO_LONG"}),
        (
            {"identification": "", "place_of_residence": ""},
            {"identification": "FIELD_MISSING", "place_of_residence": "FIELD_MISSING"},
        ),
    ],
)
def test_every_bad_field_is_named_at_once(
    office: Office, person: dict[str, str], expected: dict[str, str]
) -> None:
    assert fields(office.sign_in("lan.capture").capture(PERSON, person=person)) == expected


def _bomb() -> bytes:
    jpeg = bytearray(picture())
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = b"\xff\xff\xff\xff"  # claims 65,535 x 65,535 pixels
    return bytes(jpeg)


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 800)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("portrait", "code"),
    [
        (b"", "PORTRAIT_MISSING"),
        (_png(), "PORTRAIT_NOT_JPEG"),
        (b"\xff\xd8\xff" + bytes(100), "PORTRAIT_UNDECODABLE"),
        (picture(1, (300, 400)), "PORTRAIT_TOO_SMALL"),
        (picture() + bytes(MAX_PORTRAIT_BYTES), "PORTRAIT_TOO_LARGE"),
        (_bomb(), "PORTRAIT_TOO_LARGE"),
    ],
    ids=["none", "png", "no frame", "small", "bytes", "pixels"],
)
def test_a_portrait_that_cannot_go_on_a_card_is_refused(office: Office, portrait: bytes, code: str) -> None:
    assert fields(office.sign_in("lan.capture").capture(PERSON, portrait=portrait)) == {"portrait": code}


def test_an_upload_beyond_every_limit_is_refused_unread(office: Office) -> None:
    answer = office.sign_in("lan.capture").capture(PERSON, portrait=bytes(6 * 1024 * 1024))
    assert answer.status_code == 413


def test_without_an_engine_an_officer_says_why_the_portrait_is_good(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    assert lan.get("/v1/portrait-gate").get_json() == {"engine": None}
    assert fields(lan.capture(PERSON, manual_portrait_reason="ok")) == {
        "manual_portrait_reason": "PORTRAIT_REASON_NEEDED"
    }
    view = lan.capture(PERSON).get_json()
    assert view["portrait_check"]["method"] == "manual"
    assert view["portrait_check"]["reason"]


def test_without_an_engine_a_picture_that_no_card_can_carry_is_still_refused(office: Office) -> None:
    cut = picture()[:2_000]
    assert fields(office.sign_in("lan.capture").capture(PERSON, portrait=cut)) == {
        "portrait": "PORTRAIT_UNDECODABLE"
    }


def test_an_engine_that_finds_a_fault_refuses_the_portrait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NoEngine, "engine", "judge")
    monkeypatch.setattr(NoEngine, "faults", lambda _self, _portrait: ("FACE_BLURRED", "FACE_TOO_DARK"))
    answer = office.sign_in("lan.capture").capture(PERSON, manual_portrait_reason=None)
    assert fields(answer) == {"portrait": "FACE_BLURRED"}


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({"items": [], "comment": "x"}, {"items": "FIELD_MISSING"}),
        ({"items": ["card"], "comment": "x"}, {"items": "FIELD_MISSING"}),
        ({"items": ["portrait"], "comment": " "}, {"comment": "FIELD_MISSING"}),
        ({"items": ["portrait"], "comment": "x" * 501}, {"comment": "FIELD_TOO_LONG"}),
    ],
)
def test_a_return_names_items_and_a_reason(
    office: Office, reasons: dict[str, Any], expected: dict[str, str]
) -> None:
    dossier = captured(office)
    assert fields(office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/return", reasons)) == expected


def test_an_unknown_dossier_is_said_to_be_unknown(office: Office) -> None:
    answer = office.sign_in("lan.capture").get("/v1/dossiers/0000000000000000")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "DOSSIER_UNKNOWN")


def test_what_is_returned_can_be_withdrawn(office: Office) -> None:
    dossier = captured(office)
    office.sign_in("minh.approve").post(
        f"/v1/dossiers/{dossier}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}
    )
    answer = office.sign_in("lan.capture").post(f"/v1/dossiers/{dossier}/withdrawal")
    assert answer.get_json()["state"] == "withdrawn"
    listed = office.sign_in("lan.capture").get("/v1/dossiers?state=withdrawn").get_json()
    assert [entry["id"] for entry in listed] == [dossier]
    assert office.sign_in("lan.capture").get("/v1/dossiers?state=nonsense").status_code == 422


@pytest.mark.parametrize("role", sorted(set(Role) - set(READERS)))
def test_whoever_judges_pictures_or_investigates_sees_no_dossier(office: Office, role: Role) -> None:
    """An examiner who could look up whose pictures these are would not be blind."""
    dossier = captured(office)
    OfficerDoor(office.database, lambda: office.now[0]).enrol("mot", "Một", (role,), PASSWORD)
    other = office.sign_in("mot")
    for path in (
        "",
        "?state=validated",
        f"/{dossier}",
        f"/{dossier}/portrait.jpg",
        f"/{dossier}/hand_photos/left.jpg",
        "/" + "0" * 16,
    ):
        answer = other.get(f"/v1/dossiers{path}")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING"), path
    assert other.get(f"/v1/prefill/{PERSON.citizen_number}").status_code == 403
    if role in {Role.EXAMINER, Role.ADJUDICATION_LEAD, Role.INVESTIGATOR}:
        assert other.get(f"/v1/credentials?citizen_number={PERSON.citizen_number}").status_code == 403
