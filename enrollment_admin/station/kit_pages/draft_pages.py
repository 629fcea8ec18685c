"""How the pages of a capture look: the list, the gate's answer beside its fields, one page a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import segno
from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.station.answering import is_asked
from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import is_current
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.desks import Desks
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.kit_pages.door import signed_in
from enrollment_admin.station.kit_pages.hands import hands
from enrollment_admin.station.kit_pages.slaps import slaps
from enrollment_admin.station.kit_pages.tasks import (
    Task,
    needs_supervisor,
    next_task,
    open_tasks,
    tasks_of,
)
from enrollment_admin.station.kit_pages.typed_forms import fields_of
from enrollment_admin.terms_form import TERMS_FIELDS, terms_choices
from enrollment_admin.ui.consent_languages import LANGUAGES_OF_CONSENT
from enrollment_admin.ui.pages import page, typed
from verification.messages.asked_prints import (
    ALL_SLAPS,
    FINGERPRINTS,
    excusable_fingers,
    is_finger,
    is_slap,
)
from verification.messages.enrollment_packet import CANNOT_SIGN, CITIZEN_SIGNATURE
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import receipt_code, status_link

FIGURES = (
    DraftState.DRAFT,
    DraftState.CAPTURED,
    DraftState.FORM_CHECKED,
    DraftState.SEALED,
    DraftState.IN_TRANSIT,
    DraftState.RECEIPTED,
)


class Reason(NamedTuple):
    """A coded reason for an item that cannot be captured, in the form's own words where it has some."""

    item: str
    code: str
    vi: str = ""
    en: str = ""


class Slip(NamedTuple):
    """What the citizen takes home: the code, where it was captured, and a QR code that asks with it."""

    code: str
    unit: str
    symbol: str | None


def list_page(desks: Desks, desk: CaptureDesk) -> ResponseReturnValue:
    """What is on this kit, and how much of it waits."""
    extract, extract_code = desks.extract_or_fault()
    returned, returned_code = desks.returned_or_fault()
    refused = desks.refused()
    figures, drafts, form = desk.figures(), desk.drafts(), desks.kit.profile.form
    return page(
        "kit/list.html",
        drafts=drafts,
        tasks={each.id: next_task(each) for each in drafts},
        figures={each.value: figures.by_state[each] for each in FIGURES},
        attempts=figures.attempts,
        stopped=figures.stopped,
        extract=extract,
        extract_code=extract_code,
        returned=returned,
        returned_code=returned_code,
        form=form,
        is_form_current=is_current(form, vietnam_date(desks.kit.clock())),
        refused=refused,
        kit=desks.kit.profile,
        slip_of=receipt_code,
    )


def declaration_page(
    desks: Desks,
    said: Mapping[str, str],
    faults: Mapping[str, Sequence[str]],
    draft: str | None = None,
) -> ResponseReturnValue:
    """Who is before you, with what is wrong beside each field."""
    extract, extract_code = desks.extract_or_fault()
    return page(
        "kit/declaration.html",
        422 if faults else 200,
        draft=draft,
        typed=said,
        faults=faults,
        extract=extract,
        extract_code=extract_code,
    )


