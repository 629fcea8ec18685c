"""Units by their names of the record's day, on every page that shows one; codes while nobody tells names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask

from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.unit_names import KEPT_SECONDS, SILENT_SECONDS, UnitNames
from tests.support.delivery import finished, packed
from tests.support.issuance_office import Office, citizens
from tests.support.office_pages import sign_in, text
from verification.messages.dc01 import UnitView
from verification.messages.fault_catalogue import fault

UNIT = "001.002"


def version(name: str, first: date, end: date | None) -> UnitView:
    return UnitView(UNIT, "district", name, first, end, "NQ")


VERSIONS = [
    version("Quận Cũ", date(2008, 8, 1), date(2026, 11, 21)),
    version("Quận Mới", date(2026, 11, 21), None),
]


class Told:
    """A backend that tells names, or not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None

    def ask(self, _method: str, path: str, _kind: Any) -> list[UnitView]:
        self.asked.append(path)
        if self.fault:
            raise self.fault
        return VERSIONS if path.endswith(UNIT) else []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def ticks() -> list[float]:
    return [0.0]


@pytest.fixture
def names(told: Told, ticks: list[float]) -> Callable[..., str]:
    return UnitNames(lambda: told, lambda: ticks[0]).name  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("2026-11-20", "Quận Cũ"),
        ("2026-11-21", "Quận Mới"),
        # Seven in the evening before, in the other zone: the day is the one in Viet Nam.
        ("2026-11-20T16:59:59.000000Z", "Quận Cũ"),
        ("2026-11-20T17:00:00.000000Z", "Quận Mới"),
        (None, "Quận Mới"),
        ("2008-07-31", UNIT),
    ],
)
def test_a_unit_has_the_name_of_the_day(names: Callable[..., str], at: str | None, name: str) -> None:
    assert names(UNIT, at) == name


def test_a_unit_that_is_no_more_keeps_its_last_name(names: Callable[..., str], told: Told) -> None:
    ended = [version("Quận Cũ", date(2008, 8, 1), date(2025, 7, 1))]
    told.ask = lambda *_: ended  # type: ignore[method-assign,assignment]
    assert names(UNIT, "2026-11-21") == "Quận Cũ"


def test_a_code_that_nobody_knows_stays_a_code_and_each_is_asked_for_once(
    names: Callable[..., str], told: Told, ticks: list[float]
) -> None:
    for _ in range(3):
        assert (names("999", "2026-11-21"), names(UNIT, "2026-11-21")) == ("999", "Quận Mới")
    assert len(told.asked) == 2
    ticks[0] += KEPT_SECONDS
    names(UNIT)
    assert len(told.asked) == 3, "a name may have changed"


def test_what_is_a_name_already_stays_so(names: Callable[..., str], told: Told) -> None:
    assert names("Hà Nội", "2026-11-21") == "Hà Nội"
    assert told.asked == []


@pytest.mark.parametrize(
    "fault", [BackendUnavailable("down"), BackendRefused(503, "REGISTRY_UNAVAILABLE", {})]
)
def test_without_an_answer_codes_stand_and_nobody_waits_for_each(
    names: Callable[..., str], told: Told, ticks: list[float], fault: Exception
) -> None:
    names(UNIT)
    told.fault = fault
    assert [names(f"00{number}") for number in range(5)] == [f"00{number}" for number in range(5)]
    ticks[0] += KEPT_SECONDS
    assert names(UNIT) == "Quận Mới", "what was told stays"
    assert len(told.asked) == 3
    told.fault = None
    ticks[0] += SILENT_SECONDS
    names("001")
    assert len(told.asked) == 4


def test_pages_name_units(app: Flask, office: Office) -> None:
    card = finished(office, citizens()[0])
    office.registry.units[UNIT] = VERSIONS
    stock = sign_in(app, "khoa.stock")
    waiting = text(stock.get("/boxes/new?unit=" + UNIT))
    assert "Quận Mới" in waiting
    box = packed(office, [card], UNIT)["id"]
    for page in ("/boxes?state=sealed", f"/boxes/{box}"):
        shown = text(stock.get(page))
        assert "Quận Mới" in shown, page
        assert f'<small class="hint number">{UNIT}</small>' in shown, page


def test_what_is_no_unit_is_told_where_cards_are_packed(app: Flask, office: Office) -> None:
    finished(office, citizens()[0])
    answer = sign_in(app, "khoa.stock").get("/boxes/new?unit=x")
    assert (answer.status_code, fault("FIELD_CHARACTERS").vi.what in text(answer)) == (422, True)
    assert 'aria-describedby="unit-fault"' in text(answer), "it stands beside the field of the unit"
    assert 'name="cards"' not in text(answer), "no card is scanned for what is no office"


def test_whoever_packs_is_told_where_cards_wait_to_go(app: Flask, office: Office) -> None:
    stock = sign_in(app, "khoa.stock")
    assert "Không có thẻ nào chờ đóng hộp" in text(stock.get("/boxes/new"))
    finished(office, citizens()[0])
    shown = text(stock.get("/boxes/new"))
    assert "1 thẻ chưa gắn nơi trả" in shown
    assert "Không có thẻ nào" not in shown


def test_pages_stand_while_the_registry_is_down(app: Flask, office: Office) -> None:
    box = packed(office, [finished(office, citizens()[0])], UNIT)["id"]
    office.registry.units[UNIT] = VERSIONS
    office.registry.is_up = False
    shown = text(sign_in(app, "khoa.stock").get(f"/boxes/{box}"))
    assert f'<span class="number">{UNIT}</span>' in shown
    assert "Quận" not in shown
