"""What you accept is what prints (REQUIREMENTS F04): no way in which prints get spoiled passes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject
from reportlab.pdfgen.canvas import Canvas

from tests.support.print_paths import PATHS, Draw, Printer, as_it_is, fingers, form_file
from verification.capture_form.print_page import PIXEL, draw_print
from verification.fingerprint.engine import Print
from verification.fingerprint.form_file import read_form
from verification.fingerprint.form_page import BOXES, MARKS, place_of
from verification.fingerprint.printed_form import (
    Accepted,
    FormJudgement,
    PrintFault,
    accept,
    judge_file,
    judge_page,
    judge_scan,
)

SEED = 5
PRINTS = fingers(SEED, tuple(range(1, 11)))
FEW = Accepted(fingers(SEED, (1, 2, 7)), {4: "FINGER_WORN"})
GEOMETRY = {
    "shrunk to 85 %": PrintFault.SCALED,
    "shrunk to 97 %": PrintFault.SCALED,
    "shrunk to 99 %": PrintFault.SCALED,
    "enlarged to 103 %": PrintFault.SCALED,
    "narrowed to 93 %": PrintFault.SCALED,
    "fitted to the box": PrintFault.SCALED,
    "moved by a millimetre": PrintFault.MOVED,
    "turned by two degrees": PrintFault.TURNED,
    "turned upside down": PrintFault.TURNED,
    "clipped by its box": PrintFault.CUT,
}
"""What a path that leaves pixels alone is called."""

SEEN_ON_PAPER = {
    1: "shrunk to 97 %",
    2: "mirrored",
    3: "one bit, 300 dpi",
    6: "narrowed to 93 %",
    7: "clipped by its box",
    8: "moved by a millimetre",
    9: "a picture of the screen, 150 ppi",
}


def faults(judged: FormJudgement) -> dict[int, tuple[str, ...]]:
    return {each.position: each.faults for each in judged.fingers if each.faults}


def each_by(paths: Mapping[int, str]) -> Draw:
    """A page on which each finger comes by a way of its own."""

    def draw(canvas: Canvas, position: int, picture: Print) -> None:
        (PATHS[paths[position]] if position in paths else as_it_is)(canvas, position, picture)

    return draw


def raster(pdf: bytes, accepted: Accepted) -> Print:
    return read_form(pdf, accepted.boxes).raster


@pytest.fixture(scope="module")
def whole() -> bytes:
    return form_file(FEW)


def test_the_form_as_it_was_made_passes_in_every_pixel(whole: bytes) -> None:
    judged = judge_file(whole, FEW)
    assert (judged.passes, judged.score, judged.limits) == (True, 1.0, "digital-1")
    assert [each.position for each in judged.fingers] == [1, 2, 4, 7]


@pytest.mark.parametrize("names", [list(PATHS)[first : first + 8] for first in range(0, len(PATHS), 8)])
def test_no_way_of_spoiling_prints_passes_neither_built_nor_drawn(names: list[str]) -> None:
    """The file and the page that it comes out as are judged each by itself: both refuse, finger by finger."""
    accepted = Accepted(PRINTS, {})
    paths = dict(enumerate(names, 1))
    pdf = form_file(accepted, each_by(paths))
    judged, drawn = judge_file(pdf, accepted), judge_page(raster(pdf, accepted), accepted)
    assert faults(judged).keys() == paths.keys(), "and the two beside them are as they were accepted"
    assert faults(drawn).keys() == paths.keys()
    for position, name in paths.items():
        found = faults(judged)[position]
        assert GEOMETRY.get(name, PrintFault.ALTERED) in found, name
    assert not judged.page


def test_two_fingers_in_each_others_place_are_named_and_no_other(whole: bytes) -> None:
    swapped = {1: FEW.prints[2], 2: FEW.prints[1]}
    pdf = form_file(
        FEW, lambda canvas, position, picture: as_it_is(canvas, position, swapped.get(position, picture))
    )
    for judged in (judge_file(pdf, FEW), judge_page(raster(pdf, FEW), FEW)):
        assert faults(judged).keys() == {1, 2}
        assert all(PrintFault.OTHER_FINGER in each for each in faults(judged).values())


def test_another_persons_prints_are_refused_every_one() -> None:
    others = fingers(SEED + 1, tuple(FEW.prints))
    pdf = form_file(FEW, lambda canvas, position, _: as_it_is(canvas, position, others[position]))
    for judged in (judge_file(pdf, FEW), judge_page(raster(pdf, FEW), FEW)):
        assert faults(judged).keys() == FEW.prints.keys()
        assert not any(PrintFault.OTHER_FINGER in each for each in faults(judged).values())


def test_a_print_too_few_and_one_too_many_are_seen() -> None:
    def draw(canvas: Canvas, position: int, picture: Print) -> None:
        if position == 2:
            draw_print(canvas, place_of(5, picture), picture)
        else:
            as_it_is(canvas, position, picture)

    judged = judge_file(form_file(FEW, draw), FEW)
    assert faults(judged).keys() == {2, 5}
    assert PrintFault.MISSING in faults(judged)[2]
    assert faults(judged)[5] == (PrintFault.UNEXPECTED,)


def test_a_box_without_a_print_says_why() -> None:
    silent = form_file(Accepted(FEW.prints, {}))
    other = form_file(Accepted(FEW.prints, {4: "FINGER_MISSING"}))
    assert faults(judge_file(silent, FEW)) == {4: (PrintFault.REASON_MISSING,)}
    assert faults(judge_file(other, FEW)) == {4: (PrintFault.REASON_MISSING,)}
    assert faults(judge_page(raster(silent, FEW), FEW)) == {4: (PrintFault.REASON_MISSING,)}


def test_a_page_that_a_driver_shrinks_is_named_as_the_page() -> None:
    pdf = form_file(FEW, page=lambda canvas: canvas.scale(0.97, 0.97))
    judged = judge_file(pdf, FEW)
    assert judged.page == (PrintFault.PAGE_SCALED,)
    assert faults(judged).keys() >= FEW.prints.keys()


def test_a_page_of_another_size_or_raster_is_none(whole: bytes) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(whole))
    writer.pages[0].scale_by(0.9)
    out = io.BytesIO()
    writer.write(out)
    assert judge_file(out.getvalue(), FEW).page == (PrintFault.PAGE_UNREADABLE,)
    page = raster(whole, FEW)
    small = np.asarray(Image.fromarray(page).resize((page.shape[1] * 3 // 5, page.shape[0] * 3 // 5)))
    assert not judge_page(small, FEW).passes
    assert judge_file(b"%PDF-1.4 nothing", FEW).page == (PrintFault.PAGE_UNREADABLE,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("/Decode", ArrayObject([FloatObject(1), FloatObject(0)])),
        ("/Interpolate", NameObject("/true")),
        ("/ColorSpace", NameObject("/DeviceRGB")),
    ],
)
def test_what_alters_a_picture_when_it_is_drawn_is_seen_in_the_file(
    whole: bytes, name: str, value: object
) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(whole))
    pictures = writer.pages[0]["/Resources"]["/XObject"]  # type: ignore[index]
    next(iter(pictures.values())).get_object()[NameObject(name)] = value
    out = io.BytesIO()
    writer.write(out)
    found = faults(judge_file(out.getvalue(), FEW))
    assert len(found) == 1
    assert PrintFault.ALTERED in next(iter(found.values()))


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_torn_file_is_refused_and_nothing_else_happens(whole: bytes, cut: float) -> None:
    assert not judge_file(whole[: int(len(whole) * cut)], FEW).passes


def test_what_no_form_can_show_is_refused_and_named() -> None:
    def png(width: int, height: int, **options: object) -> bytes:
        out = io.BytesIO()
        Image.new("L", (width, height), 200).save(out, "PNG", **options)
        return out.getvalue()

    box = BOXES[1]
    captures = {
        1: b"no picture",
        2: png(box.width + 1, 100),
        3: png(160, 160, dpi=(96, 96)),
        5: png(box.width, box.height, dpi=(500, 500)),
    }
    accepted = accept(captures, {1: "FINGER_WORN"})
    assert accepted.refused == {
        1: PrintFault.UNREADABLE,
        2: PrintFault.NO_ROOM,
        3: PrintFault.UNREADABLE,
    }
    assert not accepted.reasons, "for what is there nothing is excused"
    assert faults(judge_file(form_file(accepted), accepted)).keys() == {1, 2, 3}


def test_both_thumbs_have_one_place() -> None:
    plain = Accepted({15: np.full((700, 1600), 200, np.uint8)}, {})
    assert judge_file(form_file(plain), plain).passes
    out = io.BytesIO()
    Image.new("L", (400, 700), 200).save(out, "PNG")
    twice = accept({11: out.getvalue(), 15: out.getvalue()}, {})
    assert twice.refused == {15: PrintFault.NO_ROOM}


def test_of_whom_no_prints_are_taken_there_is_nothing_to_judge() -> None:
    nobody = Accepted({}, {})
    assert judge_file(b"any form", nobody).passes
    assert judge_scan(np.zeros((1, 1), np.uint8), 1, nobody).passes


@pytest.mark.parametrize(
    ("printer", "quarters"),
    [(Printer(scale=0.995, turn=-0.4), 2), (Printer(turn=0.6), 1)],
    ids=["on its head, a little short", "upright, askew"],
)
def test_a_good_printers_paper_passes_however_it_lay(whole: bytes, printer: Printer, quarters: int) -> None:
    scan = np.rot90(printer.scan(raster(whole, FEW)), quarters)
    judged = judge_scan(np.ascontiguousarray(scan), 500, FEW)
    assert judged.passes, faults(judged)
    assert judged.limits == "paper-1"
    assert judged.score > 0.97


def test_what_spoils_prints_is_seen_on_paper_too() -> None:
    accepted = Accepted(PRINTS, {})
    pdf = form_file(accepted, each_by(SEEN_ON_PAPER))
    judged = judge_scan(Printer().scan(raster(pdf, accepted)), 500, accepted)
    assert faults(judged).keys() == SEEN_ON_PAPER.keys()
    assert not judged.page


def test_a_printer_that_fits_to_its_paper_is_refused(whole: bytes) -> None:
    judged = judge_scan(Printer(scale=0.97).scan(raster(whole, FEW)), 500, FEW)
    assert judged.page == (PrintFault.PAGE_SCALED,)


def test_a_scan_by_which_nothing_can_be_said_says_nothing(whole: bytes) -> None:
    page = raster(whole, FEW).copy()
    assert judge_scan(page, 200, FEW).page == (PrintFault.PAGE_COARSE,)
    assert judge_scan(page[:2000], 500, FEW).page == (PrintFault.PAGE_UNREADABLE,)
    left, top = MARKS[2]
    page[top - 60 : top + 60, left - 60 : left + 60] = 255
    assert judge_scan(page, 500, FEW).page == (PrintFault.PAGE_MARKS,)


@pytest.mark.shared_data
def test_real_prints_pass_as_they_are_and_in_no_other_way(shared: Path) -> None:
    data = shared / "data" / "prints"
    files = {
        **{number: f"nfiq2_conformance/SFinGe_Test0{number}.pgm" for number in range(1, 6)},
        6: "nist_rolled/valid1.9_t4.png",
        10: "nist_rolled/valid1.1_t4_left_little.png",
        13: "nist_slaps/valid1.8_fgp13.png",
    }
    prints = {place: np.asarray(Image.open(data / name).convert("L")) for place, name in files.items()}
    accepted = Accepted(prints, {})
    assert judge_file(form_file(accepted), accepted).passes
    spoiled = dict(
        zip(
            prints,
            ("shrunk to 97 %", "JPEG of quality 12", "at 250 ppi and back", "one bit, 300 dpi", "mirrored"),
            strict=False,
        )
    )
    judged = judge_page(raster(form_file(accepted, each_by(spoiled)), accepted), accepted)
    assert faults(judged).keys() == spoiled.keys()
    scan = Printer(turn=0.3).scan(raster(form_file(accepted), accepted))
    assert judge_scan(scan, 500, accepted).passes


def test_marks_prints_and_words_are_where_the_page_says() -> None:
    """The one place that both the printer and the judge measure by is right itself: in points of an inch."""
    reader = PdfReader(io.BytesIO(form_file(FEW)))
    assert float(reader.pages[0].mediabox.width) == pytest.approx(5846 * PIXEL, abs=0.01)
    assert all(box.left > 0 and box.right < 5846 and box.bottom < 4134 for box in BOXES.values())
    singles = [BOXES[position] for position in range(1, 11)]
    assert all(
        one.right < other.left or other.right < one.left or one.bottom < other.top or other.bottom < one.top
        for place, one in enumerate(singles)
        for other in singles[:place]
    )
