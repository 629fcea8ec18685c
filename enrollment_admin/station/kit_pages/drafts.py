"""One capture from the first question to the slip in the citizen's hand: one task a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import msgspec
from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import PORTRAIT
from enrollment_admin.station.desks import Desks
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.kit_pages.door import signed_in
from enrollment_admin.station.kit_pages.draft_pages import declaration_page, list_page, task_page
from enrollment_admin.station.kit_pages.tasks import Task, next_task
from enrollment_admin.station.kit_pages.typed_forms import (
    MEDIA_TYPES,
    fields_of,
    read_consent,
    read_declaration,
    read_particulars,
    read_prints,
    require_picture,
)
from enrollment_admin.station.officer_keys import OfficerKeys
from enrollment_admin.station.refusals import FormNotFaithful, GateNotPassed, PassphraseWrong
from enrollment_admin.station.sealing import Answering
from enrollment_admin.terms_form import read_terms
from enrollment_admin.ui.pages import STATION, answer, error_page, typed, wants_json
from verification.errors import FieldsRefused, VerificationError
from verification.lds.image_header import image_kind
from verification.messages.asked_prints import ALL_SLAPS, FINGERPRINTS, is_finger
from verification.messages.capture_terms import FIRST_CARD, StatedTerms
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.hand_photos import HAND_PHOTOS
from verification.messages.refusals import PacketSupervisorMissing

_PRINT_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The form is a file, which the browser's own viewer shows; nothing in it runs."""


class DraftView(msgspec.Struct, frozen=True):
    """A capture as a program sees it: what is next, what stops it, what is missing.

    ``again`` are the fingers that are missing because their prints are poor, each with its cause.
    """

    id: str
    state: str
    task: str
    stops: dict[str, str]
    missing: tuple[str, ...]
    again: dict[str, str | None]
    sequence: int | None
    packet: str | None


def drafts_blueprint(desks: Desks) -> Blueprint:
    """The list, and the pages of one capture."""
    blueprint = Blueprint(STATION, __name__)
    tasks = ",".join(Task)

    @blueprint.get("/")
    def drafts() -> ResponseReturnValue:
        return list_page(desks, _desk(desks))

    @blueprint.get("/drafts/<draft>")
    def draft(draft: str) -> ResponseReturnValue:
        return _shown(_desk(desks).draft(draft))

    @blueprint.get(f"/drafts/<draft>/<any({tasks}):task>")
    def task(draft: str, task: str) -> ResponseReturnValue:
        return task_page(desks, _desk(desks).draft(draft), Task(task))

    @blueprint.post("/drafts/<draft>/declaration")
    def declare(draft: str) -> ResponseReturnValue:
        return _declared(desks, draft)

    @blueprint.get("/drafts/<draft>/items/<item>")
    def picture(draft: str, item: str) -> ResponseReturnValue:
        content = _desk(desks).content(draft, item)
        kind = MEDIA_TYPES.get(item) or (image_kind(content) if is_finger(item) else None)
        return Response(content, content_type=kind or "application/octet-stream")

    _add_beginnings(blueprint, desks)
    _add_acts(blueprint, desks)
    _add_form(blueprint, desks)
    return blueprint


def _add_beginnings(blueprint: Blueprint, desks: Desks) -> None:
    """A capture of somebody new, or of what the centre returned or refused."""

    @blueprint.get("/drafts/new")
    def new() -> ResponseReturnValue:
        return declaration_page(desks, {}, {})

    @blueprint.post("/drafts/new")
    def begin() -> ResponseReturnValue:
        return _declared(desks, None)

    @blueprint.post("/returns/<dossier>")
    def begin_answer(dossier: str) -> ResponseReturnValue:
        return _shown(_desk(desks).answer(dossier), 201)

    @blueprint.post("/refused/<packet>")
    def see_to(packet: str) -> ResponseReturnValue:
        desks.see_to(packet, signed_in())
        return answer(None, url_for("station.drafts"), "kit.done.seen_to")