def task_page(
    desks: Desks, draft: Draft, task: Task, faults: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """The page of a task, or of the one that comes before it."""
    if task is Task.SIGNATURE and next_task(draft) is Task.FORM:
        # Who says that it is signed learns why there is nothing to sign yet.
        task, faults = Task.FORM, {"form": "KIT_FORM_NOT_PRINTED"}
    if task not in open_tasks(draft):
        return redirect(url_for("station.task", draft=draft.id, task=next_task(draft)), 303)
    if task is Task.DECLARATION:
        return declaration_page(desks, _said(draft), _stops(draft), draft.id)
    return page(
        f"kit/{task}.html",
        422 if faults else 200,
        draft=draft,
        task=task,
        tasks=tasks_of(draft),
        open_tasks=open_tasks(draft),
        faults=faults or {},
        fields=fields_of(draft),
        typed_or=lambda name, kept: typed(name) if faults else kept,
        reasons=_reasons(desks, draft, task),
        stated=_stated(desks, draft),
        hands=hands(draft, desks.kit.profile.form),
        slaps=slaps(draft),
        open_fingers=_open_fingers(draft),
        languages=LANGUAGES_OF_CONSENT,
        supervisors=[each for each in desks.kit.officers.names() if each != signed_in()],
        needs_supervisor=needs_supervisor(draft),
        slip=_slip(desks, draft),
        **terms_choices(vietnam_date(desks.kit.clock())),
        said_of_terms={name: typed(name) for name in TERMS_FIELDS} if faults else {},
        kit=desks.kit.profile,
    )


def _slip(desks: Desks, draft: Draft) -> Slip | None:
    """Nothing but the packet's hash goes into it: the kit holds nothing of the citizen any more."""
    if draft.packet is None:
        return None
    code, profile = receipt_code(draft.packet), desks.kit.profile
    extract, _ = desks.extract_or_fault()
    unit = extract.unit_name if extract else profile.unit
    if profile.status_address is None:
        return Slip(code, unit, None)
    symbol = segno.make_qr(status_link(profile.status_address, code), error="m")
    return Slip(code, unit, symbol.svg_data_uri(scale=6, border=4))


def _said(draft: Draft) -> dict[str, str]:
    """The last declaration as it was typed."""
    if not draft.attempts:
        return {}
    declared = draft.attempts[-1].declaration
    return {
        "citizen_number": declared.citizen_number or "",
        "has_no_number": "" if declared.citizen_number else "yes",
        "full_name": declared.full_name,
        "date_of_birth": declared.date_of_birth.strftime("%d/%m/%Y"),
        "sex": declared.sex,
    }


def _stops(draft: Draft) -> dict[str, list[str]]:
    """What the gate stopped, by field; who has no number needs one before a card."""
    found: dict[str, list[str]] = {}
    for stop in draft.answer.stops if draft.answer else ():
        found.setdefault(stop.field, []).append(stop.code)
    return found or {"citizen_number": ["KIT_GATE_NOT_PASSED"]}


def _reasons(desks: Desks, draft: Draft, task: Task) -> list[Reason]:
    """What may be stated on this page instead of a value that is not there."""
    if task is Task.SIGNATURE:
        return [Reason(CITIZEN_SIGNATURE, CANNOT_SIGN)]
    if task is Task.FINGERPRINTS:
        return _reasons_for_both_hands(desks, draft)
    held = msgspec.structs.asdict(draft.person) if draft.person else {}
    stated = {each.item for each in draft.exceptions}
    return [
        Reason(each.item, each.code.upper(), each.vi, each.en)
        for each in desks.kit.profile.form.exceptions
        if task is Task.PARTICULARS and held.get(each.item) == "" and each.item not in stated
    ]


def _stated(desks: Desks, draft: Draft) -> list[Reason]:
    """What was stated, in the form's own words."""
    words = {each.code.upper(): each for each in desks.kit.profile.form.exceptions}
    return [
        Reason(each.item, each.code, words[each.code].vi, words[each.code].en)
        if each.code in words
        else Reason(each.item, each.code)
        for each in draft.exceptions
    ]


def _open_fingers(draft: Draft) -> list[str]:
    """The fingers that may have a reason: those without a print, and those of a slap that was sent back."""
    named = {*(each.name for each in draft.items), *(each.item for each in draft.exceptions)}
    asked = excusable_fingers(draft.fingers, draft.slaps, is_answer=draft.answers is not None)
    return [] if FINGERPRINTS in named else [item for item in asked if item not in named]


def _reasons_for_both_hands(desks: Desks, draft: Draft) -> list[Reason]:
    """What may be stated instead of all prints, or of all slaps, where there is none of them."""
    here, stated = [each.name for each in draft.items], {each.item for each in draft.exceptions}
    no_print = FINGERPRINTS not in stated and not any(is_finger(item) for item in here)
    no_slap = any(is_slap(item) for item in draft.missing) and not any(is_slap(item) for item in here)
    may_be_stated = {FINGERPRINTS: no_print and is_asked(draft.answers, FINGERPRINTS), ALL_SLAPS: no_slap}
    return [
        Reason(each.item, each.code.upper(), each.vi, each.en)
        for each in desks.kit.profile.form.exceptions
        if each.whole and may_be_stated.get(each.item)
    ]
