"""The form that the citizen signs at a counter: made and judged as a kit's is, and then judged on paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import msgspec

from issuance_backend.dossiers.counter.domain import CounterRow
from issuance_backend.dossiers.counter.signed_paper import judge_paper
from issuance_backend.dossiers.forms.catalogue import capture_form, required_on
from issuance_backend.printed_type import BOLD, PLAIN, register_type
from issuance_backend.qr_symbol import qr_modules
from verification.capture_form.filled_form import PORTRAIT, FilledForm, Fonts, form_values, render_form
from verification.errors import FieldsRefused, TransitionRefused
from verification.fingerprint.printed_form import FormJudgement, judge_file
from verification.messages.asked_prints import finger_item
from verification.messages.enrollment_packet import CaptureException, PrintedFormMark

_JPEG = "image/jpeg"

Contents = Mapping[str, bytes]
"""The portrait and the prints of a capture, by item."""


class CheckedForm(NamedTuple):
    """A form as a file, and what is recorded of it."""

    file: bytes
    mark: PrintedFormMark


def made_form(row: CounterRow, contents: Contents) -> bytes:
    """The form; the same capture gives the same bytes.

    Raises TransitionRefused for a capture that holds nothing any more, FormUnknown, ReportFontMissing, and
    FieldsRefused for a portrait that cannot be read.
    """
    filled = _filled(row, contents)
    register_type()
    return render_form(filled, filled.accepted(), Fonts(PLAIN, BOLD))


def checked_form(row: CounterRow, contents: Contents) -> CheckedForm:
    """The form, judged; raises as ``made_form`` does, and FieldsRefused where it is not faithful."""
    filled, file = _filled(row, contents), made_form(row, contents)
    judged = judge_file(file, filled.accepted())
    if not judged.passes:
        fingers = {finger_item(each.position): each.faults[0] for each in judged.fingers if each.faults}
        raise FieldsRefused({"form": "COUNTER_FORM_NOT_FAITHFUL", **fingers})
    mark = PrintedFormMark(filled.form.code, sha256(file).hexdigest(), judged.limits, judged.score)
    return CheckedForm(file, mark)


def checked_paper(row: CounterRow, contents: Contents, scan: bytes) -> FormJudgement:
    """The signed paper, judged by its scan; raises as ``judge_paper`` does."""
    filled = _filled(row, contents)
    return judge_paper(scan, _code_text(filled), filled.accepted())


def _filled(row: CounterRow, contents: Contents) -> FilledForm:
    capture = row.capture
    if capture is None:
        raise TransitionRefused("a capture that was sealed or withdrawn has no form to print")
    reasons = required_on(row.day).reasons
    stated = [CaptureException(reasons[code].item, code.upper()) for code in row.exceptions]
    types = {PORTRAIT: _JPEG, **{item: each.media_type for item, each in row.captured.items()}}
    filled = FilledForm(
        form=capture_form(row.day),
        capture=row.id,
        values=form_values(capture.citizen_number, capture.person, row.opened_at),
        exceptions=[*stated, *row.print_reasons],
        pictures={item: (types[item], content) for item, content in contents.items()},
    )
    return replace(filled, code=qr_modules(_code_text(filled)))


def _code_text(filled: FilledForm) -> str:
    """What the paper says of itself: which capture, and a piece of the hash of all that it shows."""
    pictures = {item: sha256(content).hexdigest() for item, (_, content) in filled.pictures.items()}
    shown = [filled.form.code, filled.form.edition, filled.values, filled.exceptions, pictures]
    return f"{filled.capture}.{sha256(msgspec.json.encode(shown, order='sorted')).hexdigest()[:32]}"
