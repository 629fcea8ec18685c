"""Whole visits at a counter: a software card, the gateway over real HTTP, and everything that goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from issuance_backend.virtual_card.tampering import clone, flip_dg13, swap_dg14
from tests.support.counter_bench import Bench, HttpGateway, genuine_card, make_bench, serving
from verification.errors import ReaderUnplugged
from verification.messages.verification_session import SessionPolicy

PASSIVE = SessionPolicy((1, 13, 14), True, False, "chip-live-gateway")
NO_FACE = SessionPolicy((1, 13, 14), False, False, "chip-live-gateway")


@pytest.fixture
def gateway() -> Iterator[HttpGateway]:
    with serving(HttpGateway()) as running:
        yield running


@pytest.fixture
def bench(gateway: HttpGateway, tmp_path: Path) -> Bench:
    return make_bench(gateway, tmp_path, image=genuine_card())


def test_a_genuine_person_is_verified_with_the_chip_proven_by_the_gateway(bench: Bench) -> None:
    view = bench.tap()
    assert view["verdict"]["outcome"] == "verified"
    assert view["verdict"]["code"] is None
    assert view["verdict"]["assurance"]["chip"] == "chip-live-gateway"
    assert view["verdict"]["holder"]["full_name"] == "NGUYỄN THỊ THỬ NGHIỆM"
    assert view["receipt"] == "e30.receipt.sig"
    assert {"open_session", "read", "inspect", "chip_proof", "face", "head_turn", "decide"} <= view[
        "timings_ms"
    ].keys()
    assert bench.reader.closed == bench.reader.connected == 1
    assert not bench.camera.running


def test_the_verdicts_time_leaves_out_the_head_turn(bench: Bench) -> None:
    view = bench.tap()
    timings = view["timings_ms"]
    assert timings["head_turn"] > 0
    machine = sum(ms for name, ms in timings.items() if name != "head_turn")
    assert view["verdict"]["seconds"] * 1000 == pytest.approx(machine, abs=150)


def test_evidence_holds_no_data_group_that_the_purpose_does_not_allow(
    bench: Bench, gateway: HttpGateway
) -> None:
    gateway.policy = PASSIVE
    assert bench.tap()["verdict"]["outcome"] == "verified"
    (evidence,) = gateway.evidence
    assert set(evidence.card.files) == {"COM", "SOD", "CARD_ACCESS", "DG1", "DG13", "DG14"}


def test_consent_and_purpose_reach_the_gateway(bench: Bench, gateway: HttpGateway) -> None:
    bench.tap(partner_ref="TX-17")
    (request,) = gateway.requests
    assert (request.purpose, request.agent_id, request.partner_ref) == (
        "bank.counter.identify",
        "counter-1",
        "TX-17",
    )
    assert request.consent.language == "en"


@pytest.mark.parametrize(
    ("tamper", "code"),
    [(clone, "CHIP_CLONED"), (swap_dg14, "CHIP_DATA_ALTERED"), (flip_dg13, "CHIP_DATA_ALTERED")],
)
def test_a_forged_card_is_refused_and_the_refusal_is_logged(
    bench: Bench, gateway: HttpGateway, tamper: object, code: str
) -> None:
    bench.reader.image = tamper(genuine_card())  # type: ignore[operator]
    view = bench.tap()
    assert (view["verdict"]["outcome"], view["verdict"]["code"]) == ("refused", code)
    assert view["verdict"]["what"]
    assert view["verdict"]["next"]
    assert len(gateway.evidence) == 1
    assert gateway.evidence[0].attested.face is None


def test_no_portrait_of_a_forged_card_is_shown(bench: Bench) -> None:
    bench.reader.image = flip_dg13(genuine_card())
    session = bench.start()
    bench.finish(session)
    assert bench.get(f"/v1/sessions/{session}/portrait.jpg").status_code == 204


@pytest.mark.parametrize(
    ("person", "code"), [("stranger", "FACE_NOT_MATCHED"), ("photo", "FACE_TURN_NOT_SHOWN")]
)
def test_a_wrong_face_is_refused(bench: Bench, gateway: HttpGateway, person: str, code: str) -> None:
    bench.camera.person = person
    view = bench.tap()
    assert (view["verdict"]["outcome"], view["verdict"]["code"]) == ("refused", code)
    claim = gateway.evidence[0].attested.face
    assert claim is not None
    assert (claim.matched, claim.code, claim.method) == (False, code, "engine")


@pytest.mark.parametrize(("person", "code"), [("nobody", "FACE_NOT_FOUND"), ("blurred", "FACE_BLURRED")])
def test_a_face_that_cannot_be_captured_ends_in_time_with_the_reason(
    bench: Bench, person: str, code: str
) -> None:
    bench.camera.person = person
    session = bench.start()
    bench.wait(session, lambda view: view["hint"] == code)
    assert bench.finish(session)["verdict"]["code"] == code


def test_a_purpose_without_face_starts_no_camera_and_no_engine(bench: Bench, gateway: HttpGateway) -> None:
    gateway.policy = NO_FACE
    assert bench.tap()["verdict"]["outcome"] == "verified"
    assert bench.get("/v1/status").json["engine"] == "not loaded"


def test_a_wrong_can_leaves_the_customer_unjudged_and_the_next_try_works(bench: Bench) -> None:
    view = bench.tap(access={"can": "000000"})
    assert (view["verdict"]["outcome"], view["verdict"]["code"]) == ("incomplete", "ACCESS_SECRET_WRONG")
    assert bench.tap()["verdict"]["outcome"] == "verified"


def test_a_card_pulled_at_any_command_is_said_so_and_the_next_customer_is_served(
    bench: Bench, gateway: HttpGateway
) -> None:
    gateway.policy = NO_FACE
    bench.tap()
    commands = bench.reader.commands
    for number in {0, 1, 2, 5, commands // 2, commands - 3, commands - 2, commands - 1}:
        bench.reader.pull_at = number
        verdict = bench.tap()["verdict"]
        assert (verdict["outcome"], verdict["code"]) == ("incomplete", "CARD_REMOVED"), number
        bench.reader.pull_at = None
    assert bench.tap()["verdict"]["outcome"] == "verified"
    assert bench.reader.closed == bench.reader.connected


def test_no_card_in_time(gateway: HttpGateway, tmp_path: Path) -> None:
    bench = make_bench(gateway, tmp_path, image=None, card_wait_seconds=0.2)
    assert bench.tap()["verdict"]["code"] == "CARD_NOT_PRESENT"


def test_a_reader_that_was_unplugged(bench: Bench) -> None:
    bench.reader.fault = ReaderUnplugged("gone")
    assert bench.tap()["verdict"]["code"] == "READER_UNPLUGGED"
    bench.wait_until_free()
    assert bench.get("/v1/status").json["fault"] == "READER_UNPLUGGED"
    bench.reader.fault = None
    assert bench.tap()["verdict"]["outcome"] == "verified"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_driver_that_raises_anything_else_verifies_nobody_and_blocks_nobody(bench: Bench) -> None:
    bench.reader.driver_fault = ZeroDivisionError("driver")
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == ("incomplete", "INTERNAL_ERROR")
    bench.reader.driver_fault = None
    assert bench.tap()["verdict"]["outcome"] == "verified"


def test_with_the_gateway_down_a_good_card_gives_no_result_and_says_how_far_it_was_proven(
    tmp_path: Path,
) -> None:
    with serving(HttpGateway()) as gateway:
        bench = make_bench(gateway, tmp_path, image=genuine_card())
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == ("unavailable", "SERVICE_UNAVAILABLE")
    assert verdict["assurance"] == {"chip": "chip-live-agent", "face": "none", "status": "none"}


def test_with_the_gateway_down_a_fake_is_still_seen(tmp_path: Path) -> None:
    with serving(HttpGateway()) as gateway:
        bench = make_bench(gateway, tmp_path, image=clone(genuine_card()))
    verdict = bench.tap()["verdict"]
    assert verdict["outcome"] == "refused"
    assert verdict["code"] in {"CHIP_CLONED", "CHIP_AA_FAILED"}


@pytest.mark.parametrize("step", ["chip-session", "evidence"])
def test_a_gateway_that_breaks_off_in_the_middle(bench: Bench, gateway: HttpGateway, step: str) -> None:
    gateway.refuse_with[step] = (502, b"<html>proxy</html>")
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == ("unavailable", "SERVICE_UNAVAILABLE")
    assert verdict["assurance"]["chip"] == ("none" if step == "chip-session" else "signed-data")


def test_a_fake_stays_refused_when_the_gateway_cannot_note_it(bench: Bench, gateway: HttpGateway) -> None:
    bench.reader.image = flip_dg13(genuine_card())
    gateway.refuse_with["evidence"] = (503, msgspec.json.encode({"code": "LOG_UNAVAILABLE"}))
    assert bench.tap()["verdict"]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("step", "status", "code", "outcome"),
    [
        ("verification-sessions", 401, "AGENT_UNKNOWN", "incomplete"),
        ("verification-sessions", 503, "SERVICE_UNAVAILABLE", "unavailable"),
        ("chip-session", 410, "SESSION_EXPIRED", "incomplete"),
        ("evidence", 409, "EVIDENCE_REPLAYED", "incomplete"),
    ],
)
def test_a_problem_of_the_gateway_keeps_its_code(
    bench: Bench, gateway: HttpGateway, step: str, status: int, code: str, outcome: str
) -> None:
    gateway.refuse_with[step] = (status, msgspec.json.encode({"code": code}))
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == (outcome, code)


def test_without_an_engine_the_teller_compares_by_eye_and_the_reason_is_evidence(
    gateway: HttpGateway, tmp_path: Path
) -> None:
    bench = make_bench(gateway, tmp_path, image=genuine_card(), engine=False)
    session = bench.start()
    view = bench.wait(session, lambda view: view["manual_cause"] is not None)
    assert (view["state"], view["manual_cause"]) == ("comparing_by_eye", "FACE_ENGINE_UNAVAILABLE")
    answered = bench.post(
        f"/v1/sessions/{session}/manual-face", {"matched": True, "reason": "ears and nose agree"}
    )
    assert answered.status_code == 200
    assert bench.finish(session)["verdict"]["outcome"] == "verified"
    claim = gateway.evidence[0].attested.face
    assert claim is not None
    assert (claim.method, claim.manual_reason) == ("manual", "FACE_ENGINE_UNAVAILABLE: ears and nose agree")


def test_with_a_broken_camera_the_teller_may_also_say_no(bench: Bench) -> None:
    bench.camera.broken = True
    session = bench.start()
    bench.wait(session, lambda view: view["manual_cause"] == "CAMERA_UNAVAILABLE")
    bench.post(f"/v1/sessions/{session}/manual-face", {"matched": False, "reason": "another person"})
    assert bench.finish(session)["verdict"]["code"] == "FACE_REFUSED_BY_TELLER"


def test_nobody_comparing_by_eye_ends_the_visit(bench: Bench) -> None:
    bench.camera.broken = True
    verdict = bench.tap()["verdict"]
    assert (verdict["outcome"], verdict["code"]) == ("incomplete", "COUNTER_SESSION_EXPIRED")


def test_cancelling_while_the_card_is_read_frees_the_counter(bench: Bench, gateway: HttpGateway) -> None:
    reading = threading.Event()
    bench.reader.on_command = lambda number: reading.set() if number == 6 else None
    session = bench.start()
    assert reading.wait(5)
    assert bench.delete(f"/v1/sessions/{session}").json["state"] == "cancelled"
    bench.reader.on_command = lambda _number: None
    assert bench.tap()["verdict"]["outcome"] == "verified"
    assert bench.reader.closed == bench.reader.connected


def test_a_visit_whose_driver_never_returns_is_left_behind(gateway: HttpGateway, tmp_path: Path) -> None:
    bench = make_bench(gateway, tmp_path, image=genuine_card(), session_seconds=0.3)
    bench.reader.silent = threading.Event()
    stuck = bench.start()
    bench.wait(stuck, lambda view: view["state"] == "reading")
    released, bench.reader.silent = bench.reader.silent, None
    bench.wait(stuck, lambda _view: bench.agent.desk.session(stuck).is_overdue)
    second = bench.start()
    assert second != stuck
    released.set()
    assert bench.finish(second)["state"] == "decided"


def test_an_endless_visit_expires(gateway: HttpGateway, tmp_path: Path) -> None:
    bench = make_bench(gateway, tmp_path, image=None, session_seconds=0.2, card_wait_seconds=30)
    assert bench.tap()["verdict"]["code"] == "COUNTER_SESSION_EXPIRED"


def test_pictures_of_the_last_customer_are_gone_when_the_next_one_starts(bench: Bench) -> None:
    first = bench.start()
    bench.finish(first)
    session = bench.agent.desk.session(first)
    assert session.portrait is not None
    bench.start()
    assert session.portrait is None
    assert session.live is None
    assert bench.get(f"/v1/sessions/{first}").status_code == 404