def _add_acts(blueprint: Blueprint, desks: Desks) -> None:
    """What is done to a capture that the gate let pass."""

    @blueprint.post("/drafts/<draft>/particulars")
    def describe(draft: str) -> ResponseReturnValue:
        return _done(desks, draft, Task.PARTICULARS, _describe)

    @blueprint.post("/drafts/<draft>/exceptions")
    def state_exception(draft: str) -> ResponseReturnValue:
        return _done(desks, draft, _page_of(typed("item")), _state_exception)

    @blueprint.post("/drafts/<draft>/<any(portrait,fingerprints,signature):task>")
    def keep(draft: str, task: str) -> ResponseReturnValue:
        return _done(desks, draft, Task(task), _KEEPING[Task(task)])

    @blueprint.post("/drafts/<draft>/items/<item>/removal")
    def drop(draft: str, item: str) -> ResponseReturnValue:
        _desk(desks).drop(draft, item)
        return redirect(url_for("station.task", draft=draft, task=_page_of(item)), 303)

    @blueprint.post("/drafts/<draft>/seal")
    def seal(draft: str) -> ResponseReturnValue:
        return _done(desks, draft, Task.SEAL, partial(_seal, desks.kit.officers))

    @blueprint.post("/drafts/<draft>/withdrawal")
    def withdraw(draft: str) -> ResponseReturnValue:
        _desk(desks).withdraw(draft)
        return answer(None, url_for("station.drafts"), "kit.done.withdrawn")


def _add_form(blueprint: Blueprint, desks: Desks) -> None:
    """The form that is printed, and what came of it on paper."""

    @blueprint.post("/drafts/<draft>/form")
    def print_form(draft: str) -> ResponseReturnValue:
        return _printed(desks, draft)

    @blueprint.post("/drafts/<draft>/scan")
    def judge_scan(draft: str) -> ResponseReturnValue:
        return _scan_judged(desks, draft)


def _desk(desks: Desks) -> CaptureDesk:
    return desks.of(signed_in())


def _shown(draft: Draft, status: int = 200) -> ResponseReturnValue:
    """A capture as JSON, or the page of what is to be done next."""
    task = next_task(draft)
    if not wants_json():
        return redirect(url_for("station.task", draft=draft.id, task=task), 303)
    view = DraftView(
        id=draft.id,
        state=draft.state,
        task=task,
        stops={stop.field: stop.code for stop in draft.answer.stops} if draft.answer else {},
        missing=draft.missing,
        again={item: each.code for item, each in draft.prints.items() if each.is_again},
        sequence=draft.sequence,
        packet=draft.packet,
    )
    return Response(msgspec.json.encode(view), status, content_type="application/json")


def _page_of(item: str) -> Task:
    """Where an item is taken, or a reason stated that it is not."""
    if item == CITIZEN_SIGNATURE:
        return Task.SIGNATURE
    of_prints = is_finger(item) or item in {FINGERPRINTS, ALL_SLAPS, *HAND_PHOTOS}
    return Task.FINGERPRINTS if of_prints else Task.PARTICULARS


def _declared(desks: Desks, draft: str | None) -> ResponseReturnValue:
    """Ask the gate; what it stops is seen on the capture's own page, and nothing that was typed is lost."""
    desk = _desk(desks)
    try:
        declaration = read_declaration(request.form)
        seen = desk.declare(draft, declaration) if draft else desk.begin(declaration)
    except VerificationError as fault:
        if wants_json():
            return error_page(fault)
        faults = fault.fields if isinstance(fault, FieldsRefused) else {"citizen_number": fault.code}
        return declaration_page(desks, request.form, {name: [faults[name]] for name in faults}, draft)
    return _shown(seen, 201)


