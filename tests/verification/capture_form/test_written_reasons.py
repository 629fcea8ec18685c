"""What is written in a box without a print stays in its box: neighbours are read apart, on paper too."""

from __future__ import annotations

import io

import pytest
from reportlab.pdfgen.canvas import Canvas

from issuance_backend.printed_type import PLAIN, register_type
from verification.capture_form.print_page import PRINTS_PAGE, draw_prints
from verification.fingerprint.form_file import read_form
from verification.fingerprint.form_page import BOXES, PAPER_WHITE, REASON_BOTTOM, REASON_TOP

FINGERS = range(1, 11)


@pytest.mark.parametrize(
    "reason",
    [
        "Cụt ngón",
        "Nơi thu nhận không có máy lấy vân tay",
        "Nơi thu nhận không có máy lấy nhiều ngón cùng lúc",
    ],
)
def test_a_reason_is_read_whole_in_its_own_box(reason: str) -> None:
    register_type()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=PRINTS_PAGE)
    draw_prints(canvas, PLAIN, {}, dict.fromkeys(FINGERS, f"NO_SCANNER\n{reason}"))
    canvas.save()
    form = read_form(out.getvalue(), FINGERS)
    assert {" ".join(text.split()) for text in form.texts.values()} == {f"NO_SCANNER {reason}"}
    for box in (BOXES[position] for position in FINGERS):
        drawn = form.raster[box.top : box.bottom, box.left : box.right].copy()
        drawn[REASON_TOP:REASON_BOTTOM, 2:-2] = PAPER_WHITE
        assert drawn.min() == PAPER_WHITE
