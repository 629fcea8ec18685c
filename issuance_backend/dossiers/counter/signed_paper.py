"""The signed paper by a scan of its last page: is it this very form, are its prints right, is it signed."""

from __future__ import annotations

import numpy as np
from PIL import Image

from issuance_backend.qr_symbol import read_qr
from verification.capture_form.print_page import CODE_BOX, SIGNATURE_BOX
from verification.errors import FieldsRefused, ImageUndecodable
from verification.fingerprint.engine import Print
from verification.fingerprint.form_marks import PageView
from verification.fingerprint.form_page import Box
from verification.fingerprint.print_picture import read_scan
from verification.fingerprint.printed_form import (
    Accepted,
    FormJudgement,
    PrintFault,
    judge_scan,
    page_views,
    scan_fault,
)
from verification.messages.asked_prints import finger_item

SCAN = "scan"
OTHER_FORM, CODE_UNREADABLE, NOT_SIGNED = (
    "COUNTER_PAPER_OF_OTHER_FORM",
    "COUNTER_PAPER_CODE_UNREADABLE",
    "COUNTER_PAPER_NOT_SIGNED",
)

_QUIET = 60
"""Pixels around the code, which programs that read it want white."""

_INSIDE = 40
"""Pixels from the frame of the box: it may lie askew."""

_DARKER = 60
_LEAST_INK, _LEAST_LENGTH = 1_500, 120
"""Pixels of 500 ppi: four square millimetres, six millimetres across; dust is less."""


def judge_paper(scan: bytes, text: str, accepted: Accepted) -> FormJudgement:
    """What a scan (PNG, JPEG, TIFF) shows of the form whose code says ``text``, and was signed.

    Raises FieldsRefused under ``scan`` for what is wrong with page or signature, and by finger.
    """
    try:
        picture, ppi = read_scan(scan)
    except ImageUndecodable:
        raise FieldsRefused({SCAN: PrintFault.PAGE_UNREADABLE}) from None
    page = _this_form(picture, ppi, text)
    judged = judge_scan(picture, ppi, accepted)
    if not judged.passes:
        fingers = {finger_item(each.position): each.faults[0] for each in judged.fingers if each.faults}
        page_fault = next(iter(judged.page), PrintFault.LOST)
        raise FieldsRefused({SCAN: page_fault, **fingers})
    if not _is_signed(page.cut(_within(SIGNATURE_BOX, -_INSIDE))):
        raise FieldsRefused({SCAN: NOT_SIGNED})
    return judged


def _this_form(picture: Print, ppi: float, text: str) -> PageView:
    """The page, whichever way it lay on the glass; raises FieldsRefused unless its code says ``text``."""
    fault = scan_fault(picture, ppi)
    if fault is not None:
        raise FieldsRefused({SCAN: fault})
    said = set()
    for view in page_views(picture, ppi):
        seen = read_qr(Image.fromarray(view.cut(_within(CODE_BOX, _QUIET))))
        if seen == text:
            return view
        said.add(seen)
    code = CODE_UNREADABLE if None in said else PrintFault.PAGE_MARKS
    raise FieldsRefused({SCAN: OTHER_FORM if said - {None} else code})


def _is_signed(box: Print) -> bool:
    ink = box < int(np.median(box)) - _DARKER
    across = np.flatnonzero(ink.any(0))
    down = np.flatnonzero(ink.any(1))
    if int(ink.sum()) < _LEAST_INK:
        return False
    return max(int(np.ptp(across)), int(np.ptp(down))) >= _LEAST_LENGTH


def _within(box: Box, wider: int) -> Box:
    return Box(box.left - wider, box.top - wider, box.width + 2 * wider, box.height + 2 * wider)
