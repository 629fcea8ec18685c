"""The form that a kit prints: by its edition, whole in itself, its prints pixel for pixel."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader

from enrollment_admin.station.printed_form import FilledForm, form_values, render_form
from enrollment_admin.station.printed_type import Face, register_type
from enrollment_admin.station.refusals import FontMissing
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.population_registry.domain import extract
from tests.support.cheap_prints import cheap_prints
from tests.support.form_text import form_text
from tests.support.issuance_office import citizens, picture
from verification.errors import FieldsRefused
from verification.fingerprint.printed_form import judge_file
from verification.messages.enrollment_packet import CaptureException

DAYS = {"CC02": date(2021, 4, 1), "CC01": date(2026, 11, 21)}
MILLIMETRES = 25.4 / 72


def filled(code: str = "CC01", **changes: object) -> FilledForm:
    citizen = citizens()[0]
    prints = {item: ("image/png", content) for item, content in cheap_prints().items()}
    del prints["finger_07"]
    values: dict[str, object] = {
        "form": packaged_forms().edition(code, DAYS[code]),
        "capture": "kit-007-1",
        "values": form_values(citizen.citizen_number, extract(citizen).person, "2026-11-21T20:00:00+00:00"),
        "exceptions": (CaptureException("finger_07", "FINGER_BANDAGED"),),
        "pictures": {"portrait": ("image/jpeg", picture()), **prints},
    }
    return FilledForm(**{**values, **changes})  # type: ignore[arg-type]


def printed(form: FilledForm) -> bytes:
    return render_form(form, form.accepted())


@pytest.mark.parametrize("code", DAYS)
def test_every_value_of_the_edition_is_on_the_paper(code: str) -> None:
    form = filled(code)
    paper = form_text(printed(form))
    for field in form.form.fields:
        assert f"{field.number}. {field.vi}:" in paper
    for item, value in form.values.items():
        if item not in {"sex", "date_of_birth", "captured_on"} and item in {f.item for f in form.form.fields}:
            assert value in paper, item
    born = date.fromisoformat(form.values["date_of_birth"])
    assert f"{born:%d/%m/%Y}" in paper
    assert form.form.layout.heading in paper
    assert "Tay trái, ngón trỏ: không thu nhận được. Băng bó, đang điều trị" in paper
    assert all(signature in paper for signature in form.form.layout.signatures)


def test_the_same_form_is_the_same_bytes() -> None:
    assert printed(filled()) == printed(filled())
    assert printed(filled(capture="kit-007-2")) != printed(filled())


def test_the_page_needs_nothing_from_elsewhere_and_asks_for_no_scaling() -> None:
    reader = PdfReader(io.BytesIO(printed(filled())))
    for page in reader.pages:
        fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
        embedded = [font for font in fonts if "/FontDescriptor" in font]
        # The library names one built-in font on every page and draws nothing with it.
        assert len(embedded) >= len(fonts) - 1
        assert all("/FontFile2" in font["/FontDescriptor"] for font in embedded)
        assert "/Annots" not in page
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/PrintScaling"] == "/None"  # type: ignore[index]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & reader.trailer["/Root"].keys()  # type: ignore[attr-defined]


def test_what_was_typed_is_text_and_nothing_else() -> None:
    attack = '<b>x</b><img src="/etc/passwd"/>&'
    assert attack in form_text(printed(filled(values={"full_name": attack}, capture="<para>")))


def test_prints_are_judged_faithful_and_a_missing_one_says_why() -> None:
    form = filled()
    judged = judge_file(printed(form), form.accepted())
    assert judged.passes
    assert [each.position for each in judged.fingers] == list(range(1, 11))
    assert "FINGER_BANDAGED Băng bó, đang điều trị" in form_text(printed(form))


def test_the_page_of_prints_is_a4_across() -> None:
    page = PdfReader(io.BytesIO(printed(filled()))).pages[-1].mediabox
    assert [float(page.width) * MILLIMETRES, float(page.height) * MILLIMETRES] == pytest.approx(
        [297, 210], abs=0.05
    )


def test_of_whom_no_prints_are_taken_there_is_no_page_of_prints() -> None:
    form = filled(exceptions=(), pictures={"portrait": ("image/jpeg", picture())})
    assert len(PdfReader(io.BytesIO(printed(form))).pages) == 1
    assert judge_file(printed(form), form.accepted()).passes


def test_one_reason_for_both_hands_stands_in_every_box() -> None:
    form = filled(
        exceptions=(CaptureException("fingerprints", "FINGER_WORN"),),
        pictures={"portrait": ("image/jpeg", picture())},
    )
    assert form_text(printed(form)).count("FINGER_WORN") == 10
    assert judge_file(printed(form), form.accepted()).passes


def test_a_portrait_that_cannot_be_read_is_named() -> None:
    with pytest.raises(FieldsRefused) as refused:
        printed(filled(pictures={"portrait": ("image/jpeg", picture()[:300])}))
    assert refused.value.fields == {"portrait": "PORTRAIT_NOT_JPEG"}


def test_a_machine_without_vietnamese_letters_prints_nothing(tmp_path: Path) -> None:
    with pytest.raises(FontMissing):
        register_type((Face(tmp_path, "none.ttf", "none.ttf"),))
