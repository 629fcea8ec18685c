from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from verification.capture_form.shared_font import SharedFont

NAME, FILE = "shared-font", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
TEXTS = ("Nguyễn Thị Lan", "Trần Văn Bình", "ĐỖ QUỲNH", "Lê Hữu Phước", "Thừa Thiên Huế", "0123456789")


def document(text: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.setFont(NAME, 12)
    canvas.drawString(50, 700, text)
    canvas.save()
    return out.getvalue()


def test_documents_that_end_at_once_have_the_letters_that_they_have_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    font = SharedFont(NAME, FILE)
    pdfmetrics.registerFont(font)
    alone = [document(text) for text in TEXTS]
    seek = font.face.seek

    def seek_and_wait(place: int) -> None:
        seek(place)
        time.sleep(0.0001)

    monkeypatch.setattr(font.face, "seek", seek_and_wait)
    with ThreadPoolExecutor(len(TEXTS)) as pool:
        assert list(pool.map(document, TEXTS)) == alone
