"""The form that a kit prints: by its edition, whole in itself, and never a way into the page."""

from __future__ import annotations

import base64
import re
from datetime import date

import cv2
import numpy as np
import pytest

from enrollment_admin.station.printed_form import FilledForm, form_values, render_form
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.population_registry.domain import extract
from tests.support.issuance_office import citizens, picture
from tests.support.teller_page import browser
from verification.messages.enrollment_packet import CaptureException

DAYS = {"CC02": date(2021, 4, 1), "CC01": date(2026, 11, 21)}


def filled(code: str = "CC01", **changes: object) -> FilledForm:
    citizen = citizens()[0]
    values: dict[str, object] = {
        "form": packaged_forms().edition(code, DAYS[code]),
        "capture": "kit-007-1",
        "values": form_values(citizen.citizen_number, extract(citizen).person, "2026-11-21T20:00:00+00:00"),
        "exceptions": (CaptureException("finger_07", "FINGER_BANDAGED"),),
        "pictures": {"portrait": ("image/jpeg", picture()), "finger_02": ("image/x-wsq", b"ridges")},
    }
    return FilledForm(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("code", DAYS)
def test_every_value_of_the_edition_is_on_the_paper(code: str) -> None:
    form = filled(code)
    page = render_form(form).decode()
    for field in form.form.fields:
        assert f"{field.number}. {field.vi}:" in page
    for item, value in form.values.items():
        if item not in {"sex", "date_of_birth", "captured_on"} and item in {f.item for f in form.form.fields}:
            assert value in page, item
    born = date.fromisoformat(form.values["date_of_birth"])
    assert f"{born:%d/%m/%Y}" in page
    assert form.form.layout.heading in page
    assert "Tay trái, ngón trỏ: không thu nhận được.</dt> <dd>Băng bó, đang điều trị" in page


def test_the_same_form_is_the_same_bytes() -> None:
    assert render_form(filled()) == render_form(filled())
    assert render_form(filled(capture="kit-007-2")) != render_form(filled())


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = render_form(filled()).decode()
    assert not re.search(r"(src|href)=\"(?!data:image/(jpeg|png);base64,)", page)
    assert "url(" not in page
    assert "image/x-wsq" not in page, "a kind that no browser shows is named"
    assert "Tay phải, ngón trỏ" in page


def test_what_was_typed_is_text_and_nothing_else() -> None:
    attack = '<script>alert(1)</script>" onload="x'
    page = render_form(filled(values={"full_name": attack}, capture=attack)).decode()
    assert "<script>" not in page
    assert '" onload="' not in page


@pytest.mark.browser
def test_a_print_has_its_own_size_on_the_paper() -> None:
    """Shrunk to a box it would be of no use to the archive: 400 pixels at 500 ppi are 20.32 mm."""
    pixels = np.full((500, 400), 255, np.uint8)
    encoded = cv2.imencode(".png", pixels)[1].tobytes()
    form = filled("CC02", pictures={"finger_02": ("image/png", encoded)})
    page = base64.b64encode(render_form(form)).decode()
    with browser() as chrome:
        chrome.get(f"data:text/html;base64,{page}")
        measured = chrome.execute_script(
            "const {width, height} = document.querySelector('img.finger').getBoundingClientRect();"
            "return [width, height]"
        )
    assert [side / 96 * 25.4 for side in measured] == pytest.approx([20.32, 25.4], rel=0.005)
