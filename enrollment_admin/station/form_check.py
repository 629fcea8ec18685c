"""The step "form checked": a form is printed, and sealed with, once it was judged to be faithful."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from enrollment_admin.station.kit_store import Particulars
from enrollment_admin.station.printed_form import FilledForm, render_form
from enrollment_admin.station.refusals import FormNotFaithful, FormNotJudged
from verification.errors import FieldsRefused, ImageUndecodable
from verification.fingerprint.print_picture import read_scan
from verification.fingerprint.printed_form import DIGITAL, FormJudgement, PrintFault, judge_file, judge_scan
from verification.messages.enrollment_packet import PrintedFormMark

SCAN = "scan"
_OF_THE_SCAN = (PrintFault.PAGE_UNREADABLE, PrintFault.PAGE_COARSE, PrintFault.PAGE_MARKS)
"""What is wrong with the scan, and says nothing of the paper."""


class CheckedForm(NamedTuple):
    """A form as a file, what its packet says of it, and what it was found to be."""

    file: bytes
    mark: PrintedFormMark
    judged: FormJudgement


def check_form(filled: FilledForm) -> CheckedForm:
    """Make the form and judge what was made; raises FontMissing."""
    accepted = filled.accepted()
    file = render_form(filled, accepted)
    judged = judge_file(file, accepted)
    mark = PrintedFormMark(filled.form.code, sha256(file).hexdigest(), judged.limits, judged.score)
    return CheckedForm(file, mark, judged)


def check_paper(filled: FilledForm, scan: bytes) -> FormJudgement:
    """Judge the paper by a scan; raises FieldsRefused for a scan by which nothing can be said."""
    try:
        picture, ppi = read_scan(scan)
    except ImageUndecodable:
        raise FieldsRefused({SCAN: PrintFault.PAGE_UNREADABLE}) from None
    judged = judge_scan(picture, ppi, filled.accepted())
    for fault in _OF_THE_SCAN:
        if fault in judged.page:
            raise FieldsRefused({SCAN: fault})
    return judged


def require_faithful(judged: FormJudgement) -> None:
    """The form shows what was accepted; raises FormNotFaithful."""
    if not judged.passes:
        positions = [each.position for each in judged.fingers if each.faults]
        raise FormNotFaithful(f"page {list(judged.page)}, fingers {positions}")


def require_judged(particulars: Particulars) -> None:
    """The print that is sealed was judged, under today's limits; raises FormNotJudged, FormNotFaithful."""
    judged, printed = particulars.judged, particulars.printed
    if judged is None or printed is None or DIGITAL.id not in (judged.limits, printed.limits):
        raise FormNotJudged("this print was not judged")
    if judged.limits != printed.limits:
        raise FormNotJudged("another print was judged")
    require_faithful(judged)
