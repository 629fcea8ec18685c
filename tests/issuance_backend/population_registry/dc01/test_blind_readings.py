"""Whoever decides between two readings cannot tell which of them was the first clerk's."""

from __future__ import annotations

from issuance_backend.population_registry.dc01.batch_desk import _shuffled

FORMS = [f"{number:016x}" for number in range(200)]


def test_the_order_of_two_readings_tells_nothing_of_their_clerks() -> None:
    for form in FORMS:
        assert _shuffled(form, "LAN", "LAM") == _shuffled(form, "LAM", "LAN")
    first = [_shuffled(form, "LAN", "LAM")[0] for form in FORMS].count("LAN")
    assert len(FORMS) // 4 < first < len(FORMS) * 3 // 4
