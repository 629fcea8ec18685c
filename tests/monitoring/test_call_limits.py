"""How often anybody may call: nobody uses up what is another's, and nothing grows without end."""

from __future__ import annotations

import threading

import pytest
from flask import Blueprint, Flask

from monitoring.call_limits import CallLimits
from monitoring.harness import instrument, mount, public


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_has_so_many_calls_a_minute_and_another_its_own() -> None:
    clock = Clock()
    limits = CallLimits(2, 100, clock)
    assert [limits.admits("203.0.113.5") for _ in range(4)] == [True, True, False, False]
    assert limits.admits("203.0.113.6")
    clock.now = 60
    assert limits.admits("203.0.113.5")


def test_who_is_refused_uses_up_nobody_elses_calls() -> None:
    limits = CallLimits(2, 4, Clock())
    assert sum(limits.admits("203.0.113.5") for _ in range(1000)) == 2
    assert [limits.admits(f"198.51.100.{each}") for each in range(3)] == [True, True, False]


def test_what_is_remembered_does_not_grow_beyond_all_calls() -> None:
    limits = CallLimits(5, 50, Clock())
    admitted = sum(limits.admits(f"{each // 256 % 256}.{each % 256}.0.1") for each in range(5000))
    assert admitted == 50
    assert len(limits._calls) <= 50


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", ""),
    ],
)
def test_addresses_of_one_caller_count_as_one(one: str, other: str) -> None:
    limits = CallLimits(1, 100, Clock())
    assert limits.admits(one)
    assert not limits.admits(other)
    assert limits.admits("2001:db8:1:3::1")


def test_many_threads_are_given_no_more_than_there_is() -> None:
    limits = CallLimits(1000, 100, Clock())
    admitted: list[bool] = []

    def ask() -> None:
        admitted.extend(limits.admits("203.0.113.5") for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(admitted) == 100


def test_a_public_page_says_when_to_come_again() -> None:
    app, blueprint = Flask(__name__), Blueprint("page", __name__)
    blueprint.add_url_rule("/page", "page", lambda: "seen")
    instrument(app, "test", ready=dict, exports_metrics=False)
    mount(app, blueprint, guard=public(CallLimits(1, 10, Clock())))
    first, second = (app.test_client().get("/page") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.get_json()["code"] == "TOO_MANY_REQUESTS"
