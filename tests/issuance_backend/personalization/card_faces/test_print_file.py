"""Print files: exact sizes, text that can be searched, nothing cut, and typefaces that are really there."""

from __future__ import annotations

import io
import random
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from issuance_backend.personalization.card_faces.composition import MrzMark, PictureMark, compose
from issuance_backend.personalization.card_faces.fonts import CardFonts, Typeface
from issuance_backend.personalization.card_faces.layout import (
    CARD_HEIGHT,
    CARD_WIDTH,
    Box,
    Label,
    MrzPlace,
    TextBox,
    Value,
    card_layouts,
    layout_on,
)
from issuance_backend.personalization.card_faces.mrz_reading import read_mrz
from issuance_backend.personalization.card_faces.ocr_b import ABOVE, BELOW, PITCH
from issuance_backend.personalization.card_faces.png_file import as_png
from issuance_backend.personalization.card_faces.print_alignment import READ_AT
from issuance_backend.personalization.card_faces.print_file import as_print_file
from issuance_backend.personalization.card_faces.printed_faces import opened, print_job
from issuance_backend.personalization.card_faces.raster import DPI, SIZE
from issuance_backend.personalization.card_faces.text_fitting import LEADING, fit
from issuance_backend.qr_symbol import read_qr
from issuance_backend.refusals import CardFontMissing, CardLayoutUnknown, CardTextUnprintable
from tests.support.printed_cards import FONTS, contents, drawn, other
from verification.identity.card_qr import parse_card_qr

POINTS = 72 / 25.4
LONGEST = "NGUYỄN PHƯƠNG QUỲNH HUYỀN TRƯỜNG THƯỢNG NGHIÊNG ĐƯỜNG NGUYỆT"
VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxy áàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ".strip()
)


@pytest.mark.parametrize("number", [0, 1])
def test_the_pages_are_the_card_to_a_hundredth_of_a_millimetre(number: int) -> None:
    pages = pypdf.PdfReader(io.BytesIO(as_print_file(compose(contents(number), FONTS), FONTS))).pages
    assert len(pages) == 2
    for page in pages:
        size = (float(page.mediabox.width) / POINTS, float(page.mediabox.height) / POINTS)
        assert size == pytest.approx((85.6, 54.0), abs=0.01)


def test_crop_marks_stand_round_three_millimetres_of_bleed() -> None:
    pdf = as_print_file(compose(contents(0), FONTS), FONTS, crop_marks=True)
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    trim = [float(edge) / POINTS for edge in page.trimbox]
    bleed = [float(edge) / POINTS for edge in page.bleedbox]
    assert (trim[2] - trim[0], trim[3] - trim[1]) == pytest.approx((85.6, 54.0), abs=0.01)
    assert [trim[0] - bleed[0], bleed[3] - trim[3]] == pytest.approx([3.0, 3.0], abs=0.01)


@pytest.mark.parametrize("number", [0, 1])
def test_every_text_is_text_in_the_print_file(number: int) -> None:
    what = contents(number)
    pages = pypdf.PdfReader(io.BytesIO(as_print_file(compose(what, FONTS), FONTS))).pages
    said = " ".join(" ".join(page.extract_text() for page in pages).split())
    for element in (*what.layout.front, *what.layout.back):
        if isinstance(element, Value):
            assert what.fields[element.field] in said
        if isinstance(element, Label):
            assert element.text in said
    assert all(line in said for line in what.mrz_lines)


def test_the_same_card_gives_the_same_bytes() -> None:
    assert print_job(contents(0), FONTS) == print_job(contents(0), FONTS)


def test_the_rasters_have_600_dots_an_inch_and_read_back() -> None:
    front, back = drawn(contents(0))
    assert front.size == back.size == SIZE == (2022, 1276)
    assert opened(print_job(contents(0), FONTS).faces.front).size == SIZE
    text = read_qr(front)
    assert text == contents(0).qr_text
    assert str(parse_card_qr(text).citizen_number) == contents(0).fields["number"]
    place = contents(0).layout.back[-1]
    assert isinstance(place, MrzPlace)
    assert read_mrz(back.reduce(READ_AT), place) == "".join(contents(0).mrz_lines)


def test_the_layout_follows_the_day_of_issue() -> None:
    assert layout_on(date(2024, 6, 30)).id == "cccd-2021"
    assert layout_on(date(2024, 7, 1)).id == "can-cuoc-2024"
    with pytest.raises(CardLayoutUnknown):
        layout_on(date(2020, 12, 31))


