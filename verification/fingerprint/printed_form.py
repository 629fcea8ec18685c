"""Whether a form shows the prints that were accepted: each in its place, at its own size, and whole.

A  the file is built from the very pixels of the captures, placed one to one  (``judge_file``)
B  the page as it comes out shows them so                                    (``judge_file``, ``judge_page``)
C  so does a scan of the paper, within what printers and scanners do         (``judge_scan``)

What was accepted is what is compared with: a form that was shrunk, or printed through a thumbnail, has
prints that look well and match nobody. Pure: bytes come in, a judgement goes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
import numpy as np
from PIL import Image

from verification.errors import FingerImageUndecodable, LimitExceeded, MalformedDocument
from verification.fingerprint.engine import Print
from verification.fingerprint.form_file import FormFile, PlacedPicture, read_form
from verification.fingerprint.form_marks import PageView, find_page, straight
from verification.fingerprint.form_page import (
    BOXES,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PAPER_WHITE,
    PPI,
    REASON_BOTTOM,
    REASON_TOP,
    boxes_shown,
    expected_box,
    place_of,
)
from verification.fingerprint.print_measures import Measured, inked_area, likeness_of, measure
from verification.fingerprint.print_picture import read_print


class PrintFault(StrEnum):
    """What is wrong with a print on the form, or with its page."""

    UNREADABLE = "FORM_PRINT_UNREADABLE"
    NO_ROOM = "FORM_PRINT_TOO_LARGE"
    MISSING = "FORM_PRINT_MISSING"
    UNEXPECTED = "FORM_PRINT_UNEXPECTED"
    OTHER_FINGER = "FORM_PRINT_OF_OTHER_FINGER"
    ALTERED = "FORM_PRINT_ALTERED"
    SCALED = "FORM_PRINT_SCALED"
    TURNED = "FORM_PRINT_TURNED"
    MOVED = "FORM_PRINT_MOVED"
    LOST = "FORM_PRINT_LOST"
    CUT = "FORM_PRINT_CUT"
    COARSE = "FORM_PRINT_COARSE"
    REASON_MISSING = "FORM_PRINT_REASON_MISSING"
    PAGE_UNREADABLE = "FORM_PAGE_UNREADABLE"
    PAGE_MARKS = "FORM_MARKS_MISSING"
    PAGE_SCALED = "FORM_PAGE_SCALED"
    PAGE_TURNED = "FORM_PAGE_TURNED"
    PAGE_COARSE = "FORM_SCAN_COARSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a page may be from what was accepted; ``id`` says under which limits it was judged."""

    id: str
    page_scale: float
    page_turn: float
    exact: float
    in_place: float
    lost: float
    scale: float
    turn: float
    footprint: float
    detail: float


DIGITAL = Limits(
    id="digital-1",
    page_scale=0.002,
    page_turn=0.05,
    exact=0.999,
    in_place=0.97,
    lost=0.03,
    scale=0.006,
    turn=0.3,
    footprint=0.93,
    detail=0.85,
)
"""The page before it is printed: nothing is lost on the way, so next to nothing may be."""

PAPER = Limits(
    id="paper-1",
    page_scale=0.01,
    page_turn=3.0,
    exact=0.0,
    in_place=0.80,
    lost=0.03,
    scale=0.006,
    turn=0.5,
    footprint=0.85,
    detail=0.05,
)
"""A scan: halftone, toner and paper take detail away and leave scale, place and ridges."""

COARSEST_SCAN = 300
_ROUNDED = 0.1
"""Pixels by which an edge may be off its place in the file."""

_BLANK = 250
_INK = 128
_STRAY = 0.02
_STRANGE, _SAME_FINGER = 0.5, 0.6
_TURNS = {True: (0, 2), False: (1, 3)}
"""Quarter turns in which a scan may have been laid, by whether it lies across."""


