"""The local HTTP API: what it refuses, from whom, and that every refusal has a sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client

from reader_agent.api.sessions import MAX_STREAMS
from reader_agent.session.counter_session import SessionView
from reader_agent.session.state import SessionState
from tests.support.counter_bench import CLIENT, HOST, Bench, HttpGateway, genuine_card, make_bench, serving
from verification.messages.fault_catalogue import fault_catalogue


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with serving(HttpGateway()) as gateway:
        running = make_bench(gateway, tmp_path, image=None, card_wait_seconds=10)
        yield running
        latest = running.agent.desk.latest
        if latest is not None:
            running.agent.desk.cancel(latest.id)
            running.wait_until_free()


def _send(bench: Bench, method: str, path: str, headers: dict[str, str], **body: Any) -> Any:
    return Client(bench.agent.app).open(path, method=method, headers=headers, **body)


def test_status_of_an_idle_counter(bench: Bench) -> None:
    status = bench.get("/v1/status").json
    assert status["api_level"] == 1
    assert (status["reader"], status["card_present"], status["busy"]) == ("Soft Reader 00", False, False)
    assert status["engine"] == "not loaded"


def test_a_second_customer_is_told_that_the_counter_is_busy(bench: Bench) -> None:
    bench.start()
    answered = bench.post("/v1/sessions", bench.order())
    assert (answered.status_code, answered.json["code"]) == (409, "COUNTER_BUSY")
    assert bench.get("/v1/status").json["busy"] is True


def test_cancelling_makes_room_at_once(bench: Bench) -> None:
    first = bench.start()
    assert bench.delete(f"/v1/sessions/{first}").json["state"] == "cancelled"
    assert bench.start() != first


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:86420", "[::1]", ""])
@pytest.mark.parametrize(
    "path", ["/", "/v1/status", "/v1/sessions/x", "/healthz", "/ui/counter.js", "/nothing"]
)
def test_a_foreign_host_is_refused_everywhere(bench: Bench, host: str, path: str) -> None:
    answered = _send(bench, "GET", path, {**CLIENT, "Host": host})
    assert (answered.status_code, answered.json["code"]) == (403, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", f"https://{HOST}", "http://127.0.0.1", f"http://{HOST}.evil.example"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/status"), ("POST", "/v1/sessions"), ("GET", "/")])
def test_a_foreign_origin_is_refused(bench: Bench, origin: str, method: str, path: str) -> None:
    answered = _send(bench, method, path, {**CLIENT, "Origin": origin}, json=bench.order())
    assert (answered.status_code, answered.json["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert bench.agent.desk.latest is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_calls_foreign_is_refused(bench: Bench, site: str) -> None:
    answered = _send(bench, "GET", "/v1/status", {**CLIENT, "Sec-Fetch-Site": site})
    assert answered.json["code"] == "ORIGIN_NOT_ALLOWED"


@pytest.mark.parametrize("host", [HOST, "localhost:8642", "[::1]:8642"])
def test_the_counters_own_page_may(bench: Bench, host: str) -> None:
    headers = {**CLIENT, "Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert _send(bench, "GET", "/v1/status", headers).status_code == 200


@pytest.mark.parametrize("name", [None, "", "x" * 65, "tab\tname"])
def test_a_caller_without_a_name_may_not_start(bench: Bench, name: str | None) -> None:
    headers = {"Host": HOST} | ({"X-Agent-Client": name} if name is not None else {})
    answered = _send(bench, "POST", "/v1/sessions", headers, json=bench.order())
    assert (answered.status_code, answered.json["code"]) == (400, "AGENT_CLIENT_MISSING")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(bench: Bench, content_type: str) -> None:
    content = msgspec.json.encode(bench.order())
    answered = _send(bench, "POST", "/v1/sessions", CLIENT, data=content, content_type=content_type)
    assert (answered.status_code, answered.json["code"]) == (415, "CONTENT_TYPE_WRONG")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"purpose":1}',
        b"\xff\xfe",
        b"[" * 9000,
        b'{"purpose":"x","access":{},"consent":1}',
    ],
)
def test_a_malformed_body_is_refused(bench: Bench, content: bytes) -> None:
    answered = _send(bench, "POST", "/v1/sessions", CLIENT, data=content, content_type="application/json")
    assert (answered.status_code, answered.json["code"]) == (400, "REQUEST_MALFORMED")


def test_a_body_larger_than_any_order_is_not_read(bench: Bench) -> None:
    content = b'{"purpose":"' + b"x" * 20_000 + b'"}'
    answered = _send(bench, "POST", "/v1/sessions", CLIENT, data=content, content_type="application/json")
    assert (answered.status_code, answered.json["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"consent": False}, 422, "CONSENT_MISSING"),
        ({"access": {}}, 400, "REQUEST_MALFORMED"),
        ({"access": {"can": "123456", "mrz": "x"}}, 400, "REQUEST_MALFORMED"),
        ({"access": {"can": "12345"}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"access": {"can": "12345a"}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"access": {"mrz": "IDVNM<<<"}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"access": {"qr": "001090123456|||"}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"access": {"qr": "|" * 600}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"access": {"citizen_number": "001090"}}, 422, "ACCESS_SECRET_MALFORMED"),
        ({"language": "fr"}, 400, "REQUEST_MALFORMED"),
        ({"purpose": ""}, 400, "REQUEST_MALFORMED"),
        ({"purpose": "x" * 65}, 400, "REQUEST_MALFORMED"),
        ({"surprise": 1}, 400, "REQUEST_MALFORMED"),
    ],
)
def test_an_order_that_can_only_fail_is_refused_at_once(
    bench: Bench, changed: dict[str, Any], status: int, code: str
) -> None:
    answered = bench.post("/v1/sessions", bench.order(**changed))
    assert (answered.status_code, answered.json["code"]) == (status, code)
    assert bench.agent.desk.latest is None


def test_a_refusal_never_repeats_what_was_sent(bench: Bench) -> None:
    answered = bench.post("/v1/sessions", bench.order(access={"can": "98765x"}, surprise="4711"))
    assert "98765" not in answered.text
    assert "4711" not in answered.text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_refusal_speaks_the_callers_language(bench: Bench, language: str) -> None:
    answered = bench.post("/v1/sessions", bench.order(consent=False), **{"Accept-Language": language})
    assert answered.content_type == "application/problem+json"
    assert answered.json["title"] == fault_catalogue()["CONSENT_MISSING"].text(language).what
    assert answered.json["request_id"] == answered.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "path", ["/v1/sessions/cs_other", "/v1/sessions/cs_other/events", "/v1/sessions/x/live.jpg"]
)
def test_a_session_that_is_not_the_latest_is_unknown(bench: Bench, path: str) -> None:
    bench.start()
    answered = bench.get(path)
    assert (answered.status_code, answered.json["code"]) == (404, "COUNTER_SESSION_UNKNOWN")


@pytest.mark.parametrize(
    "path", ["/v1/sessions/../../etc/passwd", "/ui/../settings.py", "/ui/counter.js/x", "/v2"]
)
def test_other_addresses_do_not_exist(bench: Bench, path: str) -> None:
    assert bench.get(path).json["code"] == "ADDRESS_UNKNOWN"


def test_another_method_is_refused(bench: Bench) -> None:
    assert bench.post("/v1/status", {}).json["code"] == "METHOD_NOT_ALLOWED"
    assert _send(bench, "HEAD", "/", CLIENT).data == b""


@pytest.mark.parametrize("reason", ["", "  ", "ok", "x" * 201])
def test_a_comparison_by_eye_needs_a_reason(bench: Bench, reason: str) -> None:
    session = bench.start()
    answered = bench.post(f"/v1/sessions/{session}/manual-face", {"matched": True, "reason": reason})
    assert answered.json["code"] == "REQUEST_MALFORMED"


def test_a_comparison_by_eye_that_nobody_asked_for_is_refused(bench: Bench) -> None:
    session = bench.start()
    answered = bench.post(f"/v1/sessions/{session}/manual-face", {"matched": True, "reason": "looks right"})
    assert (answered.status_code, answered.json["code"]) == (409, "MANUAL_FACE_NOT_EXPECTED")


def test_events_follow_the_visit_to_its_verdict(bench: Bench) -> None:
    session = bench.start()
    stream = bench.get(f"/v1/sessions/{session}/events")
    bench.reader.image = genuine_card()
    events = [part for part in stream.data.split(b"\n\n") if part.startswith(b"event: session\ndata: ")]
    views = [msgspec.json.decode(event.partition(b"data: ")[2], type=SessionView) for event in events]
    assert views[-1].verdict is not None
    # A quick step may fall between two events; the order may not change, and nothing comes after the end.
    order = [str(state) for state in SessionState]
    places = [order.index(view.state) for view in views]
    assert places == sorted(places)
    assert {"reading", "comparing_face", "turning_head", "decided"} <= {str(view.state) for view in views}
    assert [view.progress.total for view in views if view.step == "DG2"][-1] > 0


def test_watching_pages_leave_threads_for_work(bench: Bench) -> None:
    session = bench.start()
    address = f"/v1/sessions/{session}/events"
    open_streams = [bench.get(address, Accept="text/event-stream") for _ in range(MAX_STREAMS)]
    assert bench.get(address).json["code"] == "COUNTER_BUSY"
    open_streams[0].close()
    again = bench.get(address)
    assert again.status_code == 200
    for stream in (*open_streams[1:], again):
        stream.close()


def test_asking_for_the_head_of_the_stream_takes_no_place_among_them(bench: Bench) -> None:
    address = f"/v1/sessions/{bench.start()}/events"
    for _ in range(MAX_STREAMS + 1):
        headed = _send(bench, "HEAD", address, CLIENT)
        assert (headed.status_code, headed.content_type) == (200, "text/event-stream")
    stream = bench.get(address)
    assert stream.status_code == 200
    stream.close()


def test_every_blueprint_has_a_guard_and_every_change_asks_for_the_callers_name(bench: Bench) -> None:
    app = bench.agent.app
    guards = {name: getattr(guard, "__name__", "") for name, guard in app.extensions["guards"].items()}
    assert set(guards) == set(app.blueprints)
    rules = list(app.url_map.iter_rules())
    assert len(rules) >= 12
    for rule in rules:
        blueprint, _, _ = rule.endpoint.partition(".")
        if (rule.methods or set()) - {"GET", "HEAD"}:
            assert guards[blueprint] == "require_client", rule


@pytest.mark.parametrize("path", ["/v1/status", "/nothing", "/v1/sessions"])
def test_no_preflight_is_answered(bench: Bench, path: str) -> None:
    answered = _send(bench, "OPTIONS", path, CLIENT)
    assert answered.json["code"] in {"METHOD_NOT_ALLOWED", "ADDRESS_UNKNOWN"}


def test_a_counter_exports_no_metrics(bench: Bench) -> None:
    assert bench.get("/metrics").json["code"] == "ADDRESS_UNKNOWN"


def test_only_what_changed_or_failed_is_worth_a_log_line(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="monitoring.harness")
    bench.get("/v1/status")
    assert not caplog.records
    bench.get("/nothing")
    bench.start()
    answered = [record.status for record in caplog.records if record.message == "request answered"]
    assert answered == [404, 202]


def test_no_answer_is_kept_by_a_cache(bench: Bench) -> None:
    session = bench.start()
    for path in ("/", "/v1/status", f"/v1/sessions/{session}", f"/v1/sessions/{session}/live.jpg"):
        assert bench.get(path).headers["Cache-Control"] == "no-store"


def test_an_unexpected_fault_tells_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(bench.reader), "wait_for_card", lambda _self, _timeout: 1 // 0)
    answered = bench.get("/v1/status")
    assert (answered.status_code, answered.json["code"]) == (500, "INTERNAL_ERROR")
    assert "ZeroDivision" not in answered.text
