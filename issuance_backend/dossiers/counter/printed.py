"""The form that the citizen signs at a counter: made and judged as a kit's is."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from issuance_backend.dossiers.counter.domain import CounterRow
from issuance_backend.dossiers.forms.catalogue import capture_form, required_on
from issuance_backend.printed_type import BOLD, PLAIN, register_type
from verification.capture_form.filled_form import PORTRAIT, FilledForm, Fonts, form_values, render_form
from verification.errors import FieldsRefused, TransitionRefused
from verification.fingerprint.printed_form import judge_file
from verification.messages.enrollment_packet import CaptureException, PrintedFormMark
from verification.messages.national_time import vietnam_date

_JPEG = "image/jpeg"


class CheckedForm(NamedTuple):
    """A form as a file, and what is recorded of it."""

    file: bytes
    mark: PrintedFormMark


def made_form(row: CounterRow, portrait: bytes) -> bytes:
    """The form; the same capture gives the same bytes.

    Raises TransitionRefused for a capture that holds nothing any more, FormUnknown, ReportFontMissing, and
    FieldsRefused for a portrait that cannot be read.
    """
    filled = _filled(row, portrait)
    register_type()
    return render_form(filled, filled.accepted(), Fonts(PLAIN, BOLD))


def checked_form(row: CounterRow, portrait: bytes) -> CheckedForm:
    """The form, judged; raises as ``made_form`` does, and FieldsRefused where it is not faithful."""
    filled, file = _filled(row, portrait), made_form(row, portrait)
    judged = judge_file(file, filled.accepted())
    if not judged.passes:
        raise FieldsRefused({"form": "COUNTER_FORM_NOT_FAITHFUL"})
    mark = PrintedFormMark(filled.form.code, sha256(file).hexdigest(), judged.limits, judged.score)
    return CheckedForm(file, mark)


def _filled(row: CounterRow, portrait: bytes) -> FilledForm:
    capture = row.capture
    if capture is None:
        raise TransitionRefused("a capture that was sealed or withdrawn has no form to print")
    day = vietnam_date(datetime.fromisoformat(row.opened_at))
    reasons = required_on(day).reasons
    return FilledForm(
        form=capture_form(day),
        capture=row.id,
        values=form_values(capture.citizen_number, capture.person, row.opened_at),
        exceptions=[CaptureException(reasons[code].item, code.upper()) for code in row.exceptions],
        pictures={PORTRAIT: (_JPEG, portrait)},
    )
