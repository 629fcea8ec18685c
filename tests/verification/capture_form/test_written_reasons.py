"""What is written in a box without a print stays in its box: neighbours are read apart, on paper too."""

from __future__ import annotations

import io

import pytest
from reportlab.pdfgen.canvas import Canvas

from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.printed_type import PLAIN, register_type
from verification.capture_form.print_page import PRINTS_PAGE, draw_prints
from verification.fingerprint.form_file import read_form
from verification.fingerprint.form_page import BOTH_THUMBS, BOXES, PAPER_WHITE, REASON_BOTTOM, REASON_TOP
from verification.messages.asked_prints import ALL_SLAPS, FINGERPRINTS

PLACES = {FINGERPRINTS: tuple(range(1, 11)), ALL_SLAPS: (13, 14, BOTH_THUMBS)}
REASONS = {
    reason.vi: (reason.code.upper(), PLACES[reason.item])
    for edition in packaged_forms().editions
    for reason in edition.exceptions
    if reason.item in PLACES
}


def test_there_are_reasons_of_both_kinds() -> None:
    assert {places for _, places in REASONS.values()} == set(PLACES.values())


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_read_whole_in_its_own_box(reason: str) -> None:
    code, places = REASONS[reason]
    register_type()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=PRINTS_PAGE)
    draw_prints(canvas, PLAIN, {}, dict.fromkeys(places, f"{code}\n{reason}"))
    canvas.save()
    form = read_form(out.getvalue(), places)
    assert {" ".join(text.split()) for text in form.texts.values()} == {f"{code} {reason}"}
    for box in (BOXES[position] for position in places):
        drawn = form.raster[box.top : box.bottom, box.left : box.right].copy()
        drawn[REASON_TOP:REASON_BOTTOM, 2:-2] = PAPER_WHITE
        assert drawn.min() == PAPER_WHITE