def test_every_place_lies_on_the_card() -> None:
    for layout in card_layouts():
        for element in (*layout.front, *layout.back):
            if isinstance(element, Box):
                assert 0 < element.x < element.x + element.width < CARD_WIDTH
                assert 0 < element.y < element.y + element.height < CARD_HEIGHT


def test_lines_of_the_mrz_stand_in_its_zone() -> None:
    """ICAO 9303-5: 23.2 mm high at the foot of the back, in lines of 30 cells of a tenth of an inch."""
    lines = [mark for mark in compose(contents(0), FONTS).back.own if isinstance(mark, MrzMark)]
    assert [len(line.text) for line in lines] == [30, 30, 30]
    assert lines[0].baseline - ABOVE > CARD_HEIGHT - 23.2
    assert lines[-1].baseline + BELOW < CARD_HEIGHT
    assert lines[0].x + 30 * PITCH < CARD_WIDTH


def test_the_portrait_lies_in_the_print_file_byte_for_byte() -> None:
    card = compose(contents(0), FONTS)
    pages = pypdf.PdfReader(io.BytesIO(as_print_file(card, FONTS))).pages
    (portrait,) = (mark for mark in card.front.own if isinstance(mark, PictureMark))
    (image,) = (each.get_object() for each in pages[0]["/Resources"]["/XObject"].values())
    assert (image["/Filter"], image["/Width"], image["/Height"]) == (["/JPXDecode"], 480, 640)
    assert image._data == portrait.image == contents(0).portrait


@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    mode=st.sampled_from(["L", "RGB"]),
    seed=st.integers(),
)
@settings(max_examples=50, deadline=None)
def test_a_raster_reads_back_as_it_was_drawn(width: int, height: int, mode: str, seed: int) -> None:
    noise = random.Random(seed).randbytes(width * height * len(mode))  # noqa: S311 - a picture, no secret
    drawing = Image.frombytes(mode, (width, height), noise)
    png = as_png(drawing, DPI)
    assert opened(png).tobytes() == drawing.tobytes()
    assert Image.open(io.BytesIO(png)).info["dpi"] == pytest.approx((DPI, DPI), abs=0.02)


def boxes() -> list[TextBox]:
    return [
        element
        for layout in card_layouts()
        for element in (*layout.front, *layout.back)
        if isinstance(element, Value) and element.field in {"full_name", "place_of_residence"}
    ]


@pytest.mark.parametrize("box", boxes(), ids=lambda box: f"{box.field}-{box.width}")
@given(words=st.lists(st.text(VIETNAMESE, min_size=1, max_size=12), min_size=1, max_size=24))
@settings(max_examples=25, deadline=None)
def test_no_text_is_cut_and_none_leaves_its_box(box: TextBox, words: list[str]) -> None:
    text = " ".join(words)
    fitted = fit(text, box, FONTS)
    face = Typeface.BOLD if box.bold else Typeface.PLAIN
    assert "".join(fitted.lines).replace(" ", "") == text.replace(" ", "")
    assert all(FONTS.width(face, line) * fitted.size <= box.width + 1e-6 for line in fitted.lines)
    assert len(fitted.lines) * LEADING * fitted.size <= box.height + 1e-6
    assert fitted.size >= box.smallest - 1e-6


def test_a_long_name_is_set_smaller_and_a_longer_one_wrapped() -> None:
    box = boxes()[0]
    short, long = fit("LÊ AN", box, FONTS), fit(LONGEST, box, FONTS)
    assert (len(short.lines), short.size) == (1, box.size)
    assert len(long.lines) > 1 or long.size < box.size


def test_what_fits_at_no_size_is_refused() -> None:
    with pytest.raises(CardTextUnprintable):
        compose(other(contents(1), place_of_residence="Ấp " * 400), FONTS)


@pytest.mark.parametrize("letter", ["龍", "க", "\u0001"])
def test_a_letter_that_the_typeface_lacks_is_refused(letter: str) -> None:
    with pytest.raises(CardTextUnprintable):
        compose(other(contents(1), full_name=f"LÊ {letter}"), FONTS)


def test_a_qr_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(CardTextUnprintable):
        print_job(replace(contents(1), qr_text="x" * 5000), FONTS)


def test_the_typefaces_have_every_vietnamese_letter() -> None:
    for face in Typeface:
        assert FONTS.width(face, VIETNAMESE + VIETNAMESE.upper()) > 0


@pytest.mark.parametrize("missing", list(Typeface))
def test_a_missing_typeface_stops_the_start(tmp_path: Path, missing: Typeface) -> None:
    for face in set(Typeface) - {missing}:
        shutil.copy(FONTS.path(face), tmp_path)
    with pytest.raises(CardFontMissing):
        CardFonts(tmp_path)