class FingerJudgement(msgspec.Struct, frozen=True):
    """One place of the form; ``likeness`` is the share of equal pixels in a file, a correlation on paper."""

    position: int
    faults: tuple[str, ...]
    likeness: float


class FormJudgement(msgspec.Struct, frozen=True):
    """What a form was found to be under some limits: ``page`` has what is wrong with the page itself."""

    limits: str
    page: tuple[str, ...] = ()
    fingers: tuple[FingerJudgement, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the form shows what was accepted."""
        return not self.page and not any(each.faults for each in self.fingers)

    @property
    def score(self) -> float:
        """The likeness of the finger that is least like its capture; 1 where there is none."""
        return min((each.likeness for each in self.fingers), default=1.0)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the form has to show: prints by position, and reasons in the boxes that have none.

    ``refused`` are captures that no form can show, with the fault.
    """

    prints: Mapping[int, Print]
    reasons: Mapping[int, str]
    refused: Mapping[int, str] = field(default_factory=dict)

    @property
    def boxes(self) -> tuple[int, ...]:
        """The boxes that the page has."""
        return boxes_shown({*self.prints, *self.reasons})

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show: of whom no prints are taken."""
        return not (self.prints or self.reasons or self.refused)


def accept(captures: Mapping[int, bytes], reasons: Mapping[int, str]) -> Accepted:
    """The captures read to their pixels, and codes of reasons by position."""
    prints: dict[int, Print] = {}
    refused: dict[int, str] = {}
    for position, content in sorted(captures.items()):
        try:
            picture = read_print(content)
            place_of(position, picture)
            boxes_shown({*prints, position})
        except FingerImageUndecodable:
            refused[position] = PrintFault.UNREADABLE
        except LimitExceeded:
            refused[position] = PrintFault.NO_ROOM
        else:
            prints[position] = picture
    without = {position: code for position, code in reasons.items() if position not in captures}
    return Accepted(prints, without, refused)


def judge_file(pdf: bytes, accepted: Accepted) -> FormJudgement:
    """Judge a form before it is printed: what its last page is built from, and how that page comes out."""
    if accepted.is_empty:
        return FormJudgement(DIGITAL.id)
    try:
        file = read_form(pdf, accepted.boxes)
    except MalformedDocument:
        return FormJudgement(DIGITAL.id, (PrintFault.PAGE_UNREADABLE,))
    drawn = judge_page(file.raster, accepted)
    built = {position: tuple(_built_faults(file, accepted, position)) for position in accepted.boxes}
    strays = tuple(PrintFault.UNEXPECTED for each in file.pictures if _position(each, accepted) is None)
    return FormJudgement(
        DIGITAL.id,
        _each_once((*drawn.page, *strays)),
        tuple(
            msgspec.structs.replace(each, faults=_each_once((*built.get(each.position, ()), *each.faults)))
            for each in drawn.fingers
        ),
    )


def judge_page(page: Print, accepted: Accepted) -> FormJudgement:
    """Judge the page of prints as it comes out at 500 ppi, before any printer had it."""
    is_whole = page.shape == (PAGE_HEIGHT, PAGE_WIDTH)
    fingers = _judged(straight(page), accepted, DIGITAL) if is_whole else _unjudged(accepted)
    page_faults: tuple[str, ...] = ()
    if any(each.faults for each in fingers):
        # Only then is it worth a look whether the page itself is to blame.
        page_faults = _page_faults(find_page(page), DIGITAL)
    return FormJudgement(DIGITAL.id, page_faults if is_whole else (PrintFault.PAGE_SCALED,), fingers)


def judge_scan(scan: Print, ppi: float, accepted: Accepted) -> FormJudgement:
    """Judge a scan of the printed page of prints, whichever way it lay on the glass."""
    if accepted.is_empty:
        return FormJudgement(PAPER.id)
    fault = scan_fault(scan, ppi)
    if fault is not None:
        return FormJudgement(PAPER.id, (fault,))
    best = FormJudgement(PAPER.id, (PrintFault.PAGE_MARKS,))
    for view in page_views(scan, ppi):
        judged = FormJudgement(PAPER.id, _page_faults(view, PAPER), _judged(view, accepted, PAPER))
        best = judged if not best.fingers else max(best, judged, key=_typical)
        if best.passes:
            break
    return best


def scan_fault(scan: Print, ppi: float) -> PrintFault | None:
    """Why nothing can be said of a page by a scan, before it is looked at."""
    if ppi < COARSEST_SCAN:
        return PrintFault.PAGE_COARSE
    height, width = _size_of(scan, ppi)
    is_page = 1.3 * min(height, width) > PAGE_HEIGHT and max(height, width) < 1.3 * PAGE_WIDTH
    return None if is_page else PrintFault.PAGE_UNREADABLE


def page_views(scan: Print, ppi: float) -> Iterator[PageView]:
    """The page by its marks, in each of the ways in which the scan may have lain."""
    height, width = _size_of(scan, ppi)
    page = np.asarray(Image.fromarray(scan).resize((width, height), Image.Resampling.BICUBIC), np.uint8)
    for turns in _TURNS[width > height]:
        view = find_page(np.ascontiguousarray(np.rot90(page, turns)))
        if view is not None:
            yield view


def _size_of(scan: Print, ppi: float) -> tuple[int, int]:
    """Height and width at the form's own resolution."""
    height, width = scan.shape
    return round(height * PPI / ppi), round(width * PPI / ppi)


def _typical(judged: FormJudgement) -> float:
    """How like the fingers are as a whole: upside down they are like nothing."""
    return float(np.median([each.likeness for each in judged.fingers]))


def _page_faults(view: PageView | None, limits: Limits) -> tuple[str, ...]:
    if view is None:
        return (PrintFault.PAGE_MARKS,)
    faults = []
    if max(abs(view.scale_x - 1), abs(view.scale_y - 1)) > limits.page_scale:
        faults.append(PrintFault.PAGE_SCALED)
    if abs(view.turn) > limits.page_turn:
        faults.append(PrintFault.PAGE_TURNED)
    return tuple(faults)


def _unjudged(accepted: Accepted) -> tuple[FingerJudgement, ...]:
    refused = ((position, (code,)) for position, code in accepted.refused.items())
    faults = {**dict.fromkeys(accepted.prints, (PrintFault.LOST,)), **dict(refused)}
    return tuple(FingerJudgement(position, faults[position], 0.0) for position in sorted(faults))


def _judged(view: PageView, accepted: Accepted, limits: Limits) -> tuple[FingerJudgement, ...]:
    """Every place that has, or should have, a print or a reason, or has something where nothing belongs."""
    found = []
    for position in sorted({*accepted.boxes, *accepted.refused}):
        if position in accepted.refused:
            found.append(FingerJudgement(position, (accepted.refused[position],), 0.0))
        elif position in accepted.prints:
            found.append(_print_judged(view, accepted, position, limits))
        else:
            faults = _empty_faults(_shown(view, position), position in accepted.reasons)
            if faults or position in accepted.reasons:
                found.append(FingerJudgement(position, faults, 0.0 if faults else 1.0))
    return tuple(found)


def _shown(view: PageView, position: int) -> Print:
    box = BOXES[position]
    if np.array_equal(view.to_picture, np.eye(2, 3)):
        return view.picture[box.top : box.bottom, box.left : box.right]
    return view.cut(box)


def _print_judged(view: PageView, accepted: Accepted, position: int, limits: Limits) -> FingerJudgement:
    expected, seen = expected_box(position, accepted.prints[position]), _shown(view, position)
    measured = measure(expected, seen)
    faults = tuple(_measured_faults(measured, limits))
    if measured.in_place < _STRANGE and faults and _is_of_another(seen, accepted, position):
        faults = (PrintFault.OTHER_FINGER, *faults)
    likeness = measured.exact if limits.exact else measured.in_place
    return FingerJudgement(position, faults, round(max(likeness, 0.0), 4))


def _measured_faults(measured: Measured, limits: Limits) -> Iterator[str]:
    if measured.scale_x and max(abs(measured.scale_x - 1), abs(measured.scale_y - 1)) > limits.scale:
        yield PrintFault.SCALED
    if abs(measured.turn) > limits.turn:
        yield PrintFault.TURNED
    if not measured.scale_x or measured.lost > limits.lost:
        yield PrintFault.LOST
    if measured.footprint < limits.footprint:
        yield PrintFault.CUT
    if measured.detail < limits.detail:
        yield PrintFault.COARSE
    if measured.in_place < limits.in_place or measured.exact < limits.exact:
        yield PrintFault.ALTERED


def _is_of_another(seen: Print, accepted: Accepted, position: int) -> bool:
    """Whether the box shows the print of another finger that was accepted."""
    return any(
        likeness_of(expected_box(position, picture), seen) > _SAME_FINGER
        for other, picture in accepted.prints.items()
        if other != position and _has_room(position, picture)
    )


def _has_room(position: int, picture: Print) -> bool:
    box = BOXES[position]
    height, width = (int(side) for side in picture.shape)
    return height <= box.height and width <= box.width


def _empty_faults(seen: Print, has_reason: bool) -> tuple[str, ...]:
    """A box without a print says why, and shows no print."""
    if has_reason:
        if int(seen[REASON_TOP:REASON_BOTTOM].min()) > _INK:
            return (PrintFault.REASON_MISSING,)
        seen = seen.copy()
        seen[REASON_TOP:REASON_BOTTOM] = PAPER_WHITE
    if int(seen.min()) < _BLANK and float(inked_area(seen).mean()) > _STRAY:
        return (PrintFault.UNEXPECTED,)
    return ()


def _built_faults(file: FormFile, accepted: Accepted, position: int) -> Iterator[str]:
    """What the file itself says of one box."""
    here = [each for each in file.pictures if _position(each, accepted) == position]
    if position not in accepted.prints:
        if here:
            yield PrintFault.UNEXPECTED
        if accepted.reasons.get(position, "") not in file.texts.get(position, ""):
            yield PrintFault.REASON_MISSING
    elif len(here) != 1:
        yield PrintFault.MISSING if not here else PrintFault.UNEXPECTED
    else:
        yield from _placed_faults(here[0], accepted.prints, position)


def _placed_faults(placed: PlacedPicture, prints: Mapping[int, Print], position: int) -> Iterator[str]:
    pixels = placed.pixels
    if pixels is None or not np.array_equal(pixels, prints[position]):
        others = (picture for other, picture in prints.items() if other != position)
        is_other = pixels is not None and any(np.array_equal(pixels, picture) for picture in others)
        yield PrintFault.OTHER_FINGER if is_other else PrintFault.ALTERED
    if not placed.upright:
        yield PrintFault.TURNED
    if pixels is not None:
        if max(abs(placed.width - pixels.shape[1]), abs(placed.height - pixels.shape[0])) > _ROUNDED:
            yield PrintFault.SCALED
        place = place_of(position, prints[position])
        if max(abs(placed.left - place.left), abs(placed.top - place.top)) > _ROUNDED:
            yield PrintFault.MOVED


def _position(placed: PlacedPicture, accepted: Accepted) -> int | None:
    """The box in whose bounds the middle of a picture lies."""
    across, down = placed.left + placed.width / 2, placed.top + placed.height / 2
    inside = (
        position
        for position in accepted.boxes
        if BOXES[position].left <= across < BOXES[position].right
        and BOXES[position].top <= down < BOXES[position].bottom
    )
    return next(inside, None)


def _each_once(faults: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(faults))