def _done(
    desks: Desks, draft: str, task: Task, act: Callable[[CaptureDesk, str], object]
) -> ResponseReturnValue:
    """Do what a page asks for and go on, or show the page again with the faults in their places."""
    desk = _desk(desks)
    try:
        act(desk, draft)
    except FieldsRefused as fault:
        if wants_json():
            return error_page(fault)
        return task_page(desks, desk.draft(draft), task, fault.fields)
    return _shown(desk.draft(draft))


def _printed(desks: Desks, draft: str) -> ResponseReturnValue:
    """The form itself for a person, who prints it; for a program, what is next."""
    desk = _desk(desks)
    try:
        printed = desk.print_form(draft)
    except FormNotFaithful as fault:
        if wants_json():
            return error_page(fault)
        return task_page(desks, desk.draft(draft), Task.FORM, {"form": fault.code})
    if wants_json():
        return _shown(desk.draft(draft))
    headers = {
        "Content-Security-Policy": _PRINT_POLICY,
        "Content-Disposition": f'inline; filename="{draft}.pdf"',
    }
    return Response(printed, content_type="application/pdf", headers=headers)


def _scan_judged(desks: Desks, draft: str) -> ResponseReturnValue:
    """The page of the form once more, with what its paper was found to be."""
    desk, upload = _desk(desks), request.files.get("scan")
    try:
        seen = desk.judge_scan(draft, upload.read() if upload else b"")
    except FieldsRefused as fault:
        if wants_json():
            return error_page(fault)
        return task_page(desks, desk.draft(draft), Task.FORM, fault.fields)
    if wants_json():
        return _shown(seen)
    return redirect(url_for("station.task", draft=draft, task=Task.FORM), 303)


def _describe(desk: CaptureDesk, draft: str) -> None:
    seen = desk.draft(draft)
    if seen.person is None:
        raise GateNotPassed("nobody to describe")
    desk.describe(draft, read_particulars(request.form, seen.person, fields_of(seen)))


def _state_exception(desk: CaptureDesk, draft: str) -> None:
    desk.state_exception(draft, typed("item"), typed("code"))


def _keep_prints(desk: CaptureDesk, draft: str) -> None:
    desk.keep_all(draft, read_prints(request.files, typed("capture_method")))


def _keep_portrait(desk: CaptureDesk, draft: str) -> None:
    _keep_picture(PORTRAIT, desk, draft)
    desk.judge_portrait(draft, typed("manual_portrait_reason"))


def _keep_picture(item: str, desk: CaptureDesk, draft: str) -> None:
    upload = request.files.get(item)
    content = upload.read() if upload else b""
    require_picture(item, content)
    desk.keep(draft, item, MEDIA_TYPES[item], content)


_KEEPING: Mapping[Task, Callable[[CaptureDesk, str], None]] = {
    Task.PORTRAIT: _keep_portrait,
    Task.FINGERPRINTS: _keep_prints,
    Task.SIGNATURE: partial(_keep_picture, CITIZEN_SIGNATURE),
}


def _seal(keys: OfficerKeys, desk: CaptureDesk, draft: str) -> None:
    language, stated = read_consent(request.form), _stated(desk.draft(draft))
    named = typed("supervisor")
    secrets = {name: request.form.get(name, "") for name in ("passphrase", "supervisor_passphrase")}
    with _beside(PassphraseWrong, "supervisor_passphrase"):
        if named:
            keys.open(named, secrets["supervisor_passphrase"])
    supervisor = Answering(named, secrets["supervisor_passphrase"]) if named else None
    with _beside(PassphraseWrong, "passphrase"), _beside(PacketSupervisorMissing, "supervisor"):
        desk.seal(draft, secrets["passphrase"], language, supervisor, stated)


def _stated(draft: Draft) -> StatedTerms:
    """On what terms the card is asked for; what answers a return states none again."""
    return FIRST_CARD if draft.answers else read_terms(request.form)


@contextmanager
def _beside(kind: type[VerificationError], field: str) -> Iterator[None]:
    """A refusal of this kind is told beside this field."""
    try:
        yield
    except kind as fault:
        raise FieldsRefused({field: fault.code}) from None
